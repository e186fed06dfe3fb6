"""What all wires of JSON text have in common. Pure."""

import msgspec

from gateway.errors import WireError
from gateway.phone.events import DigitPressed
from gateway.text import json_text

UNREADABLE = (msgspec.DecodeError, UnicodeError, RecursionError)
"""What reading a peer's JSON may raise: broken JSON or another shape, a lone surrogate, nesting without end."""
KEYS = frozenset("0123456789*#ABCD")


def key_pressed(digit: str) -> DigitPressed:
    """The event of a key; ``WireError`` where it is none."""
    if digit not in KEYS:
        raise WireError(f"dtmf: a text of {len(digit)} characters is not a key")
    return DigitPressed(digit)


def text_of(text: str) -> str:
    """A JSON string, quotes included."""
    return json_text(text)
