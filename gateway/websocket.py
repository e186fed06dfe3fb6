"""One end of an aiohttp WebSocket, server's or client's: messages in, writes that never wait out."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp
from aiohttp import WSMsgType, web

from gateway.errors import OutboxFullError

OUTBOX_LIMIT = 256 * 1024
"""Bytes a peer that stopped reading may owe us: about 15 s of G.711 as JSON, on top of the transport's 64 KiB."""

REASON_LIMIT = 123
"""Bytes of UTF-8 that a close frame holds beside its code (RFC 6455 §5.5)."""


class WebSocket:
    """A WebSocket whose ``send`` returns at once.

    The transport's own buffer is the outbox and the event loop its writer: aiohttp puts a message there before it
    waits for room, so the wait itself is dropped and its future kept as the sign that the peer is not reading.
    Per message this costs no task switch. ``abort`` drops the connection with whatever is unsent, at once.
    """

    def __init__(
        self,
        ws: "web.WebSocketResponse[Any] | aiohttp.ClientWebSocketResponse[Any]",
        abort: Callable[[], None],
        *,
        outbox_limit: int = OUTBOX_LIMIT,
    ) -> None:
        self._ws = ws
        self._abort = abort
        self._limit = outbox_limit
        self._room: asyncio.Future[None] | None = None
        self._owed = 0
        self._failure = ""

    async def receive(self) -> str | bytes | None:
        """The next message, text as ``str`` and binary as ``bytes``; ``None`` once the socket is closed."""
        message = await self._ws.receive()
        if message.type is WSMsgType.TEXT or message.type is WSMsgType.BINARY:
            data: str | bytes = message.data
            return data
        if message.type is WSMsgType.ERROR:
            self._failure = str(message.data)
            if self._ws.close_code is None:
                await self._ws.close()
        return None

    def send(self, message: str | bytes) -> None:
        """Write ``message`` through to the transport.

        Raises ``ConnectionError`` where the connection is gone and ``OutboxFullError`` where the peer does not read.
        """
        if self._room is not None:
            if self._room.done():
                self._room = None
                self._owed = 0
            else:
                self._owed += len(message)
                if self._owed > self._limit:
                    raise OutboxFullError(f"the peer has not read {self._owed} bytes")
        writing: Coroutine[Any, Any, None]
        writing = self._ws.send_str(message) if isinstance(message, str) else self._ws.send_bytes(message)
        try:
            room = writing.send(None)
        except StopIteration:
            return
        writing.close()
        if self._room is None:
            self._room = room
            room.add_done_callback(_retrieve)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close in order, waiting no longer than the WebSocket's own close time-out; safe to call twice.

        A peer that does not read is not waited for: a transport would keep its socket until the last byte is gone.
        """
        try:
            if self._room is None or self._room.done():
                whole_characters = reason.encode()[:REASON_LIMIT].decode(errors="ignore")
                await self._ws.close(code=code, message=whole_characters.encode())
        finally:
            self._abort()

    @property
    def closed(self) -> bool:
        """Whether either side has closed."""
        return self._ws.closed

    @property
    def close_code(self) -> int | None:
        """The close code (RFC 6455 §7.4), 1006 where the connection broke; ``None`` while open."""
        return self._ws.close_code

    @property
    def failure(self) -> str:
        """What broke the connection, in words; empty where it was closed in order."""
        failure = self._ws.exception()
        return str(failure) if failure else self._failure


def _retrieve(room: "asyncio.Future[None]") -> None:
    """A connection that breaks while its buffer is full is reported by ``receive``; here it needs no second report."""
    if not room.cancelled():
        room.exception()
