"""Limits the connections of a listener: their number, and the size and time of each one's request heads."""

import asyncio
import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

import structlog
from aiohttp import hdrs, web
from aiohttp.web_protocol import RequestHandler
from prometheus_client import Gauge

from gateway.call.refusal import Refusal
from gateway.network.descriptors import OF_A_CALL
from gateway.routes.refusing.refusals import Refused

log = structlog.get_logger()

HEAD_LIMIT = 32 * 1024
"""Most bytes of a request's line and headers together."""
HEAD_TIMEOUT_S = 10.0
"""Longest time from a connection's start to the end of its first head, and from first to last byte of a later one."""
HEADERS_LIMIT = 100
SWITCHING = 101
"""The status of an upgrade to a WebSocket (RFC 9110 §15.2.2)."""
_BARE = "HTTP/1.1 {} {}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_SLOW_HINT = "the head of a request did not come in time: somebody holds connections open, or a proxy opens them early"
_LARGE_HINT = "no provider's request has so many or so long headers: look at the proxy in front"


class Connections:
    """Counts connections, and closes idle ones when there is no room for new ones.

    At most ``limit`` connections without a call are open. ``descriptors`` bounds them and the calls together. One more
    replaces the connection that has sent no request, or has not read its answer, for longest.
    """

    def __init__(
        self,
        limit: int,
        descriptors: int | None,
        note: Callable[[str, Refused], None],
        gauge: Gauge | None = None,
    ) -> None:
        self.limit = limit
        self.close_after_answers = False
        """``True`` if no connection is to bring a further request."""
        self._descriptors = descriptors
        self._gauge = gauge
        self._note = note
        self._open: dict[_Connection, None] = {}
        """Connections that carry no call, the one that has been idle for longest first."""
        self._streams: set[_Connection] = set()

    def admits(self, connection: "_Connection") -> bool:
        """Return ``True`` if a new connection is taken; where there is no room, close an idle one for it."""
        is_crowded = self._is_crowded()
        if is_crowded:
            idle = next((each for each in self._open if each.is_waiting or each.writing_paused), None)
            count = len(self._open) + len(self._streams)
            what = "the one that was idle for longest" if idle is not None else "a new one"
            hint = (
                "somebody holds connections open, or limits.connections is too low"
                if len(self._open) >= self.limit
                else "raise the limit of open files (ulimit -n, LimitNOFILE)"
            )
            self.refused(Refused(Refusal.CROWDED, f"{count} connections are open: {what} was closed", hint=hint))
            if idle is None:
                return False
            idle.drop()
        self._open[connection] = None
        self._count()
        return True

    def active(self, connection: "_Connection") -> None:
        """Note that a connection has sent a request."""
        if connection in self._open:
            del self._open[connection]
            self._open[connection] = None

    def upgraded(self, connection: "_Connection") -> None:
        """Note that a connection carries a stream from now on."""
        if connection in self._open:
            del self._open[connection]
            self._count()
            self._streams.add(connection)

    def gone(self, connection: "_Connection") -> None:
        """Note that a connection is closed."""
        if connection in self._open:
            del self._open[connection]
            self._count()
        self._streams.discard(connection)

    def refused(self, refused: Refused) -> None:
        """Note the refusal of a connection that was closed for it."""
        self._note("request", refused)

    def _count(self) -> None:
        if self._gauge is not None:
            self._gauge.set(len(self._open))

    def _is_crowded(self) -> bool:
        if len(self._open) >= self.limit:
            return True
        return self._descriptors is not None and (len(self._open) + OF_A_CALL * len(self._streams) >= self._descriptors)


PRIVATE_NAMES = {
    web.AppRunner: ("_make_server",),
    web.Server: ("_kwargs", "_loop"),
    RequestHandler: ("_request_count", "_waiter", "_loop"),
}
"""aiohttp's private names without which connections are not bounded."""


@cache
def lack_of_names() -> str:
    """Return the first private name that the installed aiohttp lacks; empty where it has all."""
    for kind, names in PRIVATE_NAMES.items():
        known = inspect.getsource(kind)
        for name in names:
            if name not in known:
                return f"aiohttp's {kind.__name__} has no {name}"
    return ""


