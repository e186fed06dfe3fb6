"""A listening socket on the load's loop."""

import socket
from collections.abc import Callable

from bench.loop import Loop
from bench.websocket import prepare

BACKLOG = 1024


class Listener:
    """A socket that hands on each connection to a free port of 127.0.0.1, ready for the loop; ``port`` names it."""

    def __init__(self, loop: Loop, take: Callable[[socket.socket], None]) -> None:
        self._loop = loop
        self._take = take
        self._sock = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self._sock.setblocking(False)
        self.port: int = self._sock.getsockname()[1]
        loop.watch(self._sock, self._accept)

    def _accept(self, _mask: int) -> None:
        try:
            sock, _ = self._sock.accept()
        except BlockingIOError:
            return
        prepare(sock)
        self._take(sock)

    def close(self) -> None:
        """Take no more connections."""
        self._loop.forget(self._sock)
        self._sock.close()
