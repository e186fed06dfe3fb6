"""Shows the calls of all processes of a gateway to a console elsewhere, on the private listener, and takes its orders.

``GET /live`` and ``POST /order`` are those of ``server``, with the proof of a key. Any process answers: it reads from
all that have a socket in their folder, while somebody looks.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, suppress

import aiohttp
import msgspec
from aiohttp import hdrs, web

from gateway.call.refusal import Refusal
from gateway.live.messages import About, LiveCall, OrderFor, Outcome, Update
from gateway.live.overview import overview
from gateway.live.proof import proves
from gateway.live.watch import Watch
from gateway.routes.refusing.refusals import Refusals, Refused
from gateway.text import json_bytes

MOST_READERS = 8
"""Consoles that may look at the same time, within the connections of the private listener."""
PERIOD_S = 0.5
"""Seconds between two updates of a reader, at least."""
ALIVE_S = 10.0
"""Seconds after which an empty line is written where nothing has changed."""
LOOK_S = 1.0
"""Most seconds until a reader is noticed that has closed its connection, while nothing changes."""
UNREAD_S = 15.0
"""Seconds after which a reader that takes nothing, or whose machine is gone, is given up."""
FIRST_S = 1.0
"""Most seconds to wait for the first look at every process; less than a reader waits for this gateway."""
AT_ONCE = 1000
"""Calls in one update, whose size readers limit."""
ORDER_BYTES = 4096
ORDER_S = 5.0
"""Seconds in which an order has to be here."""
_STATUSES = {Outcome.DONE: 200, Outcome.REFUSED: 404, Outcome.UNKNOWN: 504}
_KEY_HINT = "console.key of the console and of this gateway must be the same; during a rotation, [new, old] here"
_ORDER_HINT = "somebody else than a console of this version gives orders, or a proxy in between changes them"


class Relay:
    """Answers who proves one of ``keys``, with the calls that ``watch`` follows."""

    def __init__(self, watch: Watch, keys: Iterable[str], refusals: Refusals) -> None:
        self._watch = watch
        self._keys = tuple(keys)
        self._refusals = refusals
        self._readers = 0
        self._waiting: set[asyncio.Event] = set()
        self._is_closing = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the processes while somebody looks, until the block ends."""
        async with self._watch.running():
            yield

    def add_to(self, app: web.Application) -> None:
        """Add the routes to an application; readers are let go when it shuts down."""
        app.router.add_get("/live", self._live, allow_head=False, expect_handler=self._refusals.expect)
        app.router.add_post("/order", self._order, expect_handler=self._refusals.expect)
        app.on_shutdown.append(self._close)

    async def _close(self, app: web.Application) -> None:
        self._is_closing = True
        for changed in self._waiting:
            changed.set()

    def _refusal(self, request: web.Request) -> web.Response | None:
        given = request.headers.get(hdrs.AUTHORIZATION, "")
        if proves(given, self._keys):
            return None
        detail = "the key is another one" if given else "there is no key"
        return self._refusals.response("request", Refused(Refusal.UNAUTHORIZED, detail, hint=_KEY_HINT), request)

    async def _live(self, request: web.Request) -> web.StreamResponse:
        """Write updates as lines of JSON until the reader is gone; a slow reader gets fewer."""
        if refused := self._refusal(request):
            return refused
        if self._readers >= MOST_READERS:
            hint = "as many consoles follow this process as may: look for some that are forgotten"
            crowded = Refused(Refusal.CROWDED, f"{MOST_READERS} readers look already", hint=hint)
            return self._refusals.response("request", crowded, request)
        self._readers += 1
        try:
            response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
            _give_up_when_unread(request)
            await response.prepare(request)
            with suppress(ConnectionResetError):
                await self._write(request, response)
            return response
        finally:
            self._readers -= 1

    async def _write(self, request: web.Request, response: web.StreamResponse) -> None:
        updates, loop = _Updates(self._watch), asyncio.get_running_loop()
        written = loop.time()
        async with self._watch.looking(FIRST_S) as changed:
            self._waiting.add(changed)
            try:
                while not self._is_closing and request.transport is not None:
                    changed.clear()
                    lines = updates.lines()
                    if not lines and loop.time() - written >= ALIVE_S:
                        lines = (b"\n",)
                    for line in lines:
                        async with asyncio.timeout(UNREAD_S):
                            await response.write(line)
                        written = loop.time()
                    await asyncio.sleep(PERIOD_S)
                    with suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_S):
                            await changed.wait()
            except TimeoutError:
                if request.transport is not None:
                    request.transport.abort()
            finally:
                self._waiting.discard(changed)

    async def _order(self, request: web.Request) -> web.Response:
        if refused := self._refusal(request):
            return refused
        body = await _body(request)
        if isinstance(body, Refused):
            return self._refusals.response("request", body, request)
        try:
            order = msgspec.json.decode(body, type=OrderFor)
        except msgspec.DecodeError as error:
            malformed = Refused(Refusal.MALFORMED, f"no order: {error}", hint=_ORDER_HINT)
            return self._refusals.response("request", malformed, request)
        return web.Response(status=_STATUSES[await self._watch.order(order)])


async def _body(request: web.Request) -> bytes | Refused:
    body = bytearray()
    try:
        async with asyncio.timeout(ORDER_S):
            while len(body) <= ORDER_BYTES and (piece := await request.content.readany()):
                body += piece
    except TimeoutError:
        return Refused(Refusal.TOO_SLOW, f"{len(body)} bytes of an order in {ORDER_S:g} s", hint=_ORDER_HINT)
    except (ConnectionError, web.RequestPayloadError, aiohttp.ClientPayloadError) as error:
        return Refused(Refusal.CUT_OFF, f"{len(body)} bytes of an order, then {type(error).__name__}", hint=_ORDER_HINT)
    if len(body) > ORDER_BYTES:
        return Refused(Refusal.TOO_LARGE, f"more than {ORDER_BYTES} bytes", hint=_ORDER_HINT)
    return bytes(body)


class _Updates:
    """The updates of one reader: what has changed among the calls of all processes since the last."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._known: dict[str, LiveCall] = {}
        self._about: About | None = None

    def lines(self) -> tuple[bytes, ...]:
        """Return the updates as lines; none where nothing has changed."""
        return tuple(json_bytes(update) + b"\n" for update in self._updates())

    def _updates(self) -> Iterator[Update]:
        now, about = {call.key: call for call in self._watch.calls}, overview(self._watch.about)
        changed = [call for key, call in now.items() if self._known.get(key) != call]
        gone = tuple(self._known.keys() - now.keys())
        is_new = about is not None and about != self._about
        self._known, self._about = now, about or self._about
        pieces = [tuple(changed[start : start + AT_ONCE]) for start in range(0, len(changed), AT_ONCE)] or [()]
        for calls in pieces[:-1]:
            yield Update(calls=calls)
        if is_new or gone or changed:
            yield Update(about=about if is_new else None, calls=pieces[-1], gone=gone)


def _give_up_when_unread(request: web.Request) -> None:
    """Let the system close the connection where nobody acknowledges what is sent (Linux, tcp(7))."""
    connection = request.transport.get_extra_info("socket") if request.transport else None
    if connection is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(UNREAD_S * 1000))