class BoundedRunner(web.AppRunner):
    """Serves an application on connections that are bounded; see ``Connections``.

    Where aiohttp lacks the private names for it, connections are served as aiohttp does, and the log says so.
    """

    __slots__ = ("_connections",)

    def __init__(self, app: web.Application, connections: Connections, **settings: Any) -> None:
        super().__init__(app, access_log=None, auto_decompress=False, max_headers=HEADERS_LIMIT, **settings)
        self._connections = connections
        app.on_response_prepare.append(self._as_a_last_answer)
        app.on_response_prepare.append(_without_server)

    async def _as_a_last_answer(self, request: web.Request, response: web.StreamResponse) -> None:
        if self._connections.close_after_answers and response.status != SWITCHING:
            response.force_close()
            response.headers[hdrs.CONNECTION] = "close"

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        if lack := lack_of_names():
            log.warning("connections_unbounded", detail=lack)
            return made
        return _Server(made, self._connections)


async def _without_server(request: web.Request, response: web.StreamResponse) -> None:
    """Remove the ``Server`` header, which tells an attacker the versions of Python and aiohttp."""
    del response.headers[hdrs.SERVER]


class _Unsigned(web.Response):
    """An answer to a broken request, for which aiohttp sends no signal."""

    async def _prepare_headers(self) -> None:
        await super()._prepare_headers()
        del self.headers[hdrs.SERVER]


class _Server(web.Server):
    """Makes a ``_Connection`` in place of aiohttp's own."""

    def __init__(self, made: web.Server, connections: Connections) -> None:
        super().__init__(
            made.request_handler,
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            **made._kwargs,  # noqa: SLF001 -- what the runner has given it
        )
        self._bounds = connections

    def __call__(self) -> RequestHandler:
        return _Connection(self, self._bounds, loop=self._loop, **self._kwargs)


class _Connection(RequestHandler):
    """A connection whose heads are bounded in size and time.

    Once it carries a stream, its bytes no longer come this way.
    """

    __slots__ = ("_bounds", "_head_size", "_head_timer", "_is_refused")

    def __init__(self, manager: web.Server, bounds: Connections, **settings: Any) -> None:
        super().__init__(manager, **settings)
        self._bounds = bounds
        self._head_size = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._is_refused = False

    @property
    def is_waiting(self) -> bool:
        """True while no request is complete: the head is still to come, or is incomplete."""
        return self._request_count == 0 or (self._waiter is not None and not self._waiter.done())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self._bounds.admits(self):
            self.transport = transport  # type: ignore[assignment]  # a server's transport is an asyncio.Transport
            self._refuse(503, "Service Unavailable")
            return
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        was_waiting, before = self.is_waiting, self._request_count
        super().data_received(data)
        if self._request_count != before:
            self._head_is_whole()
            self._bounds.active(self)
        elif was_waiting:
            self._head_size += len(data)
            if self._head_timer is None:
                self._await_head()
            if self._head_size > HEAD_LIMIT:
                self._bounds.refused(
                    Refused(Refusal.TOO_LARGE, f"more than {HEAD_LIMIT} bytes of a head", hint=_LARGE_HINT)
                )
                self._refuse(431, "Request Header Fields Too Large")

    def connection_lost(self, exc: BaseException | None) -> None:
        self._head_is_whole()
        self._bounds.gone(self)
        super().connection_lost(exc)

    def set_parser(self, parser: Any, data_received_cb: Callable[[], None] | None = None) -> None:
        self._bounds.upgraded(self)
        super().set_parser(parser, data_received_cb)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        signed = super().handle_error(request, status, exc, message)
        text = signed.text if isinstance(signed, web.Response) else None
        response = _Unsigned(status=signed.status, text=text, content_type=signed.content_type)
        response.force_close()
        return response

    def drop(self) -> None:
        """Close the connection to make room for another."""
        self._bounds.gone(self)
        self.force_close()

    def _await_head(self) -> None:
        self._head_timer = self._loop.call_later(HEAD_TIMEOUT_S, self._head_is_late)

    def _head_is_whole(self) -> None:
        self._head_size = 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        self._head_timer = None
        if not self.is_waiting:
            return
        if not self._head_size:
            self.force_close()
            return
        detail = f"{self._head_size} bytes of a head in {HEAD_TIMEOUT_S:g} s"
        self._bounds.refused(Refused(Refusal.TOO_SLOW, detail, hint=_SLOW_HINT))
        self._refuse(408, "Request Timeout")

    def _refuse(self, status: int, reason: str) -> None:
        """Answer a request that is broken or incomplete, and close the connection."""
        self._is_refused = True
        if self.transport is not None:
            self.transport.write(_BARE.format(status, reason).encode())
        self.force_close()
