"""Serves the calls of this process on a Unix socket, in a folder of this user alone, and takes orders about them."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec
import structlog
from aiohttp import web

from gateway.live.book import LiveBook
from gateway.live.messages import OrderFor
from gateway.text import json_bytes

log = structlog.get_logger()

LOOK_S = 0.5
"""Seconds between two looks at the calls, while somebody reads."""
ALIVE_S = 10.0
"""Seconds after which an empty line is written where nothing has changed, so that a reader that is gone is noticed."""
SOCKET = "live-{}.sock"


class LiveServer:
    """Answers ``GET /live`` and ``POST /order``."""

    def __init__(self, book: LiveBook) -> None:
        self._book = book

    def application(self) -> web.Application:
        """Return the application."""
        app = web.Application(client_max_size=4096)
        app.router.add_get("/live", self._live, allow_head=False)
        app.router.add_post("/order", self._order)
        return app

    async def _live(self, request: web.Request) -> web.StreamResponse:
        """Write updates as lines of JSON until the reader is gone; a slow reader gets fewer."""
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        with suppress(ConnectionResetError):
            await self._write(response)
        return response

    async def _write(self, response: web.StreamResponse) -> None:
        changes, quiet_s = self._book.changes(), 0.0
        while True:
            update = await changes.next()
            quiet_s = quiet_s + LOOK_S if update is None else 0.0
            if update is not None:
                await response.write(json_bytes(update) + b"\n")
            elif quiet_s >= ALIVE_S:
                quiet_s = 0.0
                await response.write(b"\n")
            await asyncio.sleep(LOOK_S)

    async def _order(self, request: web.Request) -> web.Response:
        try:
            order = msgspec.json.decode(await request.read(), type=OrderFor)
        except msgspec.DecodeError:
            raise web.HTTPBadRequest from None
        done = self._book.order(order)
        log.info("operator_order", provider=order.provider, call=order.call_id, target=order.target, done=done)
        return web.Response(status=200 if done else 404)


@asynccontextmanager
async def live_serving(folder: Path | None, server: LiveServer) -> AsyncIterator[None]:
    """Serve on a socket in ``folder`` until the block ends; without a folder nobody can look on.

    A socket that cannot be made leaves the console without this process' calls, and is logged.
    """
    if folder is None:
        yield
        return
    runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=0.2, handler_cancellation=True)
    path = folder / SOCKET.format(os.getpid())
    await runner.setup()
    try:
        try:
            await web.UnixSite(runner, path).start()
        except OSError as error:
            log.error("live_not_served", socket=str(path), detail=error.strerror or str(error))
        yield
    finally:
        await runner.cleanup()
        path.unlink(missing_ok=True)
