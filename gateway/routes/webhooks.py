"""``/answer/{provider}[/{line}]`` and ``/status/{provider}``: verifies and answers the providers' webhooks."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import aiohttp
import structlog
from aiohttp import web

from gateway.addresses import LONGEST
from gateway.call.calls import Calls
from gateway.call.ending import EndReason
from gateway.call.metrics import Metrics
from gateway.call.refusal import Refusal, TurnedAway
from gateway.config import Line
from gateway.config.full import DeploymentWhenFull
from gateway.errors import WireError
from gateway.fleet.places import CallKey, KnownCall
from gateway.fleet.used import SharedUsedKeys
from gateway.path_segment import segment
from gateway.phone.provider import Grant, Provider, SignatureError
from gateway.phone.requests import Requests, Steps
from gateway.phone.shared.call_id import checked
from gateway.phone.token import StreamTokens
from gateway.phone.webhook import (
    After,
    Answer,
    CallStatus,
    Connect,
    IncomingCall,
    StreamEnded,
    WebhookRequest,
)
from gateway.phone.webhook import Webhooks as ProviderWebhooks
from gateway.rest import CallControl, CallControlError, described
from gateway.routes.admitting.admission import Admission
from gateway.routes.admitting.when_full import FullPlan, Given, answered, plan_for
from gateway.routes.following import goes_on_by_itself, may_follow, then_url, what_follows
from gateway.routes.line_book import LineBook
from gateway.routes.outcomes import Outcomes
from gateway.routes.parties import caller_of, turned_away, unknown_line
from gateway.routes.published_keys import PublishedKeys
from gateway.routes.refusing.refusals import Refusals, Refused, unserved
from gateway.routes.repeats import Repeats
from gateway.routes.request_url import requested_url
from gateway.routes.sessions_ahead import Outcome, SessionsAhead
from gateway.routes.stream_keys import note_over, note_stream
from gateway.tape.tapes import Tapes

if TYPE_CHECKING:  # an extra, which is not there where no traces are made
    from gateway.tracing.traces import Traces

log = structlog.get_logger()

BODY_LIMIT = 64 * 1024
"""Most bytes of a webhook's body; the largest seen are a few kilobytes."""
FIELDS_LIMIT = 200
SHOWN_LENGTH = 40
"""Characters of a status that are logged."""
BODY_TIMEOUT_S = 5.0
WAITING = "waiting"
"""The query of the address where a provider asks again for a call that waits; its value only makes each one another."""
WAITED_S = 3600.0
"""Seconds for which it is remembered that a call has waited."""


