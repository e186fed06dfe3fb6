"""Keys that a simulated caller presses, and how they are written on a command line."""

import math
from dataclasses import dataclass, field

from gateway.errors import InputError

KEYS = "0123456789*#ABCD"
KEY_GAP_MS = 250
"""The time from one key to the next: about as fast as a person types a number that is known by heart."""


@dataclass(frozen=True)
class Press:
    """Press ``keys`` in their order, ``at_ms`` after the call began or, without it, when it is the caller's turn."""

    keys: str = field(repr=False)
    at_ms: int | None = None


def parse_press(text: str) -> Press:
    """Parse ``KEYS`` or ``KEYS@SECONDS``; ``InputError`` for anything else, which does not repeat the keys."""
    keys, at, seconds = text.strip().partition("@")
    keys = keys.upper()
    if not keys:
        raise InputError("--press: there is no key, expected KEYS or KEYS@SECONDS, such as 1234#@2.5")
    for number, key in enumerate(keys, 1):
        if key not in KEYS:
            raise InputError(f"--press: character {number} is no key of a phone, expected 0-9, *, # or A-D")
    if not at:
        return Press(keys)
    try:
        at_s = float(seconds)
    except ValueError:
        at_s = math.nan
    if not 0 <= at_s < math.inf:
        raise InputError(f"--press: {seconds!r} behind the @ is no time, expected seconds from 0")
    return Press(keys, round(at_s * 1000))
