"""``POST /answer/{provider}[/{line}]`` and ``POST /status/{provider}``: the provider's webhooks, verified."""

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qsl

import structlog
from aiohttp import web

from gateway.call.metrics import Metrics
from gateway.errors import WireError
from gateway.phone.provider import WebhookProvider, WebhookRequest
from gateway.routes.line_book import LineBook

log = structlog.get_logger()

BODY_LIMIT = 64 * 1024
"""Bytes of a webhook; the largest seen are a few kilobytes."""
BODY_TIMEOUT_S = 5.0


class Webhooks:
    """Answers incoming-call webhooks with the document that connects the call to its media stream.

    ``secrets`` maps a provider to what its signature is made with; without one, its webhooks are refused. Signatures
    are checked against ``public_url``, never against what a proxy's header claims.
    """

    def __init__(
        self,
        *,
        providers: Mapping[str, WebhookProvider],
        secrets: Mapping[str, str],
        public_url: str,
        lines: LineBook,
        metrics: Metrics,
    ) -> None:
        self._providers = providers
        self._secrets = secrets
        self._public_url = public_url
        self._lines = lines
        self._metrics = metrics

    async def answer(self, request: web.Request) -> web.Response:
        """Answer an incoming call; 404 for an unknown provider or line, 403 for a wrong signature."""
        provider, webhook = await self._verified(request)
        line = request.match_info.get("line", "")
        if line and await self._lines.find(line) is None:
            raise web.HTTPNotFound(text="no such line here\n")
        path = f"/stream/{provider.name}" + (f"/{line}" if line else "")
        stream_url = self._public_url.replace("http", "ws", 1) + path
        try:
            document = provider.answer(webhook, stream_url)
        except WireError as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from None
        return web.Response(text=document.body, content_type=document.content_type)

    async def status(self, request: web.Request) -> web.Response:
        """Take note of a call's status; the stream itself ends calls."""
        _, webhook = await self._verified(request)
        log.info("call_status", call=webhook.field("CallSid"), status=webhook.field("CallStatus"))
        return web.Response(status=204)

    async def _verified(self, request: web.Request) -> tuple[WebhookProvider, WebhookRequest]:
        provider = self._providers.get(request.match_info["provider"])
        if provider is None:
            raise web.HTTPNotFound(text="no such provider here\n")
        webhook = await self._read(request)
        secret = self._secrets.get(provider.name)
        if not secret or not provider.verify(webhook, secret):
            reason = "bad_signature" if secret else "no_secret"
            self._metrics.calls_refused.labels(reason).inc()
            log.warning("webhook_refused", reason=reason, url=webhook.url, provider=provider.name)
            raise web.HTTPForbidden(text="forbidden\n")
        return provider, webhook

    async def _read(self, request: web.Request) -> WebhookRequest:
        body = await _body(request)
        form = []
        if request.content_type == "application/x-www-form-urlencoded":
            try:
                form = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=200)
            except ValueError:
                raise web.HTTPBadRequest(text="not a form\n") from None
        return WebhookRequest(
            method=request.method,
            url=self._public_url + request.raw_path,
            headers={name.lower(): value for name, value in request.headers.items()},
            form=form,
            body=body,
        )


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
