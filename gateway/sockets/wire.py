"""A library's WebSocket as a public socket uses it, and aiohttp's as one, by public names alone."""

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
from aiohttp import WebSocketError, WSMsgType, web

from gateway.sockets.message_socket import BINARY, BROKEN, CLOSE, NO_CODE, PING, PONG, TEXT


@dataclass(frozen=True)
class Ended:
    """The end of a connection: its close code, the peer's reason, and what broke it, in words."""

    code: int
    reason: str = ""
    failure: str = ""


@dataclass(frozen=True)
class Sign:
    """A ping with its payload, or a pong."""

    payload: bytes
    is_ping: bool


class Wire(Protocol):
    """A library's WebSocket."""

    async def receive(self) -> str | bytes | Sign | Ended:
        """Return what comes next; an end is the last."""

    async def send(self, payload: bytes, opcode: int) -> None:
        """Write a frame. May wait for the peer to read. Raises ``ConnectionError`` where the connection is gone."""

    async def close(self, code: int, reason: str) -> int:
        """Close in order; return the peer's close code. The caller limits the time."""

    async def drop(self) -> None:
        """Let go of the connection at once; safe to call twice, and after a close."""


class AiohttpWire:
    """A WebSocket of aiohttp, server's or client's, that leaves pings and the closing to its user.

    ``abort`` ends a connection at once.
    """

    def __init__(
        self,
        socket: "web.WebSocketResponse[Any] | aiohttp.ClientWebSocketResponse[Any]",
        abort: Callable[[], None],
    ) -> None:
        self._socket = socket
        self._abort = abort

    async def receive(self) -> str | bytes | Sign | Ended:
        """Return what comes next; an end is the last."""
        try:
            message = await self._socket.receive()
        except (OSError, RuntimeError, aiohttp.ClientError) as error:
            return Ended(BROKEN, failure=str(error))
        kind: WSMsgType = message.type
        if kind is TEXT or kind is BINARY:
            return message.data  # type: ignore[no-any-return]
        if kind is PING or kind is PONG:
            return Sign(bytes(message.data), is_ping=kind is PING)
        if kind is CLOSE:
            return Ended(message.data or NO_CODE, message.extra or "")
        broke = message.data if kind is WSMsgType.ERROR else None
        if isinstance(broke, WebSocketError):
            return Ended(broke.code, failure=str(broke))
        if isinstance(broke, TimeoutError):
            return Ended(BROKEN, failure="no answer to a ping in time")
        return Ended(BROKEN, failure="" if broke is None or isinstance(broke, ConnectionError) else str(broke))

    async def send(self, payload: bytes, opcode: int) -> None:
        """Write a frame. May wait for the peer to read. Raises ``ConnectionError`` where the connection is gone."""
        await self._socket.send_frame(payload, WSMsgType(opcode))

    async def close(self, code: int, reason: str) -> int:
        """Close in order; return the peer's close code."""
        await self._socket.close(code=code, message=reason.encode())
        return self._socket.close_code or NO_CODE

    async def drop(self) -> None:
        """Let go of the connection at once."""
        self._abort()
        with suppress(OSError, RuntimeError, TimeoutError):
            async with asyncio.timeout(0):  # nothing is left to wait for: it ends aiohttp's timers
                await self._socket.close()


def shut_down(connection: "aiohttp.ClientWebSocketResponse[Any]") -> None:
    """End a client's connection at once: aiohttp has no public way to abort it, and a close waits for unsent bytes."""
    there = connection.get_extra_info("socket")
    if there is None or there.fileno() < 0:
        return
    with socket.socket(fileno=os.dup(there.fileno())) as same, suppress(OSError):  # it may be gone by itself
        same.shutdown(socket.SHUT_RDWR)
