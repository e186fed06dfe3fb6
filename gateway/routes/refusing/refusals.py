"""Turns requests away: each refusal of a webhook, a stream or another request is answered, logged and counted."""

import asyncio
import math
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Self

import structlog
from aiohttp import HttpVersion11, hdrs, web
from msgspec import Struct
from multidict import CIMultiDictProxy

from gateway.call.metrics import Metrics
from gateway.call.refusal import Refusal
from gateway.routes.refusing.flood import Flood

log = structlog.get_logger()

SHOWN_PARTS, SHOWN_PARTS_OF_WEBHOOK = 2, 3
"""Parts of a path that are logged: the parts after a stream's provider, or a webhook's line, may be secret."""
SHOWN_LENGTH = 120
WATCHED = ("/healthz", "/readyz", "/metrics")
ROUTES = "/answer/<provider>[/<line>], /status/<provider> and /stream/<provider>[/<line>[/<token>]]"

_PROOF = re.compile(
    r"authorization|signature|token|nonce|timestamp|secret|key|digest|^host$|^content-|^audiohook-|^x-ms-call-",
    re.IGNORECASE,
)
"""Headers that identify the sender, the content or the call: one that comes twice is ambiguous and proves nothing."""


class Refused(Struct, frozen=True):
    """A request that is turned away. ``detail`` and ``fields`` are for the log alone.

    ``text`` and ``hint`` replace those of ``KINDS`` for the reason.
    """

    reason: Refusal
    detail: str = ""
    text: str = ""
    hint: str = ""
    fields: Mapping[str, object] = {}


class Kind(Struct, frozen=True):
    """The consequences of a reason: the status and text for the peer, and the hint for the operator in the log."""

    status: int
    text: str
    hint: str


