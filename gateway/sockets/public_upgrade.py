"""The upgrade to a WebSocket by aiohttp's own, on either side. It accepts and refuses as
``gateway.sockets.upgrade`` does.

Where the two ways differ: a client's frame that is not masked is read here, and a refused upgrade comes without the
body of its answer.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import aiohttp
from aiohttp import web

from gateway.sockets.message_socket import MessageSocket
from gateway.sockets.public_socket import PublicSocket
from gateway.sockets.wire import AiohttpWire, shut_down

SWITCHING = 101
"""The status of an upgrade (RFC 9110 §15.2.2)."""


async def accept(
    request: web.Request, *, subprotocols: Sequence[str], max_message: int, close_timeout_s: float
) -> tuple[web.StreamResponse, MessageSocket] | None:
    """Answer an upgrade; the handler returns the response once the socket is closed.

    Returns ``None`` for a request that is no proper handshake, which is not answered.
    """
    response: web.WebSocketResponse = web.WebSocketResponse(
        timeout=close_timeout_s,
        protocols=subprotocols,
        max_msg_size=max_message,
        compress=False,
        autoping=False,
        autoclose=False,
    )
    if not response.can_prepare(request).ok:
        return None
    await response.prepare(request)
    transport = request.transport
    if transport is None:
        raise ConnectionResetError("the connection is gone")
    return response, PublicSocket(AiohttpWire(response, transport.abort), close_timeout_s=close_timeout_s)


async def connect(
    http: aiohttp.ClientSession,
    url: str,
    headers: Mapping[str, str],
    *,
    max_message: int,
    close_timeout_s: float,
    heartbeat_s: float,
) -> MessageSocket:
    """Connect to ``url``. A session that was made with ``refusing_redirects`` follows none.

    Raises ``aiohttp.WSServerHandshakeError`` where the upgrade is refused; else ``aiohttp.ClientError``, ``OSError``.
    """
    try:
        connection = await http.ws_connect(
            url,
            headers=headers,
            max_msg_size=max_message,
            heartbeat=heartbeat_s or None,
            autoping=False,
            autoclose=False,
            timeout=aiohttp.ClientWSTimeout(ws_close=close_timeout_s),
        )
    except aiohttp.WSServerHandshakeError as error:
        raise refused(error) from None
    wire = AiohttpWire(connection, partial(shut_down, connection))
    return PublicSocket(wire, close_timeout_s=close_timeout_s)


def refused(error: aiohttp.WSServerHandshakeError) -> aiohttp.ClientError:
    """Return a refused upgrade as the fast way raises it; aiohttp's own words say nothing of the peer's."""
    if error.status == SWITCHING:
        return aiohttp.ClientError("the answer to the upgrade is not a WebSocket server's")
    return aiohttp.WSServerHandshakeError(
        error.request_info, error.history, status=error.status, message="", headers=error.headers
    )


def refusing_redirects() -> aiohttp.TraceConfig:
    """Return what makes a session refuse redirects: they would carry the headers' credentials elsewhere."""

    async def refuse(_session: object, _context: object, redirected: aiohttp.TraceRequestRedirectParams) -> None:
        redirected.response.close()
        raise aiohttp.ClientError("it redirected the connection, which is refused")

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(refuse)
    return trace
