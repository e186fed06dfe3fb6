"""The routes without a network: a provider that says what its test gives it, and what is asked of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.audio.formats import PCMU
from gateway.call.calls import Calls
from gateway.call.ending import EndCall, EndReason
from gateway.call.metrics import Metrics
from gateway.call.notes import Note
from gateway.call.record import CallIdentity, CallRecord, TimedNote
from gateway.call.refusal import TurnedAway
from gateway.call.settings import CallSettings
from gateway.config import Lines, load_deployment
from gateway.config.full import DeploymentWhenFull
from gateway.config.providers import Twilio as Settings
from gateway.errands import CallErrands
from gateway.errors import WireError
from gateway.fleet.board import Board
from gateway.phone.events import CallStarted, PhoneClosed, PhoneEnd, PhoneEvent, Playout
from gateway.phone.provider import CallCommands, Codec, Grant, Provider, SignatureError, Upgrade
from gateway.phone.providers.twilio.provider import Twilio
from gateway.phone.requests import HttpRequest, Requests, Steps
from gateway.phone.token import StreamTokens
from gateway.phone.waiting import Wait
from gateway.phone.webhook import After, Answer, CallStatus, Connect, IncomingCall, StreamEnded, WebhookRequest
from gateway.rest import CallControl, CallControlError
from gateway.routes.admitting.admission import Admission
from gateway.routes.line_book import LineBook
from gateway.routes.media_stream import MediaStreams
from gateway.routes.outcomes import Outcomes
from gateway.routes.published_keys import PublishedKeys
from gateway.routes.refusing.refusals import Refusals, Refused
from gateway.routes.sessions_ahead import SessionsAhead
from gateway.routes.stream_keys import StreamKeys, Unproven
from gateway.routes.webhooks import Webhooks
from gateway.sockets.choice import choose_sockets
from gateway.tools import FunctionCall, FunctionResult, Functions
from gateway.voice.endpoints.endpoint import Endpoint
from gateway.voice.endpoints.pool import Pool
from tests.e2e.rig import LINE, NUMBER, configuration
from tests.fakes import FakeSocket
from tests.phone.parts import setup

PUBLIC = "https://voice.example.com/phone"
API = "https://api.example.com"
CALLER = "+14155550123"
INCOMING = IncomingCall("CA1", CALLER, NUMBER)
GRANT = Grant("support", "CA1", CALLER, NUMBER)
RESCUED = "language: de-DE\nafter: {say: Goodbye.}\non_failure: {say: Sorry.}\n"
ENDED, SORRY, GOODBYE = "", "Sorry.", "Goodbye."
"""What a provider is asked to say behind a stream; nothing where the call ends."""


def started(call_id: str = "CA1", called: str = NUMBER) -> CallStarted:
    """Return the start of a call."""
    return CallStarted(call_id, "MZ1", PCMU, Playout(), CALLER, called)


class Wire(Codec):
    """Messages that are the names of events; any other breaks the protocol."""

    def __init__(self, events: Mapping[str, PhoneEvent]) -> None:
        self._events = events

    def decode(self, message: str | bytes) -> Sequence[PhoneEvent]:
        if message not in self._events:
            raise WireError(f"{message!r} is no message")
        return [self._events[str(message)]]

    def encode(self, command: object) -> Sequence[str]:
        return []


class Scripted(Twilio):
    """A provider whose webhooks are all genuine; its calls outlive their streams, and are ended by REST."""

    def __init__(self) -> None:
        super().__init__(Settings(), setup("twilio"))
        self.webhooks = self
        self.commands: ScriptedCommands = ScriptedCommands()
        self.says: IncomingCall | StreamEnded | Answer | WireError = INCOMING
        self.statuses: Sequence[CallStatus] | WireError = WireError("no status")
        self.document: Answer | Steps[Answer] = Answer("document")
        self.connects: list[Connect] = []
        self.waits: list[Wait | None] = []
        self.events: dict[str, PhoneEvent] = {
            "start": started(),
            "probe": PhoneClosed(PhoneEnd.HUNG_UP, probe=True),
            "stop": PhoneClosed(PhoneEnd.HUNG_UP),
        }

    def codec(self, upgrade: Upgrade, grant: Grant) -> Codec:  # type: ignore[override]  # any codec is a provider's
        return Wire(self.events)

    def verify(self, request: WebhookRequest, now_s: float) -> str:
        return ""

    def incoming(self, request: WebhookRequest) -> IncomingCall | StreamEnded | Answer:
        if isinstance(self.says, WireError):
            raise self.says
        return self.says

    def answer(self, call: IncomingCall, connect: Connect) -> Answer | Steps[Answer]:
        self.connects.append(connect)
        return self.document

    def refuse(self, call: IncomingCall) -> Answer:
        return Answer(f"{call.call_id} is refused", requests=(HttpRequest("POST", f"{API}/refuse"),))

    def full(self, call: IncomingCall, follows: After, wait: Wait | None = None) -> Answer:
        self.waits.append(wait)
        transferred = f" and transferred to {follows.transfer}" if follows.transfer else ""
        return Answer(f"{call.call_id} is told {follows.say!r}{transferred}")

    def status(self, request: WebhookRequest) -> Sequence[CallStatus]:
        if isinstance(self.statuses, WireError):
            raise self.statuses
        return self.statuses


class ScriptedCommands(CallCommands):
    """A REST API that ends calls and lets them go on."""

    redirect: Callable[[str, str], Requests] | None = None

    def after_stream(self, call_id: str, after: After) -> Sequence[HttpRequest]:
        return [HttpRequest("POST", f"{API}/{call_id}/after", body=after.say.encode())]

    def hang_up(self, call_id: str) -> Sequence[HttpRequest]:
        return [HttpRequest("DELETE", f"{API}/{call_id}")]


def redirected(call_id: str, url: str) -> Sequence[HttpRequest]:
    """Let a call leave its stream: a command of some providers, which the scripted one has where a test gives it."""
    return [HttpRequest("POST", f"{API}/{call_id}/redirect", body=url.encode())]


class Control(CallControl):
    """Keeps requests in place of making them; each of ``failures`` is raised for one of them."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[HttpRequest] = []
        self.failures: list[CallControlError] = []

    async def _perform(self, request: HttpRequest, until: float) -> bytes:
        self.made.append(request)
        if self.failures:
            raise self.failures.pop(0)
        return b"said"

    def asked(self) -> list[tuple[str, str]]:
        """Return the call and what is said to it, of each request to let a call go on without its stream."""
        return [(made.url.split("/")[-2], made.body.decode()) for made in self.made if made.url.endswith("/after")]


