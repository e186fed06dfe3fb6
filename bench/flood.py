"""Send so many webhooks a second over connections that are kept: unsigned ones, or calls for which there is no room."""

import base64
import hashlib
import hmac
import socket
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from urllib.parse import urlencode

from bench.loop import Loop
from bench.websocket import READ_BYTES, PeerError, prepare

CONNECTIONS = 32
"""The requests take turns; one that finds its connection waiting for an answer is left out, and counted."""
URL, TOKEN = "https://bench.example.com/answer/twilio", "token-of-the-bench"


@dataclass(frozen=True)
class Webhooks:
    """A kind of webhooks: how each is written, by its number, and what its answer must hold."""

    name: str
    request: Callable[[int], bytes]
    status: bytes
    body: bytes


def _request(number: int, *, signed: bool) -> bytes:
    """Write Twilio's question for a new call; the signature is the one of its webhooks."""
    fields = {"CallSid": f"CA{number:032x}", "From": "+14155550123", "To": "+14255550100", "CallStatus": "ringing"}
    text = URL + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    key = TOKEN if signed else "not-" + TOKEN
    signature = base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha1).digest())
    form = urlencode(fields).encode()
    return (
        b"POST /answer/twilio HTTP/1.1\r\nHost: bench.example.com\r\nX-Twilio-Signature: %b\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%b"
        % (signature, len(form), form)
    )


UNSIGNED = Webhooks("without a signature", lambda number: _request(number, signed=False), b"HTTP/1.1 403 ", b"")
WITHOUT_ROOM = Webhooks(
    "without room", lambda number: _request(number, signed=True), b"HTTP/1.1 200 ", b'<Reject reason="busy"'
)


class Flood:
    """A sender of webhooks to a port of 127.0.0.1, from its making until ``close``."""

    def __init__(self, loop: Loop, port: int, per_s: int, webhooks: Webhooks = UNSIGNED) -> None:
        self.webhooks = webhooks
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
            sender.send(self.webhooks.request(self.sent))
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

    def send(self, request: bytes) -> None:
        """Send one request, and expect its answer."""
        self.waits = True
        if self._sock.send(request) < len(request):
            raise PeerError("the program under test does not read webhooks")

    def _ready(self, _mask: int) -> None:
        try:
            data = self._sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        webhooks = self._flood.webhooks
        if not data.startswith(webhooks.status) or webhooks.body not in data:
            raise PeerError(f"a webhook {webhooks.name} was not refused: {data[:80]!r}")
        self.waits = False
        self._flood.refused += 1

    def close(self) -> None:
        """Drop the connection to the gateway."""
        self._loop.forget(self._sock)
        self._sock.close()
