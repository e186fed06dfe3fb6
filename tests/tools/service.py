"""A service over HTTP as the tests need it: it answers as it is told and keeps what it was asked."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from gateway.function import CallContext, Function, HttpCall

CONTEXT = CallContext("call-1", "support", "+14155550123", "+14255550100", "fc_1")
SCHEMA = {"type": "object", "properties": {"order_number": {"type": "string"}}, "required": ["order_number"]}

Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Service:
    """``seen`` and ``bodies`` are the requests that came; ``over`` is set when the service ends."""

    url: str = ""
    seen: list[web.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def service(
    answering: Answering | web.Response | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Service]:
    """Answers every request so; ``None`` never answers."""
    told = Service()

    async def handle(request: web.Request) -> web.StreamResponse:
        told.seen.append(request)
        told.bodies.append(await request.read())
        told.came.set()
        if answering is None:
            await told.over.wait()
            return web.Response()
        if isinstance(answering, web.Response):
            return web.Response(status=answering.status, body=answering.body, headers=answering.headers)
        return await answering(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    told.url = f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield told
    finally:
        told.over.set()
        await runner.cleanup()


def function(url: str, method: str = "POST", *, timeout_s: float = 10.0, secret: str = "") -> Function:
    """``order_status``, carried out at ``url``."""
    run = HttpCall(method, url, {"X-Api-Key": "key-of-the-shop"}, secret)
    return Function("order_status", "Looks up an order.", SCHEMA, run, timeout_s)
