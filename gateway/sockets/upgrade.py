"""The upgrade to a WebSocket, on either side (RFC 6455 §4): aiohttp's HTTP, and the fast socket."""

import asyncio
import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress

import aiohttp
from aiohttp import hdrs, web
from aiohttp.http_websocket import WS_KEY

from gateway.network.masked_frames import MaskedFrames
from gateway.sockets.websocket import WebSocket

REFUSAL_LENGTH = 4096
"""Bytes that are read of the body of a refused upgrade."""
REFUSAL_TIMEOUT_S = 1.0
"""The limit for reading that body."""


async def accept(
    request: web.Request, *, subprotocols: Sequence[str], max_message: int, close_timeout_s: float
) -> tuple[web.StreamResponse, WebSocket] | None:
    """Answer an upgrade; the handler returns the response once the socket is closed.

    Returns ``None`` for a request that is no proper handshake, which is not answered.
    """
    ready = web.WebSocketResponse(protocols=subprotocols).can_prepare(request)
    if not ready.ok:
        return None
    headers: dict[str, str] = {
        hdrs.UPGRADE: "websocket",
        hdrs.CONNECTION: "upgrade",
        hdrs.SEC_WEBSOCKET_ACCEPT: _answer_to(request.headers[hdrs.SEC_WEBSOCKET_KEY]),
    }
    if ready.protocol:
        headers[hdrs.SEC_WEBSOCKET_PROTOCOL] = ready.protocol
    response = web.StreamResponse(status=101, headers=headers)
    response.force_close()
    await response.prepare(request)
    if request.transport is None:
        raise ConnectionResetError("the connection is gone")
    socket = WebSocket(request.protocol, request.transport, max_message=max_message, close_timeout_s=close_timeout_s)
    frames = MaskedFrames(socket.parser, socket.deliver, socket.failed, max_message)
    request.protocol.set_parser(frames)  # type: ignore[arg-type]  # it takes the same bytes: those after the request
    request.transport.set_protocol(_Upgraded(frames, request.protocol))
    return response, socket


class _Upgraded(asyncio.BaseProtocol):
    """Passes bytes straight to the parser, and all other events to aiohttp's own protocol, as before."""

    def __init__(self, parser: MaskedFrames, before: asyncio.Protocol) -> None:
        self.data_received = parser.feed_data
        self.eof_received = before.eof_received
        self._before = before

    def connection_lost(self, exc: Exception | None) -> None:
        self._before.connection_lost(exc)

    def pause_writing(self) -> None:
        self._before.pause_writing()

    def resume_writing(self) -> None:
        self._before.resume_writing()


async def connect(
    http: aiohttp.ClientSession,
    url: str,
    headers: Mapping[str, str],
    *,
    max_message: int,
    close_timeout_s: float,
    heartbeat_s: float,
) -> WebSocket:
    """Connect to ``url``. Redirects are not followed: they would carry the headers' credentials elsewhere.

    Raises ``aiohttp.WSServerHandshakeError`` where the upgrade is refused, with the body as its message; else
    ``aiohttp.ClientError``, ``OSError``.
    """
    key = base64.b64encode(os.urandom(16)).decode()
    upgrade: dict[str, str] = {
        hdrs.UPGRADE: "websocket",
        hdrs.CONNECTION: "Upgrade",
        hdrs.SEC_WEBSOCKET_VERSION: "13",
        hdrs.SEC_WEBSOCKET_KEY: key,
    }
    response = await http.get(url, headers=dict(headers) | upgrade, allow_redirects=False, read_until_eof=False)
    try:
        await _check(response, key)
        connection = response.connection
        if connection is None or connection.protocol is None or connection.transport is None:
            raise aiohttp.ClientConnectionError("the connection was lost with its upgrade")
        socket = WebSocket(
            connection.protocol,
            connection.transport,
            is_client=True,
            max_message=max_message,
            close_timeout_s=close_timeout_s,
            heartbeat_s=heartbeat_s,
            release=response.close,
        )
        connection.protocol.set_parser(socket.parser, socket.inbox, data_received_cb=socket.note_life)
    except BaseException:
        response.close()
        raise
    return socket


async def _check(response: aiohttp.ClientResponse, key: str) -> None:
    if 300 <= response.status < 400:
        raise aiohttp.ClientError("it redirected the connection, which is refused")
    if response.status != 101:
        raise aiohttp.WSServerHandshakeError(
            response.request_info,
            response.history,
            status=response.status,
            message=await _body(response),
            headers=response.headers,
        )
    said = response.headers
    is_upgraded = (
        said.get(hdrs.UPGRADE, "").lower() == "websocket" and said.get(hdrs.CONNECTION, "").lower() == "upgrade"
    )
    if not is_upgraded or said.get(hdrs.SEC_WEBSOCKET_ACCEPT) != _answer_to(key):
        raise aiohttp.ClientError("the answer to the upgrade is not a WebSocket server's")


async def _body(response: aiohttp.ClientResponse) -> str:
    """Return the beginning of a refusal's body; what is late or broken is left out."""
    body = bytearray()
    with suppress(TimeoutError, aiohttp.ClientError, OSError):
        async with asyncio.timeout(REFUSAL_TIMEOUT_S):
            while len(body) < REFUSAL_LENGTH and (piece := await response.content.read(REFUSAL_LENGTH - len(body))):
                body += piece
    return body.decode(errors="replace")


def _answer_to(key: str) -> str:
    """Return ``Sec-WebSocket-Accept`` (RFC 6455 §4.2.2)."""
    return base64.b64encode(hashlib.sha1(key.encode() + WS_KEY, usedforsecurity=False).digest()).decode()
