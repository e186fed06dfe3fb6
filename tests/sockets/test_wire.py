"""What aiohttp's WebSocket returns, as a public socket reads it."""

import socket
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp import WebSocketError, WSMessage, WSMsgType

from gateway.sockets.wire import AiohttpWire, Ended, Sign, shut_down


class Scripted:
    """A WebSocket of aiohttp that returns one message, or raises."""

    def __init__(self, message: Any) -> None:
        self.message = message

    async def receive(self) -> Any:
        """Return the message."""
        if isinstance(self.message, Exception):
            raise self.message
        return self.message


@pytest.mark.parametrize(
    ("message", "received"),
    [
        (WSMessage(WSMsgType.TEXT, "a", ""), "a"),
        (WSMessage(WSMsgType.BINARY, b"b", ""), b"b"),
        (WSMessage(WSMsgType.PING, bytearray(b"?"), ""), Sign(b"?", is_ping=True)),
        (WSMessage(WSMsgType.PONG, b"", ""), Sign(b"", is_ping=False)),
        (WSMessage(WSMsgType.CLOSE, 4001, "busy"), Ended(4001, "busy")),
        (WSMessage(WSMsgType.CLOSE, 0, ""), Ended(1005)),
        (WSMessage(WSMsgType.CLOSED, None, None), Ended(1006)),
        (WSMessage(WSMsgType.ERROR, WebSocketError(1009, "too large"), None), Ended(1009, failure="too large")),
        (WSMessage(WSMsgType.ERROR, TimeoutError(), None), Ended(1006, failure="no answer to a ping in time")),
        (WSMessage(WSMsgType.ERROR, ConnectionResetError("reset"), None), Ended(1006)),
        (WSMessage(WSMsgType.ERROR, ValueError("odd"), None), Ended(1006, failure="odd")),
        (RuntimeError("WebSocket connection is closed."), Ended(1006, failure="WebSocket connection is closed.")),
        (aiohttp.ClientConnectionError("gone"), Ended(1006, failure="gone")),
    ],
)
async def test_what_comes_is_a_message_a_sign_or_the_end(message: Any, received: object) -> None:
    """Every kind of aiohttp's messages has one meaning, and whatever it raises is an end."""
    scripted: Any = Scripted(message)
    assert await AiohttpWire(scripted, lambda: None).receive() == received


def test_a_connection_is_shut_down_at_once() -> None:
    """The peer reads the end of the stream, though bytes wait; a connection that is gone is left alone."""
    near, far = socket.socketpair()
    with near, far:
        shut_down(_connection(near))
        assert far.recv(1) == b""
    shut_down(_connection(near))
    shut_down(_connection(None))


def _connection(there: socket.socket | None) -> Any:
    return SimpleNamespace(get_extra_info=lambda _: there)
