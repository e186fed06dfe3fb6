"""Reads the frames of a client, which must be masked (RFC 6455 §5.1): aiohttp's reader takes both kinds.

Almost every frame is one message, read whole: a piece of audio as long as one before it, or something short. Those are
unmasked and delivered here, which costs less than to check them and pass them on; aiohttp reads all others.
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
"""Bytes before the mask in a frame of 126 to 65,535 bytes: its kind, and its length."""
PAYLOAD: Final = HEAD + 4
SHORT: Final = 6
"""Bytes before the payload, the mask included, in a frame of less than 126 bytes."""
TEXT: Final = 1
BINARY: Final = 2
_MESSAGES: Final = (FINAL | TEXT, FINAL | BINARY)
_CONTROL: Final = (FINAL | 9, FINAL | 10)
"""A ping and a pong."""
_READ: Final = (False, b"")
_IGNORED: Final = (True, b"")
_mask: Final = websocket_mask
"""Compiled, a ``Final`` is found without a look into the module's dictionary."""


class MaskedFrames:
    """Reads a client's frames as ``reader`` would, as long as each is masked; calls ``refuse`` for one that is not.

    ``deliver`` receives the messages that are read here.
    """

    def __init__(
        self,
        reader: WebSocketReader,
        deliver: Callable[[str | bytes], None],
        refuse: Callable[[WebSocketError], object],
    ) -> None:
        self._feed: Callable[[bytes], tuple[bool, bytes]] = reader.feed_data
        self._feed_eof = reader.feed_eof
        self._deliver = deliver
        self._refuse = refuse
        self._is_fresh = False
        """``True`` where the next byte begins a message."""
        self._size = 0
        """The size of the last longer message that was read whole, in one frame."""
        self._head = b""
        """The first bytes of that frame, which say that size: a frame that begins alike is masked and has that size."""
        self._skip = 0
        """Bytes of the current frame that are still to come."""
        self._begun = b""
        """The first bytes of a frame whose length is not yet known."""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Take the bytes that were read, mostly one whole frame, or its beginning or end."""
        start = 0
        if self._is_fresh:
            start = PAYLOAD if len(data) == self._size and data[:HEAD] == self._head else _short(data)
        if not start:
            return self._feed(data) if self._are_masked(data) else _IGNORED
        payload = bytearray(data[start:])
        _mask(data[start - 4 : start], payload)
        if data[0] == FINAL | TEXT:
            try:
                text = payload.decode()
            except UnicodeDecodeError:
                return self._feed(data)  # it closes the connection in order
            self._deliver(text)
        else:
            self._deliver(bytes(payload))
        return _READ

    def feed_eof(self) -> None:
        """Take the end of the connection."""
        self._feed_eof()

    def _are_masked(self, data: bytes) -> bool:
        refuse = self._refuse
        data, at = self._begun + data, self._skip
        was_fresh, self._is_fresh = self._is_fresh, False
        self._begun, self._skip = b"", 0
        size: int | None = None
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
            at += size
        self._skip = at - len(data)
        if at == size == len(data):  # one frame, and all of it
            self._is_fresh = data[0] in _MESSAGES or (was_fresh and data[0] in _CONTROL)
            if data[0] in _MESSAGES and data[1] == MASKED | WORD:
                self._size, self._head = size, data[:HEAD]
        return True


def _ignore(anything: object) -> tuple[bool, bytes]:
    return _IGNORED


def _short(data: bytes) -> int:
    """Return where the payload begins, if ``data`` is a masked message of less than 126 bytes, else 0."""
    is_one = len(data) >= SHORT and data[0] in _MESSAGES and MASKED <= data[1] < MASKED | WORD
    return SHORT if is_one and len(data) == SHORT + (data[1] & LENGTH) else 0


def _size(head: bytes) -> int | None:
    """Return the bytes of a masked frame by its first ones, or ``None`` where there are too few of them."""
    if len(head) < 2:
        return None
    length = head[1] & LENGTH
    if length < WORD:
        return 6 + length
    words = 2 if length == WORD else 8
    return 6 + words + int.from_bytes(head[2 : 2 + words], "big") if len(head) >= 2 + words else None
