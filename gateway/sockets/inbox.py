"""Stands where aiohttp's reader of frames has its queue, by private names of aiohttp."""

import asyncio
from collections.abc import Callable

from aiohttp import WebSocketError
from aiohttp._websocket.reader import WebSocketDataQueue
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_websocket import WSMessage, WSMessageTextBytes

from gateway.sockets.inlet import UNREAD_LIMIT
from gateway.sockets.message_socket import BINARY, CLOSE, TEXT


class Inbox(WebSocketDataQueue):
    """Keeps nothing: messages go to ``deliver``, control frames to ``controlled``, pings and pongs to ``alive`` too."""

    def __init__(
        self,
        protocol: BaseProtocol,
        deliver: Callable[[str | bytes], None],
        alive: Callable[[], None],
        controlled: Callable[[int, bytes, int], None],
        failed: Callable[[WebSocketError], None],
        lost: Callable[[], None],
    ) -> None:
        super().__init__(protocol, UNREAD_LIMIT, loop=asyncio.get_running_loop())
        self._deliver = deliver
        self._alive = alive
        self._controlled = controlled
        self._failed = failed
        self._lost = lost

    def feed_data(self, data: WSMessage | WSMessageTextBytes, size: int) -> None:
        kind = data[0]
        if kind is TEXT or kind is BINARY:
            self._deliver(data[1])
        elif kind is CLOSE:
            self._controlled(kind, str(data[2] or "").encode(errors="replace"), data[1])
        else:
            self._controlled(kind, bytes(data[1]), 0)
            self._alive()

    def set_exception(self, exc: BaseException, exc_cause: BaseException | None = None) -> None:
        if not isinstance(exc, WebSocketError):
            raise exc
        self._failed(exc)

    def feed_eof(self) -> None:
        self._lost()