KINDS: Mapping[Refusal, Kind] = {
    Refusal.UNKNOWN_PATH: Kind(404, "not found", f"addresses of this gateway are {ROUTES}"),
    Refusal.WRONG_METHOD: Kind(405, "method not allowed", "set the webhook's method to POST or GET at the provider"),
    Refusal.MALFORMED: Kind(
        400, "bad request", "it is no proper HTTP: a scanner, TLS on a plain port, or a proxy's fault"
    ),
    Refusal.CROWDED: Kind(
        503, "no more connections at the moment", "raise limits.connections, or the limit of open files"
    ),
    Refusal.REPEATED_HEADER: Kind(400, "bad request", "a proof must stand in one header: look at the proxy in front"),
    Refusal.ENCODED_BODY: Kind(415, "unsupported media type", "no provider compresses its webhooks: look at the proxy"),
    Refusal.BAD_EXPECTATION: Kind(417, "expectation failed", "only Expect: 100-continue is understood"),
    Refusal.UNKNOWN_PROVIDER: Kind(404, "no such provider here", "name it under providers in gateway.yaml"),
    Refusal.UNKNOWN_LINE: Kind(
        404, "no such line here", "the last part of the address must be the name of a line's file"
    ),
    Refusal.UNKNOWN_NUMBER: Kind(404, "no such line here", "add the called number to the numbers of a line, or '*'"),
    Refusal.BAD_SIGNATURE: Kind(
        403, "forbidden", "check the provider's secret, and that public_url is the address that the provider was given"
    ),
    Refusal.REPLAYED: Kind(
        403, "forbidden", "somebody sends a recorded request again, or the provider repeats one that was answered"
    ),
    Refusal.NOT_A_FORM: Kind(400, "not a form", "a form must be UTF-8, percent-encoded"),
    Refusal.TOO_MANY_FIELDS: Kind(400, "not a form", "send fewer parameters with the webhook"),
    Refusal.NOT_A_CALL: Kind(400, "not a call", "check that the address belongs to this provider's voice webhook"),
    Refusal.TOO_LARGE: Kind(413, "too large", "no provider's webhook is as large as this"),
    Refusal.TOO_SLOW: Kind(408, "too slow", "the body did not come in time: look at the proxy in front"),
    Refusal.CUT_OFF: Kind(400, "cut off", "the connection ended within the body: look at the proxy in front"),
    Refusal.PROVIDER_REFUSED: Kind(502, "the provider refused", "detail has what the provider's REST API said"),
    Refusal.NO_UPGRADE: Kind(
        426, "this is a WebSocket", "this is the stream's address; the webhook's is /answer/<provider>"
    ),
    Refusal.BAD_HANDSHAKE: Kind(
        400, "not a WebSocket handshake", "look at the proxy in front: it must pass on upgrades"
    ),
    Refusal.UNAUTHORIZED: Kind(
        403, "forbidden", "a stream needs the token of an answered call, the stream_secret, or the provider's signature"
    ),
    Refusal.FULL: Kind(503, "no more calls at the moment", "raise limits.calls, unless it is auto, or add workers"),
    Refusal.LINE_FULL: Kind(503, "the line is busy", "raise limits.calls of the line"),
    Refusal.LINE_RATE: Kind(503, "the line is busy", "raise limits.calls_per_hour of the line"),
    Refusal.CALLER_FULL: Kind(503, "the line is busy", "one caller has limits.caller_calls calls on the line"),
    Refusal.CALLER_RATE: Kind(503, "the line is busy", "one caller had limits.caller_calls_per_hour calls in an hour"),
    Refusal.VOICE_FULL: Kind(
        503, "no more calls at the moment", "raise the quota in Azure, then its limits, or add an entry of endpoints"
    ),
    Refusal.VOICE_UNREACHABLE: Kind(
        503, "no more calls at the moment", "no Voice Live endpoint can be reached: /readyz and gateway doctor say why"
    ),
    Refusal.DRAINING: Kind(503, "the gateway stops", "calls are sent here while the gateway stops: ask /readyz"),
    Refusal.BAD_START: Kind(
        400, "bad start", "the stream's first messages are not this provider's, or in another format"
    ),
    Refusal.NO_START: Kind(408, "no start", "the stream was opened and never began: look at limits.start_timeout_s"),
    Refusal.CLOSED_BEFORE_START: Kind(400, "closed", "the caller hung up at once, or the provider gave up"),
    Refusal.SHUT_DOWN: Kind(503, "the gateway stops", "calls are sent here while the gateway stops: ask /readyz"),
}
"""The consequences of each reason for the peer and for the operator."""


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Refusals:
    """Answers, logs and counts refusals. It returns responses and never raises them: an exception costs more."""

    def __init__(
        self, metrics: Metrics, public_path: str = "", observe: Callable[[Refused, str], None] | None = None
    ) -> None:
        """``public_path`` is the path of ``public_url``, which a proxy in front has to remove.

        ``observe`` is called with each refusal and the hint that is logged with it.
        """
        self._metrics = metrics
        self._observe = observe
        self._flood: Flood[tuple[str, Refusal]] = Flood()
        self._timer: asyncio.TimerHandle | None = None
        self._public_path = public_path

    def note(self, what: str, refused: Refused, **fields: object) -> None:
        """Count a refusal of a ``webhook``, a ``stream`` or a ``request``; log it unless it is part of a flood."""
        self._metrics.refused(refused.reason)
        hint = refused.hint or KINDS[refused.reason].hint
        known = {**fields, **refused.fields, "detail": refused.detail, "hint": hint}
        if self._observe is not None:
            self._observe(refused, hint)
        if not self._flood.admits((what, refused.reason), _now()):
            self._await_period()
            return
        match what:
            case "webhook":
                log.warning("webhook_refused", reason=refused.reason.value, **known)
            case "stream":
                log.warning("stream_refused", reason=refused.reason.value, **known)
            case _:
                log.warning("request_refused", reason=refused.reason.value, **known)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Log the count of refusals that were left out, once no more can come."""
        if self._timer is not None:
            self._timer.cancel()
        self._tell_left_out(math.inf)

    def _await_period(self) -> None:
        """Log the count of what was left out when its period is over, even if no other refusal comes."""
        due = self._flood.next_deadline()
        if self._timer is None and due is not None:
            delay_s = max(0.0, due - _now())
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._period_over)

    def _period_over(self) -> None:
        self._timer = None
        self._tell_left_out(_now())
        self._await_period()

    def _tell_left_out(self, now: float) -> None:
        for (what, reason), count in self._flood.left_out(now):
            log.warning("refusals_left_out", what=what, reason=reason.value, count=count)

    def response(self, what: str, refused: Refused, request: web.Request, **fields: object) -> web.Response:
        """Return the answer to a request that is refused, after noting the refusal."""
        self.note(what, refused, method=request.method, path=shown(request.raw_path), **fields)
        kind = KINDS[refused.reason]
        return web.Response(status=kind.status, text=f"{refused.text or kind.text}\n")

    @web.middleware
    async def doubted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse a request that could be read in two ways; pass all others on to their handler."""
        doubtful = _doubtful(request.headers)
        return await handler(request) if doubtful is None else self.response(_kind(request), doubtful, request)

    def unrouted(self, request: web.Request, methods: set[str]) -> web.Response:
        """Refuse a request that no route takes; ``methods`` are those that its path takes, if any."""
        what = _kind(request)
        if not methods:
            return self.response(what, Refused(Refusal.UNKNOWN_PATH, hint=self._hint(request.path)), request)
        hint = "" if what == "webhook" else f"expected {' or '.join(sorted(methods))}"
        response = self.response(what, Refused(Refusal.WRONG_METHOD, hint=hint), request)
        response.headers[hdrs.ALLOW] = ",".join(sorted(methods))
        return response

    async def expect(self, request: web.Request) -> web.Response | None:
        """Answer an ``Expect`` header (RFC 9110 §10.1.1) before the body is read."""
        if request.version < HttpVersion11:
            return None
        if request.headers[hdrs.EXPECT].lower() != "100-continue":
            return self.response("request", Refused(Refusal.BAD_EXPECTATION), request)
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
        return None

    def _hint(self, path: str) -> str:
        """Return what is wrong with a path that is nearly right."""
        if path in WATCHED:
            return "health and metrics have a listener of their own here: listen.private, or --private"
        if "//" in path:
            return f"the path has a doubled slash: look for a slash at the end of the address; {ROUTES}"
        if self._public_path and path.startswith(f"{self._public_path}/"):
            return f"the proxy in front passes on {self._public_path} of public_url: it must take it away"
        return ""


