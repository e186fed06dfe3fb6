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
_short_masked: Final = Struct("!BBI").pack
_medium_masked: Final = Struct("!BBHI").pack
_long_masked: Final = Struct("!BBQI").pack
# Compiled, a Final is found without a look into the module's dictionary.
_random_bits: Final = getrandbits
_mask: Final = websocket_mask


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
    if not mask_bit:
        if size < 126:
            return _short(FINAL | opcode, size) + payload
        if size < 65536:
            return _medium(FINAL | opcode, 126, size) + payload
        return _long(FINAL | opcode, 127, size) + payload
    key = _random_bits(32)
    if size < 126:
        head = _short_masked(FINAL | opcode, MASKED | size, key)
    elif size < 65536:
        head = _medium_masked(FINAL | opcode, MASKED | 126, size, key)
    else:
        head = _long_masked(FINAL | opcode, MASKED | 127, size, key)
    masked = bytearray(payload[0:])  # compiled, a slice is copied more quickly than bytes are
    _mask(head[-4:], masked)
    return head + masked
