"""The paths of the gateway's two listeners: calls on the public one, health and metrics on either.

The private one shows calls in progress as well, to a console that has the key.
"""

import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import web

from gateway.errors import GatewayError
from gateway.live.relay import Relay
from gateway.routes.health import Health
from gateway.routes.listeners import Listener, listening
from gateway.routes.media_stream import MediaStreams
from gateway.routes.refusing.connections import Connections
from gateway.routes.refusing.refusals import Refusals
from gateway.routes.refusing.unrouted import Unrouted
from gateway.routes.webhooks import Webhooks

WATCHERS = 32
"""Connections of the private listener, within the reserve of descriptors."""
_SLASH = "{slash:/?}"
"""A slash at the end of an address, which is easily entered at a provider, and means nothing."""


def public_paths(
    streams: MediaStreams, webhooks: Webhooks, health: Health | None, refusals: Refusals
) -> web.Application:
    """Return the paths for providers, and those of ``health`` where it has no listener of its own."""
    app = web.Application(middlewares=[refusals.doubted])
    router = app.router
    for path in ("{provider}", "{provider}/{line}", "{provider}/{line}/{token}"):
        router.add_get(f"/stream/{path}{_SLASH}", streams.handle, allow_head=False, expect_handler=refusals.expect)
    for path, take in (
        ("/answer/{provider}", webhooks.answer),
        ("/answer/{provider}/{line}", webhooks.answer),
        ("/status/{provider}", webhooks.status),
    ):
        router.add_post(path + _SLASH, take, expect_handler=refusals.expect)
        router.add_get(path + _SLASH, take, allow_head=False, expect_handler=refusals.expect)
    if health is not None:
        _add_health(app, health, refusals)
    router.register_resource(Unrouted(refusals.unrouted, refusals.expect))
    return app


def _add_health(app: web.Application, health: Health, refusals: Refusals) -> None:
    for path, tell in (("/healthz", health.alive), ("/readyz", health.ready), ("/metrics", health.metrics)):
        app.router.add_get(path, tell, expect_handler=refusals.expect)


@asynccontextmanager
async def private_listening(
    health: Health,
    refusals: Refusals,
    where: tuple[str, int] | None,
    sockets: Sequence[socket.socket],
    relay: Relay | None = None,
) -> AsyncIterator[Listener | None]:
    """Serve health and metrics on the private listener, if there is one, and calls in progress by ``relay``."""
    if where is None:
        yield None
        return
    app = web.Application(middlewares=[refusals.doubted])
    _add_health(app, health, refusals)
    if relay is not None:
        relay.add_to(app)
    app.router.register_resource(Unrouted(refusals.unrouted, refusals.expect))
    host, port = where
    connections = Connections(WATCHERS, None, refusals.note)
    async with AsyncExitStack() as stack:
        if relay is not None:
            await stack.enter_async_context(relay.running())
        begun = listening(app, connections, refusals, host=host, port=port, sockets=sockets)
        try:
            private = await stack.enter_async_context(begun)
        except OSError as error:
            raise GatewayError(f"listen.private: cannot listen on {host}:{port}: {error.strerror or error}") from None
        yield private


def url_of(listener: Listener) -> str:
    """Return the address of a listener, without a path."""
    host = f"[{listener.host}]" if ":" in listener.host else listener.host
    return f"http://{host}:{listener.port}"
