"""Names in the audio itself, so that a frame is known again without parsing the message that carries it.

Every 20 ms of µ-law (160 bytes) begin with nine bytes: which way, whose, and which one. Nine bytes are twelve
characters of base64, so that they can be read from the text as they stand.
"""

import base64
import random

FRAME_BYTES = 160
FRAME_S = 0.02
LONGEST_FRAMES = 20_000  # 400 s of one call

QUIET = bytes((*range(0x70, 0x80), *range(0xF0, 0x100)))
"""The µ-law codes of the 32 quietest samples: nothing takes audio of them for a caller who speaks over the bot."""
_BITS = 5

CALLER, BOT = b"fHx4", b"+Pz8"
TAG_CHARS = 12
FRAME_CHARS = 216  # base64 of 160 bytes

_noise = random.Random(20)
_FILL = bytes(_noise.choice(QUIET) for _ in range(FRAME_BYTES - 9))
FILL_TEXT = base64.b64encode(_FILL)


def text_of(number: int) -> bytes:
    """Return a number below 2**15 as four characters of base64, which stand for three quiet samples."""
    return base64.b64encode(_samples_of(number))


def _samples_of(number: int) -> bytes:
    return bytes(QUIET[number >> shift & len(QUIET) - 1] for shift in (2 * _BITS, _BITS, 0))


NUMBERS = [text_of(n) for n in range(LONGEST_FRAMES)]
NUMBER_OF = {text: n for n, text in enumerate(NUMBERS)}

_CALLER_BYTES = base64.b64decode(CALLER)
_BOT_BYTES = base64.b64decode(BOT)
_BOT_BLOCKS = [_samples_of(n) + _FILL for n in range(3000)]


def caller_text(call: int) -> bytes:
    """Return the text that precedes a frame's number in the base64 of that caller's audio."""
    return CALLER + text_of(call)


def is_caller_frame(block: bytes) -> bool:
    """Return whether 160 bytes are as a caller sent them."""
    return block.startswith(_CALLER_BYTES) and block.endswith(_FILL) and len(block) == FRAME_BYTES


def is_reply_block(block: bytes) -> bool:
    """Return whether bytes are a block of a reply as the service sent it, or its start (a last one may be short)."""
    return block.startswith(_BOT_BYTES) and _FILL.startswith(block[9:])


def reply_audio(reply: int, size: int) -> bytes:
    """Return ``size`` bytes of µ-law, each block of which names its reply and its place in the reply."""
    head = _BOT_BYTES + _samples_of(reply)
    blocks = -(-size // FRAME_BYTES)
    return b"".join([head + block for block in _BOT_BLOCKS[:blocks]])[:size]


def base64_size(data: bytes, start: int, end: int) -> int:
    """Return how many bytes the base64 text ``data[start:end]`` stands for."""
    return (end - start) * 3 // 4 - data.count(b"=", end - 2, end)