class Webhooks:
    """Answers the webhook of an incoming call with the instructions that connect the call to its stream.

    Signatures are checked against ``public_url``, never against a proxy's headers. A refused peer does not learn why;
    the reason is in the log.
    """

    def __init__(
        self,
        *,
        providers: Mapping[str, Provider],
        public_url: str,
        lines: LineBook,
        calls: Calls,
        admission: Admission,
        when_full: DeploymentWhenFull,
        tokens: StreamTokens,
        outcomes: Outcomes,
        published_keys: PublishedKeys,
        control: CallControl,
        refusals: Refusals,
        metrics: Metrics,
        used: SharedUsedKeys,
        replayed: SharedUsedKeys,
        strand: Callable[[KnownCall], Awaitable[None]],
        ahead: SessionsAhead,
        turned_away: Callable[[TurnedAway], None] = lambda _: None,
        tapes: Tapes | None = None,
        traces: "Traces | None" = None,
    ) -> None:
        """``strand`` starts what follows a call whose stream did not come; ``replayed`` holds the keys of webhooks."""
        self._providers = providers
        self._public_url = public_url
        self._lines = lines
        self._calls = calls
        self._admission = admission
        self._when_full = when_full
        self._tokens = tokens
        self._outcomes = outcomes
        self._published_keys = published_keys
        self._control = control
        self._refusals = refusals
        self._metrics = metrics
        self._used = used
        self._strand = strand
        self._ahead = ahead
        self._turned_away = turned_away
        self._tapes = tapes
        self._traces = traces
        self._repeats = Repeats(tokens.ttl_s, replayed)

    async def answer(self, request: web.Request) -> web.Response:
        """Answer an incoming call; 403 for a wrong signature, 404 for an unknown provider, line or number."""
        return await self._respond(request, self._answer if self._traces is None else self._answer_traced)

    async def status(self, request: web.Request) -> web.Response:
        """Note the states of calls; end a call that its provider reports as over, if its stream has not ended it."""
        return await self._respond(request, self._note_status)

    async def _respond(self, request: web.Request, act: "Act") -> web.Response:
        name = request.match_info["provider"]
        provider = self._providers.get(name)
        if provider is None:
            return self._refusals.response("webhook", unserved(name, self._providers), request)
        webhook = await self._read(request)
        outcome: Answer | Refused
        if isinstance(webhook, Refused):
            outcome = webhook
        else:
            outcome = await self._verified(provider, webhook, request.match_info.get("line", ""), act)
        if isinstance(outcome, Refused):
            return self._refusals.response("webhook", outcome, request, provider=name)
        return web.Response(text=outcome.body, content_type=outcome.content_type, status=outcome.status)

    async def _answer_traced(
        self, provider: Provider, webhooks: ProviderWebhooks, webhook: WebhookRequest, line_name: str
    ) -> Answer | Refused:
        assert self._traces is not None  # noqa: S101 -- for mypy
        with self._traces.webhook(provider.name, webhook.headers):
            return await self._answer(provider, webhooks, webhook, line_name)

    async def _answer(
        self, provider: Provider, webhooks: ProviderWebhooks, webhook: WebhookRequest, line_name: str
    ) -> Answer | Refused:
        try:
            incoming = webhooks.incoming(webhook)
            if isinstance(incoming, Answer):
                await self._take_statuses(provider, webhooks, webhook, line_name)
                return await self._carry_out(provider, incoming)
            if incoming.call_id:
                checked(incoming.call_id)
            if isinstance(incoming, StreamEnded):
                await self._take_statuses(provider, webhooks, webhook, line_name)
                return self._follow(provider, incoming, line_name)
            line = self._lines.find(line_name, incoming.called, provider.name)
            if line is None:
                is_ours = not webhook.field("Direction").startswith("outbound")  # as Twilio and its likes say
                return unknown_line(line_name, incoming.called, self._lines.region(provider.name), is_ours=is_ours)
            caller = caller_of(incoming.caller, incoming.called, line, self._lines.region(provider.name))
            reason = self._admission.take((provider.name, incoming.call_id), line, caller)
            if reason is not None:
                return await self._turn_away(provider, webhooks, incoming, line, reason)
            return await self._connected(provider, webhooks, incoming, line)
        except WireError as error:
            return Refused(Refusal.NOT_A_CALL, str(error), text=str(error))

    async def _connected(
        self, provider: Provider, webhooks: ProviderWebhooks, call: IncomingCall, line: Line
    ) -> Answer | Refused:
        """Answer a call that has a place; release the place if that fails."""
        answered: Answer | Refused | None = None
        try:
            answer = webhooks.answer(call, self._connect(provider, call, line))
            answered = await self._carry_out(provider, answer)
        finally:
            if not isinstance(answered, Answer):
                self._admission.cancel((provider.name, call.call_id))
        if isinstance(answered, Answer):
            region = self._lines.region(provider.name)
            self._ahead.open((provider.name, call.call_id), line, call, region, answered.audio_format)
            log.info("call_answered", provider=provider.name, call=call.call_id, line=line.name)
        return answered

    async def _turn_away(
        self, provider: Provider, webhooks: ProviderWebhooks, call: IncomingCall, line: Line, reason: Refusal
    ) -> Answer | Refused:
        """Answer a call for which there is no room, as ``when_full`` says."""
        plan = plan_for(line, self._when_full, provider.traits, reason)
        left_s = self._wait_left_s(provider, call, plan) if plan.wait_s else None
        url = f"{self._call_url(provider, line)}?{WAITING}={left_s or plan.wait_s:.0f}"
        answer, given = answered(webhooks, call, plan, left_s=left_s, ask_again_url=url)
        self._metrics.turned_away(given.value)
        if given is not Given.WAIT:  # who waits may still get the call
            key, region = (provider.name, call.call_id), self._lines.region(provider.name)
            self._turned_away(turned_away(key, call.caller, call.called, line, region, reason))
        if left_s is None or given is not Given.WAIT:
            refused = Refused(reason, f"no room on line {line.name}", fields={"given": given.value})
            self._refusals.note("webhook", refused, provider=provider.name, call=call.call_id)
        return await self._carry_out(provider, answer)

    def _wait_left_s(self, provider: Provider, call: IncomingCall, plan: FullPlan) -> float | None:
        """Return how long a caller may go on waiting; ``None`` for one who begins to wait now."""
        waiting = f"waiting {provider.name} {call.call_id}"
        if self._used.use(waiting, plan.wait_s + WAITED_S):
            return None
        return max(0.0, self._used.left_s(waiting) - WAITED_S)

    def _follow(self, provider: Provider, ended: StreamEnded, line_name: str) -> Answer:
        """Answer with what follows a stream, by how the call ended; with nothing if its line is gone."""
        line = self._lines.find(line_name, ended.called, provider.name)
        end = self._outcomes.find((provider.name, ended.call_id))
        after = what_follows(line, end, datetime.now(UTC)) if line else After()
        whose = {"provider": provider.name, "call": ended.call_id, "line": line.name if line else ""}
        follows = {"says": bool(after.say), "transfers": bool(after.transfer)}
        log.info("stream_followed", **whose, reason=end or "unknown", **follows)
        return ended.answer(after)

    async def _note_status(
        self, provider: Provider, webhooks: ProviderWebhooks, webhook: WebhookRequest, line_name: str
    ) -> Answer:
        await self._take_statuses(provider, webhooks, webhook, line_name)
        return Answer(status=204)

    async def _take_statuses(
        self, provider: Provider, webhooks: ProviderWebhooks, webhook: WebhookRequest, line_name: str
    ) -> None:
        try:
            statuses = webhooks.status(webhook)
            for status in statuses:
                checked(status.call_id)
        except WireError as error:
            log.info("status_unread", provider=provider.name, detail=str(error))
            return
        for status in statuses:
            await self._take_status(provider, status, line_name)

    async def _take_status(self, provider: Provider, status: CallStatus, line_name: str) -> None:
        word, ended = status.status[:SHOWN_LENGTH], False
        keys = [(provider.name, call_id) for call_id in (status.call_id, status.answered_as) if call_id]
        expected = None
        if status.ended or status.stream_failed:
            expected = next(filter(None, [self._admission.cancel(key) for key in keys]), None)
        if status.ended:
            for key in keys:
                note_over(self._used, *key)
                self._ahead.drop(key, Outcome.CALL_OVER)
            ended = self._calls.reported_over(keys[0], f"{provider.name} says {word}")
        log.info("call_status", provider=provider.name, call=status.call_id, status=word, ended_here=ended)
        if status.stream_failed and all(note_stream(self._used, *key) for key in keys):
            log.warning("stream_failed", provider=provider.name, call=status.call_id, status=word)
            line = expected.line if expected else line_name
            await self._strand(KnownCall(provider.name, status.call_id, line))
        if status.transfer_failed:
            await self._take_back(provider, keys[0], f"{provider.name} says {word}")

    async def _take_back(self, provider: Provider, key: CallKey, detail: str) -> None:
        """Resume a call whose transfer failed; end one that has left its stream for the transfer."""
        if self._calls.transfer_failed(key, detail) or self._outcomes.find(key) is not EndReason.TRANSFERRED:
            return
        if provider.commands is None:
            return
        try:
            await self._control.perform(described(provider.commands.hang_up, key[1]))
        except CallControlError as error:
            self._metrics.call_control_failures.labels(provider.name).inc()
            log.error("call_control_failed", provider=provider.name, detail=str(error), answer=error.answer)

    def _connect(self, provider: Provider, call: IncomingCall, line: Line) -> Connect:
        traceparent = self._traces.traceparent() if self._traces is not None else ""
        grant = Grant(line.name, call.call_id, call.caller[:LONGEST], call.called[:LONGEST], traceparent)
        token = self._tokens.issue(provider.name, grant, time.time())
        streams = self._public_url.replace("http", "ws", 1) + f"/stream/{provider.name}"
        call_url = self._call_url(provider, line)
        now = datetime.now(UTC)
        asks = may_follow(line) and not goes_on_by_itself(provider, line, now)
        return Connect(
            stream_url=f"{streams}/{segment(line.name)}/{token}",
            token=token,
            on_failure=what_follows(line, None, now),
            then_url=then_url(self._public_url, provider.name, line.name) if asks else "",
            callback_url=f"{self._public_url}/status/{provider.name}",
            call_url=call_url,
        )

    def _call_url(self, provider: Provider, line: Line) -> str:
        return f"{self._public_url}/answer/{provider.name}/{segment(line.name)}"

    async def _carry_out(self, provider: Provider, answer: Answer | Steps[Answer]) -> Answer | Refused:
        """Make the requests that an answer needs; return it. Where one is refused, make those for that case."""
        otherwise: Requests = ()
        try:
            if isinstance(answer, Generator):
                answer = await self._control.follow(answer)
            otherwise = answer.otherwise
            await self._control.perform(answer.requests)
        except CallControlError as error:
            self._metrics.call_control_failures.labels(provider.name).inc()
            log.error("call_control_failed", provider=provider.name, detail=str(error), answer=error.answer)
            if error.refused and otherwise:
                return await self._carry_out(provider, Answer(requests=otherwise))
            return Refused(Refusal.PROVIDER_REFUSED, str(error))
        return answer

    async def _verified(
        self, provider: Provider, webhook: WebhookRequest, line_name: str, act: "Act"
    ) -> Answer | Refused:
        now_s, webhooks = time.time(), provider.webhooks
        try:
            if not self._public_url:
                raise SignatureError("public_url is not set")
            if webhooks is None:
                raise SignatureError(f"{provider.traits.title} sends no webhooks: it opens the stream by itself")
            verify = partial(webhooks.verify, webhook, now_s)
            key = await self._published_keys.checked(provider, webhook.headers, verify)
        except SignatureError as error:
            url = webhook.url.partition("?")[0]  # without the query, which has numbers and secrets
            if self._tapes is not None:
                self._tapes.refused_webhook(provider, webhook, str(error))
            return Refused(Refusal.BAD_SIGNATURE, str(error), fields={"url": url})
        take = partial(act, provider, webhooks, webhook, line_name)
        taking = self._repeats.once(provider.name, webhook, key, now_s, take)
        if self._tapes is None:
            return await taking
        with self._tapes.webhook(provider, webhook) as answered:
            outcome = await taking
            if isinstance(outcome, Answer):
                answered(outcome, "")
            else:
                answered(None, outcome.detail or outcome.reason.value)
            return outcome

    async def _read(self, request: web.Request) -> WebhookRequest | Refused:
        body = await _body(request)
        if isinstance(body, Refused):
            return body
        form = []
        try:
            if request.content_type == "application/x-www-form-urlencoded":
                form = _fields(body.decode("utf-8"))
            query = _fields(request.rel_url.raw_query_string)
        except UnicodeDecodeError as error:
            return Refused(Refusal.NOT_A_FORM, f"byte {error.start} of the body is {body[error.start]:#04x}: not UTF-8")
        except ValueError:
            return Refused(Refusal.TOO_MANY_FIELDS, f"more than {FIELDS_LIMIT} fields")
        return WebhookRequest(
            method=request.method,
            url=requested_url(self._public_url, request),
            headers={name.lower(): value for name, value in request.headers.items()},
            form=form,
            body=body,
            query=query,
        )


Act = Callable[[Provider, ProviderWebhooks, WebhookRequest, str], Awaitable[Answer | Refused]]
"""Handles a verified webhook; the text is the line's name in the address, if there is one."""


def _fields(text: str) -> list[tuple[str, str]]:
    return parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_LIMIT)


async def _body(request: web.Request) -> bytes | Refused:
    """Return the whole body, which may come in many pieces; it is bounded in size and time."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            while len(body) <= BODY_LIMIT and (piece := await request.content.readany()):
                body += piece
    except TimeoutError:
        return Refused(Refusal.TOO_SLOW, f"{len(body)} bytes of the body in {BODY_TIMEOUT_S:g} s")
    except (ConnectionError, web.RequestPayloadError, aiohttp.ClientPayloadError) as error:
        return Refused(Refusal.CUT_OFF, f"{len(body)} bytes of the body, then {type(error).__name__}")
    if len(body) > BODY_LIMIT:
        return Refused(Refusal.TOO_LARGE, f"more than {BODY_LIMIT} bytes")
    return bytes(body)
