"""The application of all routes of the console, and its listener."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from gateway.console.access.access import ACCESS, Access
from gateway.console.access.audit import HEARD, Heard
from gateway.console.protection import Guard
from gateway.console.route import Route
from gateway.console.state import CONSOLE, Console
from gateway.console.table import ROUTES
from gateway.routes.listeners import BACKLOG, IDLE_LIMIT_S
from gateway.routes.refusing.connections import BoundedRunner, Connections
from gateway.routes.refusing.http_errors import http_log
from gateway.routes.refusing.refusals import Refused

log = structlog.get_logger()

CONNECTIONS = 128
"""Most connections at once; further ones replace those that are idle."""
FORM_LIMIT = 64 * 1024
"""Most bytes of a form."""


def application(console: Console, routes: Sequence[Route] = ROUTES) -> web.Application:
    """Return the application; it serves these routes and nothing else."""
    access = Access(console.deployment.console)
    guard = Guard(access, console.on_refusal)
    app = web.Application(middlewares=[guard.protected], client_max_size=FORM_LIMIT)
    app[CONSOLE] = console
    app[ACCESS] = access
    app[HEARD] = Heard()
    for route in routes:
        app.router.add_route(route.method, route.path, guard.guarded(route))
    return app


@asynccontextmanager
async def console_listening(console: Console, host: str, port: int) -> AsyncIterator[str]:
    """Serve the console until the block ends; yield its address. Raises ``OSError`` if it cannot listen there."""

    def note(what: str, refused: Refused) -> None:
        console.on_refusal(refused.reason.value)
        log.warning("console_refused", reason=refused.reason.value, detail=refused.detail)

    runner = BoundedRunner(
        application(console),
        Connections(CONNECTIONS, None, note),
        logger=http_log(note),
        shutdown_timeout=0.5,
        handler_cancellation=True,  # a page that is closed follows nothing any more
        keepalive_timeout=IDLE_LIMIT_S,
        lingering_time=0,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=BACKLOG).start()
        address = runner.addresses[0]
        async with console.watch.running():
            yield f"http://{f'[{address[0]}]' if ':' in address[0] else address[0]}:{address[1]}"
    finally:
        await runner.cleanup()
        if console.database is not None:
            await console.database.close()
