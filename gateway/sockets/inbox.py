"""Stands where aiohttp's reader of frames has its queue, by private names of aiohttp."""

import asyncio
from collections.abc import Callable

from aiohttp import WebSocketError
from aiohttp._websocket.reader import WebSocketDataQueue
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_websocket import WSMessage, WSMessageTextBytes

from gateway.sockets.message_socket import BINARY, CLOSE, TEXT, UNREAD_LIMIT, Take


class Inbox(WebSocketDataQueue):
    """Keeps nothing: messages go to ``take``, or to ``keep`` while there is none."""

    def __init__(
        self,
        protocol: BaseProtocol,
        keep: Callable[[str | bytes], None],
        let_go: Callable[[Exception | None], None],
        controlled: Callable[[int, bytes, int], None],
        failed: Callable[[WebSocketError], None],
        lost: Callable[[], None],
    ) -> None:
        super().__init__(protocol, UNREAD_LIMIT, loop=asyncio.get_running_loop())
        self.take: Take | None = None
        self.alive: Callable[[], object] | None = None
        self._keep = keep
        self._let_go = let_go
        self._controlled = controlled
        self._failed = failed
        self._lost = lost

    def deliver(self, message: str | bytes) -> None:
        """Pass a message to ``take``, or keep it while there is none."""
        take = self.take
        if take is None:
            self._keep(message)
            return
        try:
            if take(message):
                return
            error = None
        except Exception as raised:  # noqa: BLE001 -- raised again in hand_to, not here in a transport's callback
            error = raised
        self._stop_taking(error)

    def feed_data(self, data: WSMessage | WSMessageTextBytes, size: int) -> None:
        kind = data[0]
        if kind is TEXT or kind is BINARY:
            self.deliver(data[1])
        elif kind is CLOSE:
            self._controlled(kind, str(data[2] or "").encode(errors="replace"), data[1])
        else:
            self._controlled(kind, bytes(data[1]), 0)
            if self.alive is not None:
                try:
                    self.alive()
                except Exception as raised:  # noqa: BLE001 -- as above
                    self._stop_taking(raised)

    def _stop_taking(self, error: Exception | None) -> None:
        self.take = self.alive = None
        self._let_go(error)

    def set_exception(self, exc: BaseException, exc_cause: BaseException | None = None) -> None:
        if not isinstance(exc, WebSocketError):
            raise exc
        self._failed(exc)

    def feed_eof(self) -> None:
        self._lost()