def _kind(request: web.Request) -> str:
    """Return the kind of a request by the beginning of its path."""
    first = request.path.lstrip("/").partition("/")[0]
    return {"answer": "webhook", "status": "webhook", "stream": "stream"}.get(first, "request")


def _doubtful(headers: CIMultiDictProxy[str]) -> Refused | None:
    """Return the refusal of a request whose proof is ambiguous to two parsers, or whose body is compressed."""
    repeated = next((name for name in headers if _PROOF.search(name) and len(headers.getall(name)) > 1), "")
    if repeated:
        return Refused(Refusal.REPEATED_HEADER, f"the header {repeated.lower()[:40]} is repeated")
    encoding = headers.get(hdrs.CONTENT_ENCODING, "").strip().lower()
    if encoding not in ("", "identity"):
        return Refused(Refusal.ENCODED_BODY, f"Content-Encoding {encoding[:20]!r}, expected none")
    return None


def _now() -> float:
    return asyncio.get_running_loop().time()


def unserved(name: str, served: Collection[str]) -> Refused:
    """Return the refusal of a request for a provider that ``gateway.yaml`` does not name."""
    names = ", ".join(served) or "none"
    return Refused(
        Refusal.UNKNOWN_PROVIDER,
        f"{name[:40]!r} is not served",
        hint=f"name it under providers in gateway.yaml; served are {names}",
    )


def shown(target: str) -> str:
    """Return the beginning of a request's target, without query, token and secret."""
    path = target.partition("?")[0]
    parts = path.split("/")[1:]
    most = SHOWN_PARTS_OF_WEBHOOK if parts[0:1] in (["answer"], ["status"]) else SHOWN_PARTS
    short = "/".join(["", *parts[:most], "…"]) if any(parts[most:]) else path
    return short[:SHOWN_LENGTH]
