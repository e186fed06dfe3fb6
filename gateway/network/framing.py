"""Writes the frames of a WebSocket (RFC 6455 §5.2), for a server masked (§5.3). Pure, but for the random key."""

from random import getrandbits
from struct import Struct
from typing import Final

from aiohttp._websocket.helpers import websocket_mask

FINAL: Final = 0x80
MASKED: Final = 0x80
"""The bit that says so, beside the length."""
TEXT: Final = 1
_short: Final = Struct("!BB").pack
_medium: Final = Struct("!BBH").pack
_long: Final = Struct("!BBQ").pack


def framed(message: str | bytes, opcode: int, mask_bit: int) -> bytes:
    """Return a message as one frame; ``opcode`` is that of bytes, ``mask_bit`` is ``MASKED`` or 0."""
    if isinstance(message, str):
        opcode = TEXT
        try:
            payload = message.encode()
        except UnicodeEncodeError:  # no text ends a call
            payload = message.encode(errors="replace")
    else:
        payload = message
    size = len(payload)
    if size < 126:
        head = _short(FINAL | opcode, mask_bit | size)
    elif size < 65536:
        head = _medium(FINAL | opcode, mask_bit | 126, size)
    else:
        head = _long(FINAL | opcode, mask_bit | 127, size)
    if not mask_bit:
        return head + payload
    key = getrandbits(32).to_bytes(4, "big")
    masked = bytearray(payload)
    websocket_mask(key, masked)
    return head + key + masked
