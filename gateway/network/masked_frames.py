"""Reads the frames of a client, which must be masked (RFC 6455 §5.1): aiohttp's reader takes both kinds.

Almost every frame is one piece of audio, as long as the one before and read whole. Those are unmasked and delivered
here, which costs less than to check them and pass them on; aiohttp reads all others.
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
TEXT: Final = 1
BINARY: Final = 2
NONE: Final = -1
_READ: Final = (False, b"")
_IGNORED: Final = (True, b"")


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
        self._whole = NONE
        """The size of a message that was read whole, in one frame, where the next byte begins a message."""
        self._head = b""
        """The first bytes of that frame, which say that size: a frame that begins alike is masked and has that size."""
        self._is_text = False
        self._skip = 0
        """Bytes of the current frame that are still to come."""
        self._begun = b""
        """The first bytes of a frame whose length is not yet known."""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Take the bytes that were read, mostly one whole frame, or its beginning or end."""
        if len(data) != self._whole or data[:HEAD] != self._head:
            return self._feed(data) if self._are_masked(data) else _IGNORED
        payload = bytearray(data[PAYLOAD:])
        websocket_mask(data[HEAD:PAYLOAD], payload)
        if self._is_text:
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
        self._begun, self._skip, self._whole = b"", 0, NONE
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
        if at == size == len(data) and data[0] in (FINAL | TEXT, FINAL | BINARY) and data[1] == MASKED | WORD:
            self._whole, self._head, self._is_text = size, data[:HEAD], data[0] == FINAL | TEXT
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
