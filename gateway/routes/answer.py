"""``/answer/{provider}[/{line}]`` and ``/status/{provider}``: the providers' webhooks, verified."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote

import structlog
from aiohttp import web

from gateway.call.calls import Calls
from gateway.call.metrics import Metrics
from gateway.call.refusal import Refusal
from gateway.config import Line
from gateway.errors import WireError
from gateway.phone.provider import (
    After,
    Answer,
    CallStatus,
    Connect,
    Grant,
    IncomingCall,
    Provider,
    SignatureError,
    WebhookRequest,
)
from gateway.phone.token import StreamTokens
from gateway.rest import CallControl, CallControlError
from gateway.routes.line_book import LineBook
from gateway.routes.published_keys import PublishedKeys

log = structlog.get_logger()

BODY_LIMIT = 64 * 1024
"""Bytes of a webhook; the largest seen are a few kilobytes."""
FIELDS_LIMIT = 200
REPLAY_WINDOW_S = 900.0
"""How long a nonce is remembered: longer than any provider's own time window."""
REPLAYS_LIMIT = 100_000
BODY_TIMEOUT_S = 5.0


class Webhooks:
    """Answers incoming-call webhooks with what connects the call to its stream.

    Signatures are checked against ``public_url``, never against what a proxy's header claims. Whoever is refused
    learns nothing; the reason is in the log.
    """

    def __init__(
        self,
        *,
        providers: Mapping[str, Provider],
        public_url: str,
        lines: LineBook,
        calls: Calls,
        tokens: StreamTokens,
        published_keys: PublishedKeys,
        control: CallControl,
        metrics: Metrics,
    ) -> None:
        self._providers = providers
        self._public_url = public_url
        self._lines = lines
        self._calls = calls
        self._tokens = tokens
        self._published_keys = published_keys
        self._control = control
        self._metrics = metrics
        self._seen: OrderedDict[str, float] = OrderedDict()

    async def answer(self, request: web.Request) -> web.Response:
        """Answer an incoming call; 403 for a wrong signature, 404 for an unknown provider, line or number."""
        provider, webhook, seen = await self._verified(request)
        try:
            incoming = provider.incoming(webhook)
            if isinstance(incoming, Answer):
                self._take_statuses(provider, webhook)
                return await self._reply(provider, incoming, seen)
            line = await self._line(request.match_info.get("line", ""), incoming.called)
            document = provider.answer(incoming, self._connect(provider, incoming, line))
        except WireError as error:
            self._metrics.refused(Refusal.NOT_A_CALL)
            log.warning("webhook_refused", reason=Refusal.NOT_A_CALL.value, provider=provider.name, detail=str(error))
            raise web.HTTPBadRequest(text=f"{error}\n") from None
        log.info("call_answered", provider=provider.name, call=incoming.call_id, line=line.name)
        return await self._reply(provider, document, seen)

    async def status(self, request: web.Request) -> web.Response:
        """Take note of calls' states; one that its provider reports as over ends, if its stream has not ended it."""
        provider, webhook, _ = await self._verified(request)
        self._take_statuses(provider, webhook)
        return web.Response(status=204)

    def _take_statuses(self, provider: Provider, webhook: WebhookRequest) -> None:
        try:
            statuses = provider.status(webhook)
        except WireError as error:
            log.info("status_unread", provider=provider.name, detail=str(error))
            return
        for status in statuses:
            self._take_status(provider, status)

    def _take_status(self, provider: Provider, status: CallStatus) -> None:
        ended = status.ended and self._calls.reported_over(
            (provider.name, status.call_id), f"{provider.name} says {status.status}"
        )
        log.info("call_status", provider=provider.name, call=status.call_id, status=status.status, ended_here=ended)

    async def _line(self, name: str, called: str) -> Line:
        line = await self._lines.find(name, called)
        if line is None:
            reason = Refusal.UNKNOWN_LINE if name else Refusal.UNKNOWN_NUMBER
            self._metrics.refused(reason)
            log.warning("webhook_refused", reason=reason.value, called=called)
            raise web.HTTPNotFound(text="no such line here\n")
        return line

    def _connect(self, provider: Provider, call: IncomingCall, line: Line) -> Connect:
        grant = Grant(line.name, call.call_id, call.caller, call.called)
        token = self._tokens.issue(provider.name, grant, time.time())
        streams = self._public_url.replace("http", "ws", 1) + f"/stream/{provider.name}"
        return Connect(
            stream_url=f"{streams}/{quote(line.name, safe='')}/{token}",
            after=after_of(line, datetime.now(UTC)),
            callback_url=f"{self._public_url}/status/{provider.name}",
            call_url=f"{self._public_url}/answer/{provider.name}/{quote(line.name, safe='')}",
        )

    async def _reply(self, provider: Provider, answer: Answer, seen: str) -> web.Response:
        try:
            await self._control.perform(answer.requests)
        except CallControlError as error:
            self._seen.pop(seen, None)  # the provider asks again, and shall be heard
            self._metrics.call_control_failures.labels(provider.name).inc()
            log.error("call_control_failed", provider=provider.name, detail=str(error))
            raise web.HTTPBadGateway(text="the provider refused\n") from None
        return web.Response(text=answer.body, content_type=answer.content_type, status=answer.status)

    async def _verified(self, request: web.Request) -> tuple[Provider, WebhookRequest, str]:
        provider = self._providers.get(request.match_info["provider"])
        if provider is None:
            raise web.HTTPNotFound(text="no such provider here\n")
        webhook = await self._read(request)
        await self._published_keys.fetch_for(provider)
        now_s = time.time()
        try:
            if not self._public_url:
                raise SignatureError("public_url is not set")
            nonce = provider.verify(webhook, now_s)
            seen = f"{provider.name} {nonce}" if nonce else ""
            if seen and self._is_replay(seen, now_s):
                raise SignatureError("the same request came before")
        except SignatureError as error:
            self._metrics.refused(Refusal.BAD_SIGNATURE)
            url = webhook.url.partition("?")[0]  # without the query, where numbers and secrets are
            log.warning(
                "webhook_refused",
                reason=Refusal.BAD_SIGNATURE.value,
                provider=provider.name,
                url=url,
                detail=str(error),
            )
            raise web.HTTPForbidden(text="forbidden\n") from None
        return provider, webhook, seen

    def _is_replay(self, key: str, now_s: float) -> bool:
        while self._seen and (
            next(iter(self._seen.values())) < now_s - REPLAY_WINDOW_S or len(self._seen) >= REPLAYS_LIMIT
        ):
            self._seen.popitem(last=False)
        if key in self._seen:
            return True
        self._seen[key] = now_s
        return False

    async def _read(self, request: web.Request) -> WebhookRequest:
        body = await _body(request)
        form = []
        try:
            if request.content_type == "application/x-www-form-urlencoded":
                form = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=FIELDS_LIMIT)
            query = parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True, max_num_fields=FIELDS_LIMIT)
        except ValueError:
            raise web.HTTPBadRequest(text="not a form\n") from None
        return WebhookRequest(
            method=request.method,
            url=self._public_url + request.raw_path,
            headers={name.lower(): value for name, value in request.headers.items()},
            form=form,
            body=body,
            query=query,
        )


def after_of(line: Line, now: datetime) -> After:
    """What the line wants to follow the stream: nothing, where it is closed ``now`` and says so itself."""
    settings = line.settings
    after = settings.after
    if after is None or (settings.hours is not None and not settings.hours.is_open(now, settings.timezone)):
        return After()
    return After(say=after.say or "", language=line.settings.language or "", transfer=after.transfer or "")


async def _body(request: web.Request) -> bytes:
    """The whole body, in however many pieces it comes; bounded in size and time."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            while len(body) <= BODY_LIMIT and (piece := await request.content.readany()):
                body += piece
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="too slow\n") from None
    except ConnectionError:
        raise web.HTTPBadRequest(text="cut off\n") from None
    if len(body) > BODY_LIMIT:
        raise web.HTTPRequestEntityTooLarge(max_size=BODY_LIMIT, actual_size=len(body), text="too large\n")
    return bytes(body)