class Answering(Functions):
    """Functions that answer with their name."""

    async def call(self, call: FunctionCall) -> FunctionResult:
        return FunctionResult(call.function.name, "ok")


class Taping:
    """Keeps what would be on the tapes."""

    def __init__(self) -> None:
        self.taped: list[tuple[object, ...]] = []
        self.socket: Any = None

    @contextmanager
    def webhook(self, provider: Provider, webhook: WebhookRequest) -> Iterator[Callable[[Answer | None, str], None]]:
        """Keep a webhook with its answer, or why it was refused."""
        yield lambda answer, refused: self.taped.append((provider.name, webhook, answer, refused))

    def refused_webhook(self, provider: Provider, webhook: WebhookRequest, reason: str) -> None:
        """Keep a webhook that proved nothing."""
        self.taped.append((provider.name, webhook, reason))

    def stream(self, socket: object, provider: Provider, upgrade: Upgrade, grant: Grant) -> Any:
        """Keep the facts of a stream; return another socket in place of its own."""
        self.taped.append((socket, provider.name, upgrade, grant))
        return self.socket

    @contextmanager
    def call(self, socket: object, provider: Provider, started: CallStarted) -> Iterator[None]:
        """Keep the beginning and the end of a call."""
        self.taped.append((socket, provider.name, started, "begins"))
        yield
        self.taped.append((socket, provider.name, started, "is over"))

    def refused_stream(self, provider: Provider, upgrade: Upgrade, reason: str) -> None:
        """Keep an upgrade that was refused."""
        self.taped.append((provider.name, upgrade.url, reason))


REFUSED, UNCERTAIN = CallControlError("answered 422", "no", refused=True), CallControlError("no answer")


@dataclass
class Run:
    """How the calls of a stage go, in place of a conversation."""

    end: EndCall | BaseException = field(default_factory=lambda: EndCall(EndReason.BOT_HUNG_UP, "bot"))
    during: Callable[[], object] = lambda: None
    notes: Sequence[Note] = ()
    told: list[str] = field(default_factory=list)
    errands: list[CallErrands] = field(default_factory=list)
    leaves: list[Callable[[EndCall], Awaitable[None]]] = field(default_factory=list)


