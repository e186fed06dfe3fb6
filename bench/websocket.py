"""The load's end of a WebSocket: just enough of RFC 6455 for peers that keep to it, and no more."""

import base64
import hashlib
import json
import select
import socket
import ssl
from collections.abc import Callable
from typing import Any

from bench.loop import Loop

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
NO_MASK = b"\0\0\0\0"  # a legal masking key that leaves the payload as it is; the peer unmasks all the same
READ_BYTES = 65536
NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

Frame = tuple[int, int, int, int]
"""Opcode, where the masking key stands (0: not masked), start and end of the payload."""


class PeerError(Exception):
    """An error of the peer that this bench cannot measure; the message names it."""


class LateError(PeerError):
    """A wait for the peer that took too long; on an idle machine that is the peer's fault."""


class BusyError(PeerError):
    """A wait that took too long because others had the cores: nothing can be measured now."""


def frame(payload: bytes, *, masked: bool, opcode: int = TEXT) -> bytes:
    """Write one whole frame. RFC 6455 §5.2."""
    size = len(payload)
    bit = 0x80 if masked else 0
    if size < 126:
        head = bytes((0x80 | opcode, bit | size))
    elif size < 65536:
        head = bytes((0x80 | opcode, bit | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, bit | 127)) + size.to_bytes(8, "big")
    return head + NO_MASK + payload if masked else head + payload


_MASKED_HEADS = [frame(b" " * size, masked=True)[: -size or None] for size in range(1024)]


def short_text(payload: bytes) -> bytes:
    """Write a masked text frame of a payload below 1024 bytes, quicker than ``frame``."""
    return _MASKED_HEADS[len(payload)] + payload


def frames_in(data: bytes) -> tuple[list[Frame], int]:
    """Find the whole frames in what was read, and where the first incomplete one begins."""
    found: list[Frame] = []
    at, end = 0, len(data)
    while end - at >= 2:
        second = data[at + 1]
        size, body = second & 0x7F, at + 2
        if size == 126:
            body += 2
            if body > end:
                break
            size = data[at + 2] << 8 | data[at + 3]
        elif size == 127:
            body += 8
            if body > end:
                break
            size = int.from_bytes(data[at + 2 : at + 10], "big")
        key = 0
        if second & 0x80:
            key = body
            body += 4
        if body + size > end:
            break
        found.append((data[at] & 0x0F if data[at] & 0x80 else -1, key, body, body + size))
        at = body + size
    return found, at


def unmask(data: bytes, key: int, start: int, end: int) -> bytes:
    """Remove the masking key at ``key`` (0: none) from ``data[start:end]``. RFC 6455 §5.3."""
    if not key:
        return data[start:end]
    size = end - start
    mask = data[key : key + 4] * (size // 4 + 1)
    return (int.from_bytes(data[start:end], "little") ^ int.from_bytes(mask[:size], "little")).to_bytes(size, "little")


def prepare(sock: socket.socket) -> None:
    """Set the socket up to never wait, neither to receive nor to send, and to acknowledge with the next frame.

    The delayed acknowledgement costs the load a third less per frame. A connection with traffic both ways behaves so
    anyway.
    """
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)


