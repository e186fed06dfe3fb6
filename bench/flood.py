"""Send so many webhooks a second without a signature, over connections that are kept."""

import socket
from time import perf_counter

from bench.loop import Loop
from bench.websocket import READ_BYTES, PeerError, prepare

CONNECTIONS = 32
"""The requests take turns; one that finds its connection waiting for an answer is left out, and counted."""
FORM = b"CallSid=CA0123456789abcdef0123456789abcdef&From=%2B14155550123&To=%2B14255550100&CallStatus=ringing"
REQUEST = (
    b"POST /answer/twilio HTTP/1.1\r\nHost: bench.example.com\r\nX-Twilio-Signature: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%b" % (len(FORM), FORM)
)
REFUSED = b"HTTP/1.1 403 "


class Flood:
    """A sender of webhooks to a port of 127.0.0.1, from its making until ``close``."""

    def __init__(self, loop: Loop, port: int, per_s: int) -> None:
        self.sent = 0
        self.refused = 0
        self.left_out = 0
        self._loop = loop
        self._every_s = 1 / per_s
        self._senders = [_Sender(self, loop, port) for _ in range(CONNECTIONS)]
        self._open = True
        loop.at(perf_counter(), self._send)

    def _send(self, due: float) -> float | None:
        if not self._open:
            return None
        sender = self._senders[(self.sent + self.left_out) % CONNECTIONS]
        if sender.waits:
            self.left_out += 1
        else:
            self.sent += 1
            sender.send()
        return due + self._every_s

    def close(self) -> None:
        """Send no more, and drop every connection."""
        self._open = False
        for sender in self._senders:
            sender.close()


class _Sender:
    def __init__(self, flood: Flood, loop: Loop, port: int) -> None:
        self.waits = False
        self._flood = flood
        self._loop = loop
        self._sock = socket.create_connection(("127.0.0.1", port))
        prepare(self._sock)
        loop.watch(self._sock, self._ready)

    def send(self) -> None:
        """Send one request, and expect its answer."""
        self.waits = True
        if self._sock.send(REQUEST) < len(REQUEST):
            raise PeerError("the program under test does not read webhooks")

    def _ready(self, _mask: int) -> None:
        try:
            data = self._sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        if not data.startswith(REFUSED):
            raise PeerError(f"a webhook without a signature was not refused: {data[:80]!r}")
        self.waits = False
        self._flood.refused += 1

    def close(self) -> None:
        """Drop the connection to the gateway."""
        self._loop.forget(self._sock)
        self._sock.close()
