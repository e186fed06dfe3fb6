"""Reads the frames of a client, which must be masked (RFC 6455 §5.1): aiohttp's reader takes both kinds.

Almost every frame is one message, read whole, alone or behind others. Those are unmasked and delivered here, which
costs less than to check them and pass them on; aiohttp reads all others.
"""

from collections.abc import Callable
from typing import Final

from aiohttp import WebSocketError, WSCloseCode
from aiohttp._websocket.helpers import websocket_mask
from aiohttp.http_websocket import WebSocketReader

FINAL: Final = 0x80
MASKED: Final = 0x80
LENGTH: Final = 0x7F
WORD: Final = 126
"""A length that says that two bytes with the length follow; 127 says that eight do."""
HEAD: Final = 4
"""Bytes of a masked frame that say its kind and its length, unless that has eight bytes; no such frame is shorter."""
SHORT: Final = 6
"""Bytes before the payload, the mask included, in a frame of less than 126 bytes."""
LONGER: Final = 8
"""The same in a frame of 126 to 65,535 bytes."""
LARGEST: Final = 0x10000
"""More than two bytes of length can say."""
TEXT: Final = 1
BINARY: Final = 2
_MESSAGES: Final = (FINAL | TEXT, FINAL | BINARY)
OPCODE: Final = 0x0F
CONTROL: Final = 8
"""The first opcode of control frames, which may stand between the parts of a message."""
_READ: Final = (False, b"")
_IGNORED: Final = (True, b"")
_mask: Final = websocket_mask
"""Compiled, a ``Final`` is found without a look into the module's dictionary."""


class MaskedFrames:
    """Reads a client's frames as ``reader`` would, as long as each is masked; calls ``refuse`` for one that is not.

    ``deliver`` receives the messages that are read here: those that are shorter than ``max_message`` bytes, if that is
    not 0, as ``reader`` refuses longer ones.
    """

    def __init__(
        self,
        reader: WebSocketReader,
        deliver: Callable[[str | bytes], None],
        refuse: Callable[[WebSocketError], object],
        max_message: int,
    ) -> None:
        self._feed: Callable[[bytes], tuple[bool, bytes]] = reader.feed_data
        self._feed_eof = reader.feed_eof
        self._deliver = deliver
        self._refuse = refuse
        self._max_message = max_message or LARGEST
        self._head = b""
        """The first bytes of the last message that was read here: a frame that begins alike has the same measures."""
        self._start = self._stop = 0
        """The places in it at which its payload begins and ends."""
        self._is_text = False
        self._is_fresh = True
        """``True`` where the next byte begins a message, or a control frame."""
        self._is_between = True
        """``True`` where the last frame that began is not followed by another part of its message."""
        self._skip = 0
        """Bytes of the current frame that are still to come."""
        self._begun = b""
        """The first bytes of a frame whose length is not yet known."""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Take the bytes that were read, mostly one whole frame, or its beginning or end."""
        at, end = 0, len(data) if self._is_fresh else 0
        while at < end:
            head = data[at : at + HEAD]
            if head != self._head and not self._measure(head):
                break
            start, stop = at + self._start, at + self._stop
            if stop > end:
                break
            payload = bytearray(data[start:stop])
            _mask(data[start - 4 : start], payload)
            if self._is_text:
                try:
                    text = payload.decode()
                except UnicodeDecodeError:
                    break  # aiohttp closes the connection in order
                self._deliver(text)
            else:
                self._deliver(bytes(payload))
            at = stop
            if at == end:
                return _READ
        rest = data[at:] if at else data
        return self._feed(rest) if self._are_masked(rest) else _IGNORED

    def _measure(self, head: bytes) -> bool:
        """Note the measures of a frame that begins so; return ``False`` if it is not read here."""
        if len(head) < HEAD or head[0] not in _MESSAGES:
            return False
        size, start = head[1] ^ MASKED, SHORT  # without the bit for it, this is more than any length
        if size == WORD:
            size, start = head[2] << 8 | head[3], LONGER
        elif size > WORD:
            return False
        if size >= self._max_message:
            return False
        self._head, self._start, self._stop, self._is_text = head, start, start + size, head[0] == FINAL | TEXT
        return True

    def feed_eof(self) -> None:
        """Take the end of the connection."""
        self._feed_eof()

    def _are_masked(self, data: bytes) -> bool:
        refuse = self._refuse
        data, at = self._begun + data, self._skip
        self._is_fresh, self._begun, self._skip = False, b"", 0
        while at < len(data):
            head = data[at : at + 10]
            if len(head) > 1 and not head[1] & MASKED:
                self._feed = self._refuse = _ignore
                refuse(WebSocketError(WSCloseCode.PROTOCOL_ERROR, "a frame of the client is not masked"))
                return False
            size = _size(head)
            if size is None:
                self._begun = head
                return True
            if head[0] & OPCODE < CONTROL:
                self._is_between = bool(head[0] & FINAL)
            at += size
        self._skip = at - len(data)
        self._is_fresh = self._is_between and not self._skip
        return True


def _ignore(anything: object) -> tuple[bool, bytes]:
    return _IGNORED


def _size(head: bytes) -> int | None:
    """Return the bytes of a masked frame by its first ones, or ``None`` where there are too few of them."""
    if len(head) < 2:
        return None
    length = head[1] & LENGTH
    if length < WORD:
        return 6 + length
    words = 2 if length == WORD else 8
    return 6 + words + int.from_bytes(head[2 : 2 + words], "big") if len(head) >= 2 + words else None