class Peer:
    """A WebSocket on a non-blocking socket: ``opened``, ``message`` and ``gone`` are for subclasses to fill.

    On a socket with TLS the handshake happens as it is read: OpenSSL does it before it returns the first bytes. It
    reads no more than one record at once, so that the loop sees what is left.
    """

    is_client = False

    def __init__(self, loop: Loop, sock: socket.socket) -> None:
        self.loop = loop
        self.sock = sock
        # What recv() of a socket with TLS does is done by read(), one call deeper.
        self._receive: Callable[[int], bytes] = sock.read if isinstance(sock, ssl.SSLSocket) else sock.recv
        self.is_open = False
        self.is_gone = False
        self.may_be_refused = False
        """``True`` if a server that has no room is no fault, but the end of the connection."""
        self.usual_size = -1
        self._rest = b""
        self._unsent = bytearray()
        self._closing = False

    def opened(self) -> None:
        """Act on the end of the handshake."""

    def usual(self, data: bytes) -> bool:
        """Take a read of ``usual_size`` bytes without even looking for frames; False if it is another one."""
        return False

    def hot(self, data: bytes, key: int, start: int, end: int) -> bool:
        """Take a text frame without parsing it; False hands it to ``message``."""
        return False

    def message(self, message: dict[str, Any]) -> None:
        """Take a text frame that ``hot`` left."""

    def gone(self) -> None:
        """Act on the end of the connection."""

    def send(self, data: bytes) -> None:
        """Write frames; what the peer does not take now is written when it does."""
        if self.is_gone:
            return
        if not self._unsent:
            try:
                taken = self.sock.send(data)
            except NOT_NOW:
                taken = 0
            except OSError:
                self.end()
                return
            if taken == len(data):
                return
            data = data[taken:]
            self.loop.want_write(self.sock, True)
        self._unsent += data

    def close(self, code: int = 1000) -> None:
        """Begin the closing handshake. RFC 6455 §7.1.2."""
        if not self._closing:
            self._closing = True
            self.send(frame(code.to_bytes(2, "big"), masked=self.is_client, opcode=CLOSE))

    def end(self) -> None:
        """Drop the connection to the peer."""
        if not self.is_gone:
            self.is_gone, self.is_open = True, False
            self.loop.forget(self.sock)
            self.sock.close()
            self.gone()

    def ready(self, mask: int) -> None:
        """Read or write the socket; the loop calls this when it is ready."""
        if mask & select.EPOLLOUT:
            self._write()
        if not self.is_gone and mask & ~select.EPOLLOUT:
            try:
                data = self._receive(READ_BYTES)
            except NOT_NOW:
                return
            except OSError:
                data = b""
            if len(data) == self.usual_size and not self._rest and self.usual(data):
                return
            if data:
                self._read(self._rest + data if self._rest else data)
            else:
                self.end()

    def _write(self) -> None:
        try:
            del self._unsent[: self.sock.send(self._unsent)]
        except NOT_NOW:
            return
        except OSError:
            self.end()
            return
        if not self._unsent:
            self.loop.want_write(self.sock, False)

    def _read(self, data: bytes) -> None:
        if not self.is_open:
            data = self._shake_hands(data)
            if not self.is_open:
                self._rest = data
                return
        found, rest = frames_in(data)
        for opcode, key, start, end in found:
            if opcode == TEXT:
                if not self.hot(data, key, start, end):
                    self.message(json.loads(unmask(data, key, start, end)))
            else:
                self._control(opcode, unmask(data, key, start, end))
            if self.is_gone:
                return
        self._rest = data[rest:]

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self.send(frame(payload, masked=self.is_client, opcode=PONG))
        elif opcode == CLOSE:
            if not self._closing:
                self.send(frame(payload[:2], masked=self.is_client, opcode=CLOSE))
            self.end()
        elif opcode != PONG:
            raise PeerError(f"a frame with opcode {opcode} (-1: fragmented), which neither wire has")

    def _shake_hands(self, data: bytes) -> bytes:
        head, end, rest = data.partition(b"\r\n\r\n")
        if not end:
            return data
        if self.is_client:
            if self.may_be_refused and head.startswith(b"HTTP/1.1 503"):
                self.end()
                return b""
            if not head.startswith(b"HTTP/1.1 101"):
                raise PeerError(f"the stream was refused: {head.splitlines()[0].decode()}")
        else:
            self.send(upgrade_answer(head))
        self.is_open = True
        self.opened()
        return rest


def upgrade_request(path: str, port: int) -> bytes:
    """Write the opening request. RFC 6455 §4.1."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def upgrade_answer(head: bytes) -> bytes:
    """Write the answer to an opening request. RFC 6455 §4.2.2."""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"sec-websocket-key":
            accept = base64.b64encode(hashlib.sha1(value.strip() + GUID, usedforsecurity=False).digest())
            return (
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
            )
    raise PeerError(f"a request without Sec-WebSocket-Key: {head.splitlines()[0].decode()}")
