"""A server behind a line's function tools: it answers as its path says, and keeps what it was asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

MUCH = 10_000_000
"""Bytes of an answer that nobody can want to hear."""


@dataclass
class ToolServer:
    """``url`` is where it listens; ``asked`` are the bodies of its requests, ``headers`` theirs."""

    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    at_work: int = 0
    most_at_work: int = 0
    release: asyncio.Event = field(default_factory=asyncio.Event)
    """Set it, and ``/hang`` answers."""

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Answer as the path's last part says."""
        self.asked.append(await request.json())
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        try:
            return await self._answer(request.path.rpartition("/")[2])
        finally:
            self.at_work -= 1

    async def _answer(self, how: str) -> web.StreamResponse:
        match how:
            case "fails":
                return web.json_response({"error": "no table left"}, status=500)
            case "hangs":
                await self.release.wait()
            case "much":
                return web.Response(text="x" * MUCH)
            case "nonsense":
                return web.Response(text='{"state": ', content_type="application/json")
            case "echoes":
                return web.json_response(self.asked[-1])
            case "elsewhere":
                return web.Response(status=302, headers={"Location": f"{self.url}/ok"})
        return web.json_response({"state": "shipped"})


@asynccontextmanager
async def tool_server() -> AsyncIterator[ToolServer]:
    """Listen on a free port until the block ends."""
    server = ToolServer()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield server
    finally:
        server.release.set()
        await runner.cleanup()
