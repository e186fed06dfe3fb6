"""Sees to it that a client masks its frames, as it must (RFC 6455 §5.1): aiohttp's reader takes both kinds."""

from collections.abc import Callable

from aiohttp import WebSocketError, WSCloseCode
from aiohttp.http_websocket import WebSocketReader

MASKED = 0x80
LENGTH = 0x7F
WORD = 126
"""A length that says that two bytes with the length follow; 127 says that eight do."""
AUDIO = MASKED | WORD


class MaskedFrames:
    """Hands what is read to ``reader`` as long as each frame in it is masked; ``refuse`` is told of one that is not."""

    def __init__(self, reader: WebSocketReader, refuse: Callable[[WebSocketError], object]) -> None:
        self._feed: Callable[[bytes], tuple[bool, bytes]] = reader.feed_data
        self._feed_eof = reader.feed_eof
        self._refuse = refuse
        self._is_between = True
        """Whether the next byte begins a frame."""
        self._skip = 0
        """Bytes of the frame under way that are still to come."""
        self._begun = b""
        """The first bytes of a frame whose length is not yet known."""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Take what was read, which is mostly one whole frame, or its beginning or end."""
        # One whole frame of 126 bytes or more: so comes all audio.
        if self._is_between and len(data) > 8 and data[1] == AUDIO and len(data) == (data[2] << 8 | data[3]) + 8:
            return self._feed(data)
        return self._feed(data) if self._are_masked(data) else (True, b"")

    def feed_eof(self) -> None:
        """Take the end of the connection."""
        self._feed_eof()

    def _are_masked(self, data: bytes) -> bool:
        refuse = self._refuse
        data, at = self._begun + data, self._skip
        self._begun, self._skip, self._is_between = b"", 0, False
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
        self._is_between = not self._skip
        return True


def _ignore(anything: object) -> tuple[bool, bytes]:
    return True, b""


def _size(head: bytes) -> int | None:
    """Return the bytes of a masked frame by its first ones, or ``None`` where they are too few to tell."""
    if len(head) < 2:
        return None
    length = head[1] & LENGTH
    if length < WORD:
        return 6 + length
    words = 2 if length == WORD else 8
    return 6 + words + int.from_bytes(head[2 : 2 + words], "big") if len(head) >= 2 + words else None