class Stage:
    """Webhooks and streams of one provider."""

    def __init__(self, folder: Path, lines: Mapping[str, str] | None = None, limit: int = 5, tapes: Any = None) -> None:
        self.provider, self.control = Scripted(), Control()
        self.metrics = Metrics(["twilio"])
        self.refused: list[Refused] = []
        self.refusals = Refusals(self.metrics, observe=lambda refused, _: self.refused.append(refused))
        self.lines = LineBook(
            Lines(load_deployment(configuration(folder, lines or {"support": LINE + RESCUED}), {})), self.metrics
        )
        board = Board(limit)
        self.used, self.outcomes = board.used, Outcomes(board.ends)
        self.calls, self.tokens = Calls(limit, board.places), StreamTokens("key", 60)
        self._sessions = board.sessions
        pool = Pool([Endpoint("west")], board.sessions)
        self.admission = Admission(self.calls, board, pool, time.monotonic, 60)
        self._published_keys = PublishedKeys(self.control, self.metrics)
        self.notes: list[tuple[CallIdentity, TimedNote]] = []
        self.grant: Grant | Unproven | SignatureError = GRANT
        self.prepared: list[CallStarted] = []
        self.turned_away: list[TurnedAway] = []
        ahead = SessionsAhead(self._prepare, 0, self.metrics)
        providers: dict[str, Provider] = {"twilio": self.provider}
        self.streams = MediaStreams(
            providers=providers,
            lines=self.lines,
            calls=self.calls,
            admission=self.admission,
            metrics=self.metrics,
            prepare=self._prepare,
            ahead=ahead,
            functions=Answering(),
            outcomes=self.outcomes,
            observers=(lambda identity, note: self.notes.append((identity, note)),),
            authorize=self._authorize,
            authorize_start=self._authorize_start,
            used=self.used,
            control=self.control,
            refusals=self.refusals,
            accept=choose_sockets("fast").accept,
            public_url=PUBLIC,
            max_message=1024,
            start_timeout_s=0.01,
            turned_away=self.turned_away.append,
            tapes=tapes,
        )
        self.webhooks = Webhooks(
            providers=providers,
            public_url=PUBLIC,
            lines=self.lines,
            calls=self.calls,
            admission=self.admission,
            when_full=DeploymentWhenFull(),
            tokens=self.tokens,
            outcomes=self.outcomes,
            published_keys=self._published_keys,
            control=self.control,
            refusals=self.refusals,
            metrics=self.metrics,
            used=self.used,
            replayed=board.webhooks,
            strand=self.streams.strand,
            ahead=ahead,
            turned_away=self.turned_away.append,
            tapes=tapes,
        )

    def _prepare(self, line: object, call: CallStarted) -> tuple[CallSettings, Any]:
        self.prepared.append(call)
        return CallSettings(), None

    async def _authorize(self, provider: Provider, upgrade: Upgrade, line: str, token: str) -> Grant | Unproven:
        if isinstance(self.grant, SignatureError):
            raise self.grant
        return self.grant

    def _authorize_start(self, provider: Provider, started: CallStarted, line: str) -> Grant:
        keys = StreamKeys(self.tokens, {}, self._published_keys, self.used, self.metrics, required=True)
        return keys.authorize_start(provider, started, line)

    async def stream(self, *messages: str | None, grant: Grant | Unproven = GRANT, failure: str = "") -> FakeSocket:
        """Take a stream that brings these messages; ``None`` is one on which no more comes."""
        socket = FakeSocket(*messages, failure=failure)
        taken: Any = socket
        with self.calls.place() as place:
            assert place is not None
            await self.streams._take(self.provider, grant, Upgrade(), taken, place)
        return socket

    async def webhook(self, line: str = "", **form: str) -> Answer | Refused:
        """Return what an incoming call's webhook leads to."""
        request = WebhookRequest("POST", f"{PUBLIC}/answer/twilio", {}, tuple(form.items()))
        return await self.webhooks._answer(self.provider, self.provider, request, line)

    async def status(self, *statuses: CallStatus, line: str = "") -> Answer | Refused:
        """Return what a status callback leads to."""
        self.provider.statuses = statuses
        request = WebhookRequest("POST", f"{PUBLIC}/status/twilio", {})
        return await self.webhooks._note_status(self.provider, self.provider, request, line)

    def sessions_reserved(self) -> int:
        """Return how many sessions are kept for calls whose streams have not come."""
        return self._sessions.usage("west", time.monotonic()).reserved

    def metric(self, name: str, **labels: str) -> float:
        """Return the value of a sample."""
        value = self.metrics.registry.get_sample_value(name, labels)
        assert value is not None, f"there is no {name} with {labels}"
        return value

    def note(self, kind: str) -> dict[str, object]:
        """Return the fields of the one note of that kind."""
        (note,) = [noted.note for _, noted in self.notes if noted.note.event == kind]
        return note.fields()


def stand_in(run: Run) -> type:
    """Return what takes the place of a call: it ends as ``run`` says."""

    class StandIn:
        def __init__(
            self,
            phone: object,
            voice: object,
            conversation: object,
            record: CallRecord,
            errands: CallErrands,
            on_end: Any,
            leave: Callable[[EndCall], Awaitable[None]],
            **rest: Any,
        ) -> None:
            self._record, self._on_end = record, on_end
            run.errands.append(errands)
            run.leaves.append(leave)

        async def run(self) -> EndCall:
            for note in run.notes:
                self._record.add(1.0, note)
            run.during()
            await asyncio.sleep(0)
            if isinstance(run.end, BaseException):
                raise run.end
            self._on_end(run.end)
            return run.end

        def reported_over(self, detail: str) -> None:
            run.told.append(detail)

        def transfer_failed(self, detail: str) -> None:
            run.told.append(detail)

    return StandIn
