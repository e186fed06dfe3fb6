"""The gateway's listeners: one for the providers and, where configured, a separate one for monitoring."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from gateway.routes.refusing.connections import BoundedRunner, Connections
from gateway.routes.refusing.http_errors import http_log
from gateway.routes.refusing.refusals import Refusals

IDLE_LIMIT_S = 75.0
"""Most seconds that a connection may be idle after a request; a proxy in front drops its idle ones after 60 s."""
BACKLOG = 512
"""Connections that the kernel queues until they are accepted."""


@asynccontextmanager
async def listening(
    app: web.Application,
    connections: Connections,
    refusals: Refusals,
    *,
    host: str = "",
    port: int = 0,
    listener: socket.socket | None = None,
    reuse_port: bool = False,
) -> AsyncIterator[tuple[str, int]]:
    """Serve ``app`` until the block ends; yield the address and port that it got.

    ``listener`` is a socket that listens already; it replaces ``host`` and ``port``.
    Raises ``OSError`` if it cannot listen on the address.
    """
    runner = BoundedRunner(
        app,
        connections,
        logger=http_log(refusals),
        shutdown_timeout=1.0,
        keepalive_timeout=IDLE_LIMIT_S,
        lingering_time=0,  # a peer whose upload was refused half-way may not go on
    )
    await runner.setup()
    try:
        site: web.BaseSite
        if listener is not None:
            site = web.SockSite(runner, listener)
        else:
            site = web.TCPSite(runner, host, port, backlog=BACKLOG, reuse_port=reuse_port or None)
        await site.start()
        address = runner.addresses[0]
        yield address[0], address[1]
    finally:
        await runner.cleanup()
