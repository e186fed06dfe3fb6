"""The gateway's listeners: one for the providers and, where configured, a separate one for monitoring."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from gateway.routes.refusing.connections import BoundedRunner, Connections
from gateway.routes.refusing.http_errors import http_log
from gateway.routes.refusing.refusals import Refusals

IDLE_LIMIT_S = 75.0
"""Most seconds that a connection may be idle after a request; a proxy in front drops its idle ones after 60 s."""
BACKLOG = 512
"""Connections that the kernel queues until they are accepted."""


@dataclass(frozen=True)
class Inherited:
    """Sockets that another process has bound to their addresses, and holds as well."""

    public: Sequence[socket.socket]
    private: Sequence[socket.socket] = ()
    """For health and metrics, where they have a listener of their own."""


@dataclass(frozen=True)
class Listener:
    """A listener that serves. ``port`` is the one that it got."""

    host: str
    port: int
    retire: Callable[[], Awaitable[None]]
    """Leave new connections to others that hold the same sockets; those that are open end with their next answer."""


@asynccontextmanager
async def listening(
    app: web.Application,
    connections: Connections,
    refusals: Refusals,
    *,
    host: str = "",
    port: int = 0,
    sockets: Sequence[socket.socket] = (),
) -> AsyncIterator[Listener]:
    """Serve ``app`` until the block ends.

    ``sockets`` are bound already; they replace ``host`` and ``port``. Raises ``OSError`` if it cannot listen there.
    """
    runner = BoundedRunner(
        app,
        connections,
        logger=http_log(refusals.note),
        shutdown_timeout=1.0,
        keepalive_timeout=IDLE_LIMIT_S,
        lingering_time=0,  # a peer whose upload was refused half-way may not go on
    )
    await runner.setup()
    try:
        sites: list[web.BaseSite] = [web.SockSite(runner, one, backlog=BACKLOG) for one in sockets]
        sites = sites or [web.TCPSite(runner, host, port, backlog=BACKLOG)]
        for site in sites:
            await site.start()

        async def retire() -> None:
            connections.close_after_answers = True
            for site in sites:
                await site.stop()

        address = runner.addresses[0]
        yield Listener(address[0], address[1], retire)
    finally:
        await runner.cleanup()
