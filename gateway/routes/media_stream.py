"""``GET /stream/{provider}[/{line}]``: turns a provider's media stream into a call."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from gateway.call import notes
from gateway.call.barge_in.listening import conversation_for
from gateway.call.call import Call
from gateway.call.calls import Calls
from gateway.call.conversation import Conversation
from gateway.call.ending import EndCall, EndReason
from gateway.call.metrics import Metrics
from gateway.call.record import CallIdentity, CallRecord, Observer
from gateway.call.recovery.legs import Voice
from gateway.call.refusal import Refusal, TurnedAway
from gateway.call.settings import CallSettings
from gateway.config import Line
from gateway.errands import CallErrands
from gateway.errors import WireError
from gateway.fleet.places import KnownCall, Place
from gateway.fleet.used import UsedKeys
from gateway.phone.events import CallStarted, PhoneClosed
from gateway.phone.leg import MediaSocket, PhoneLeg
from gateway.phone.provider import Grant, Provider, SignatureError, Upgrade
from gateway.phone.requests import Requests
from gateway.phone.webhook import After
from gateway.records.recording.recordings import Recordings, recorded
from gateway.rest import CallControl, CallControlError, described
from gateway.routes.admitting.admission import Admission
from gateway.routes.following import GONE, follows_instead, goes_on_by_itself, then_url, what_follows
from gateway.routes.line_book import LineBook
from gateway.routes.noting.call_log import CallLog, Replies, call_ended
from gateway.routes.noting.shown_notes import ShownNotes, shown_by
from gateway.routes.outcomes import Outcomes
from gateway.routes.parties import identified, turned_away, unknown_line
from gateway.routes.refusing.refusals import Refusals, Refused, unserved
from gateway.routes.request_url import requested_url
from gateway.routes.sessions_ahead import SessionsAhead
from gateway.routes.stream_keys import Unproven, granted, is_over, note_lost, note_stream
from gateway.sockets.choice import Accept
from gateway.tape.tapes import Tapes
from gateway.tools import Functions

if TYPE_CHECKING:  # an extra, which is not there where no traces are made
    from gateway.tracing.call_trace import CallTrace
    from gateway.tracing.traces import Traces

log = structlog.get_logger()

CLOSE_TIMEOUT_S = 1.0
GOING_AWAY = 1001
"""RFC 6455 §7.4.1: the server shuts down."""
POLICY = 1008
"""RFC 6455 §7.4.1: the peer violated a policy of the server."""
TRY_AGAIN_LATER = 1013
"""IANA WebSocket close code registry: try again later."""
INTERNAL_ERROR = 1011


class MediaStreams:
    """Takes the media streams of all providers; each stream carries one call."""

    def __init__(
        self,
        *,
        providers: dict[str, Provider],
        lines: LineBook,
        calls: Calls,
        admission: Admission,
        metrics: Metrics,
        prepare: Callable[[Line, CallStarted], tuple[CallSettings, Voice]],
        ahead: SessionsAhead,
        functions: Functions,
        outcomes: Outcomes,
        observers: tuple[Observer, ...] = (),
        authorize: Callable[[Provider, Upgrade, str, str], Awaitable[Grant | Unproven]],
        authorize_start: Callable[[Provider, CallStarted, str], Grant],
        used: UsedKeys,
        control: CallControl,
        refusals: Refusals,
        accept: Accept,
        public_url: str,
        max_message: int,
        start_timeout_s: float,
        turned_away: Callable[[TurnedAway], None] = lambda _: None,
        tapes: Tapes | None = None,
        recordings: Recordings | None = None,
        traces: "Traces | None" = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tapes = tapes
        self._recordings = recordings
        self._traces = traces
        self._clock = clock
        self._providers = providers
        self._lines = lines
        self._calls = calls
        self._admission = admission
        self._metrics = metrics
        self._prepare = prepare
        self._ahead = ahead
        self._functions = functions
        self._outcomes = outcomes
        self._observers = (metrics.observe, *observers)
        self._authorize = authorize
        self._authorize_start = authorize_start
        self._used = used
        self._turned_away = turned_away
        self._control = control
        self._refusals = refusals
        self._accept = accept
        self._public_url = public_url
        self._max_message = max_message
        self._start_timeout_s = start_timeout_s

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer the upgrade: 404 for what is not served, 403 without a valid key, 503 when full or shutting down."""
        name = request.match_info["provider"]
        provider = self._providers.get(name)
        if provider is None:
            return self._refusals.response("stream", unserved(name, self._providers), request)
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return self._refusals.response("stream", Refused(Refusal.NO_UPGRADE), request, provider=name)
        upgrade = self._upgrade(request)
        admitted = await self._admit(request, provider, upgrade)
        if isinstance(admitted, Refused):
            self._tape_refusal(provider, upgrade, admitted.detail or admitted.reason.value)
            return self._refusals.response("stream", admitted, request, provider=name)
        grant = admitted if isinstance(admitted, Grant) else Grant()
        with self._calls.place((name, grant.call_id) if grant.call_id else None) as place:
            if place is None:
                reason = self._calls.unwilling
                if line := self._lines.find(grant.line) if grant.line else None:
                    key, numbers = (name, grant.call_id), (grant.caller, grant.called)
                    self._turned_away(turned_away(key, *numbers, line, self._lines.region(name), reason))
                await self.strand(KnownCall(name, grant.call_id, grant.line))
                return self._refusals.response("stream", Refused(reason), request, provider=name)
            accepted = await self._accept(
                request,
                subprotocols=tuple(provider.subprotocols),
                max_message=self._max_message,
                close_timeout_s=CLOSE_TIMEOUT_S,
            )
            if accepted is None:
                return self._refusals.response("stream", Refused(Refusal.BAD_HANDSHAKE), request, provider=name)
            response, opened = accepted
            socket: MediaSocket = opened
            if self._tapes is not None:
                socket = self._tapes.stream(opened, provider, upgrade, grant)
            try:
                await self._take(provider, admitted, upgrade, socket, place)
            finally:
                await socket.close(INTERNAL_ERROR)
        return response

    async def _admit(self, request: web.Request, provider: Provider, upgrade: Upgrade) -> Grant | Unproven | Refused:
        """Return the grant of the stream, that its start must prove it, or the refusal."""
        line, token = request.match_info.get("line", ""), request.match_info.get("token", "")
        try:
            grant = await self._authorize(provider, upgrade, line, token)
        except SignatureError as error:
            return Refused(Refusal.UNAUTHORIZED, str(error))
        if isinstance(grant, Grant) and grant.line and self._lines.find(grant.line) is None:
            self._admission.cancel((provider.name, grant.call_id))
            await self.strand(KnownCall(provider.name, grant.call_id))
            return Refused(Refusal.UNKNOWN_LINE)
        return grant

    def _upgrade(self, request: web.Request) -> Upgrade:
        return Upgrade(
            url=requested_url(self._public_url.replace("http", "ws", 1), request),
            query=dict(request.query),
            headers={name.lower(): value for name, value in request.headers.items()},
        )

    async def _take(
        self, provider: Provider, admitted: Grant | Unproven, upgrade: Upgrade, socket: MediaSocket, place: Place
    ) -> None:
        traits = provider.traits
        grant = admitted if isinstance(admitted, Grant) else Grant()
        phone = PhoneLeg(socket, provider.codec(upgrade, grant), peer_closes=traits.peer_closes, clears=traits.clears)
        call = KnownCall(provider.name, grant.call_id, grant.line)
        try:
            async with self._calls.opening():
                started = await phone.start(self._start_timeout_s)
        except WireError as error:
            return await self._turn_away(phone, call, Refused(Refusal.BAD_START, str(error)), POLICY)
        except TimeoutError as error:
            if self._calls.ending:
                return await self._turn_away(phone, call, Refused(Refusal.SHUT_DOWN, "the gateway stops"), GOING_AWAY)
            instead = f"; what came: {error}" if str(error) else ""
            late = Refused(Refusal.NO_START, f"no start within {self._start_timeout_s:g} s{instead}")
            return await self._turn_away(phone, call, late, POLICY)
        if started is None:
            self._note_early_loss(provider, call, socket)
            call = KnownCall()  # the provider has ended it
            return await self._turn_away(phone, call, Refused(Refusal.CLOSED_BEFORE_START, socket.failure), 1000)
        if isinstance(started, PhoneClosed):
            log.info("stream_probed", provider=provider.name)
            return await phone.close()
        if isinstance(admitted, Unproven):
            try:
                grant = self._authorize_start(provider, started, admitted.line)
            except SignatureError as error:  # nothing that it says is believed, and it is not told why
                self._refusals.note("stream", Refused(Refusal.UNAUTHORIZED, str(error)), provider=provider.name)
                self._tape_refusal(provider, upgrade, str(error))
                return await phone.turn_away(POLICY, "")
            started = granted(started, grant)
            self._admission.cancel((provider.name, started.call_id))  # the stream has a place
        if is_over(self._used, provider.name, started.call_id):
            late = Refused(Refusal.UNAUTHORIZED, "the call is over: its provider has reported its end")
            return await self._turn_away(phone, KnownCall(), late, POLICY)
        is_first = note_stream(self._used, provider.name, started.call_id)
        if grant.call_id not in ("", started.call_id) and not is_first:  # ACS changes a call's id once it is up
            taken = Refused(Refusal.BAD_START, "the start names another call, which has its stream")
            return await self._turn_away(phone, call, taken, POLICY)
        region = self._lines.region(provider.name)
        line = self._lines.find(grant.line, started.called, provider.name)
        if line is None:
            unknown = unknown_line(grant.line, started.called, region)
            return await self._turn_away(phone, KnownCall(provider.name, started.call_id), unknown, POLICY)
        started = identified(started, line, region)
        if reason := self._admission.name(place, (provider.name, started.call_id), line, started.caller, call):
            call = KnownCall(provider.name, started.call_id, line.name)
            full = Refused(reason, f"line {line.name} is busy")
            key, numbers = (provider.name, started.call_id), (started.caller, started.called)
            self._turned_away(turned_away(key, *numbers, line, region, reason))
            return await self._turn_away(phone, call, full, TRY_AGAIN_LATER)
        with self._traced(provider, line, started, upgrade, grant) as trace, self._taping(socket, provider, started):
            await self._run(provider, line, started, phone, grant.call_id, trace)
        return None

    @contextmanager
    def _traced(
        self, provider: Provider, line: Line, started: CallStarted, upgrade: Upgrade, grant: Grant
    ) -> Iterator["CallTrace | None"]:
        """Name the call in its log lines, and begin its trace, if traces are made."""
        with structlog.contextvars.bound_contextvars(call=started.call_id, line=line.name):
            if self._traces is None:
                yield None
                return
            trace = self._traces.call(provider.name, line.name, started, upgrade.headers, grant.traceparent)
            with structlog.contextvars.bound_contextvars(**trace.ids), trace.current():
                yield trace

    def _taping(self, socket: MediaSocket, provider: Provider, started: CallStarted) -> AbstractContextManager[None]:
        return nullcontext() if self._tapes is None else self._tapes.call(socket, provider, started)

    def _tape_refusal(self, provider: Provider, upgrade: Upgrade, reason: str) -> None:
        if self._tapes is not None:
            self._tapes.refused_stream(provider, upgrade, reason)

    async def _turn_away(self, phone: PhoneLeg, call: KnownCall, refused: Refused, code: int) -> None:
        self._refusals.note("stream", refused)
        await phone.turn_away(code, refused.detail)
        await self.strand(call)

    async def strand(self, call: KnownCall) -> None:
        """Start what follows a call whose stream does not come; else a call that goes on would stay silent."""
        provider = self._providers.get(call.provider)
        line = self._lines.find(call.line) if call.line else None
        if call.call_id and provider is not None:
            note_stream(self._used, call.provider, call.call_id)
            follows = what_follows(line, None, datetime.now(UTC)) if line else After()
            await self._go_on(provider, call.call_id, follows)

    async def adopt(self, call: KnownCall) -> None:
        """Take over a call whose worker has died: its stream is lost; start what follows it."""
        provider = self._providers.get(call.provider)
        if provider is not None:
            note_lost(self._used, provider, call.call_id)
        await self.strand(call)

    async def strand_expected(self) -> None:
        """Start what follows the calls that were answered here and whose streams can no longer be taken."""
        async with asyncio.TaskGroup() as group:
            for call in self._calls.expected():
                self._admission.cancel((call.provider, call.call_id))
                group.create_task(self.strand(call))

    async def _run(
        self,
        provider: Provider,
        line: Line,
        started: CallStarted,
        phone: PhoneLeg,
        granted_call: str,
        trace: "CallTrace | None",
    ) -> None:
        """Run a call to its end; ``granted_call`` is the id for which its token was issued."""
        identity = CallIdentity(
            call_id=started.call_id,
            provider=provider.name,
            line=line.name,
            caller=started.caller,
            called=started.called,
            audio_format=str(started.audio_format),
            started_at=self._clock(),
            trace_id=trace.ids["trace_id"] if trace else "",
        )
        replies = Replies()
        shown = shown_by(provider, phone, identity, self._clock)
        watching = (one.observe for one in (trace, shown, replies, CallLog()) if one is not None)
        record = CallRecord(identity, (*self._observers, *watching))
        record.add(self._clock(), self._started(started, line))
        key = (provider.name, started.call_id)
        end, late_frames, marks_lost = EndCall(EndReason.FAULT, "gateway"), 0, 0
        conversation: Conversation | None = None
        try:
            claimed = self._ahead.claim((provider.name, granted_call), line, started)
            settings, voice = claimed or self._prepare(line, started)
            conversation = conversation_for(started, settings, self._clock())
            errands = CallErrands(
                line=line,
                started=started,
                provider=provider,
                phone=phone,
                functions=self._functions,
                control=self._control,
                metrics=self._metrics,
                trace=trace,
            )
            on_end = partial(self._note_end, provider, key, shown)
            leave = partial(self._leave, provider, line, started.call_id)
            with recorded(self._recordings, phone, record, started, line, settings) as (seen, noted):
                call = Call(seen, voice, conversation, noted, errands, on_end, leave=leave, clock=self._clock)
                with self._metrics.calls.track_inprogress(), self._calls.running(call, key):
                    end = await call.run()
            late_frames, marks_lost = conversation.late_frames, conversation.marks_lost
        except asyncio.CancelledError:
            end = EndCall(EndReason.SHUT_DOWN, "gateway", "the process did not wait for the call's end")
            raise
        except Exception:
            log.exception("call_failed")
        finally:
            now = self._clock()
            self._metrics.ended(identity, end, now, late_frames, marks_lost)
            record.add(now, call_ended(identity, end, now, replies.count, conversation))
        if end.reason not in GONE:
            await self._go_on(provider, started.call_id, what_follows(line, end.reason, datetime.now(UTC)))

    def _started(self, started: CallStarted, line: Line) -> notes.CallStarted:
        return notes.CallStarted(started.caller, started.called, line.generation, self._lines.problem(line.name))

    def _note_early_loss(self, provider: Provider, call: KnownCall, socket: MediaSocket) -> None:
        if socket.failure:
            note_lost(self._used, provider, call.call_id)

    def _note_end(self, provider: Provider, key: tuple[str, str], shown: ShownNotes | None, end: EndCall) -> None:
        self._outcomes.note_end(key, end)
        if shown is not None:
            shown.ended(end)
        if end.reason is EndReason.STREAM_LOST:
            note_lost(self._used, provider, key[1])

    async def _leave(self, provider: Provider, line: Line, call_id: str, end: EndCall) -> None:
        """Let a call leave its stream where the rest of its document is for failures, and this end is none."""
        now = datetime.now(UTC)
        after = follows_instead(line, end.reason, now)
        if after is None or provider.commands is None or provider.commands.redirect is None:
            return
        if not goes_on_by_itself(provider, line, now):
            return
        url = then_url(self._public_url, provider.name, line.name)
        hang_up, redirect = provider.commands.hang_up, provider.commands.redirect
        requests = described(redirect, call_id, url) if after != After() else described(hang_up, call_id)
        await self._perform(provider, requests)

    async def _perform(self, provider: Provider, requests: Requests) -> CallControlError | None:
        """Make requests of a provider's REST API; log, count and return its refusal."""
        try:
            await self._control.perform(requests)
        except CallControlError as error:
            self._metrics.call_control_failures.labels(provider.name).inc()
            log.error("call_control_failed", provider=provider.name, detail=str(error), answer=error.answer)
            return error
        return None

    async def _go_on(self, provider: Provider, call_id: str, after: After) -> None:
        """Ask providers that need a request for it to do what follows the stream; if they refuse, to end the call."""
        after_stream = provider.commands.after_stream if provider.commands else None
        if after_stream is None:
            return
        error = await self._perform(provider, described(after_stream, call_id, after))
        if error is not None and error.refused and (after.say or after.transfer):
            await self._go_on(provider, call_id, After())
