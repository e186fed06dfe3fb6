"""The keys that a simulated caller presses."""

import re
from dataclasses import dataclass

from gateway.errors import InputError

KEY_GAP_MS = 240
"""From one key to the next, as fast as a thumb."""

_PRESS = re.compile(r"(?P<keys>[0-9*#A-D]{1,64})(@(?P<at>\d{1,4}(\.\d{1,3})?))?")


@dataclass(frozen=True)
class Press:
    """Keys to press one after the other: at a moment of the call, or when the bot's turn is over.

    Which keys they are is not shown: they may be a caller's secret.
    """

    keys: str
    at_ms: int | None = None

    def __repr__(self) -> str:
        when = "in turn" if self.at_ms is None else f"at {self.at_ms} ms"
        return f"<{len(self.keys)} keys, {when}>"

    @property
    def duration_ms(self) -> int:
        """From the first key to one gap behind the last."""
        return len(self.keys) * KEY_GAP_MS


def parse_press(text: str) -> Press:
    """``1234#@2.5``: these keys 2.5 s after the call began; ``1234#``: in turn. ``InputError`` for anything else."""
    match = _PRESS.fullmatch(text)
    if match is None:
        raise InputError("--press: expected keys (0-9, *, #, A-D) and perhaps @SECONDS, such as 1234# or 0@2.5")
    at = match["at"]
    return Press(match["keys"], None if at is None else round(float(at) * 1000))
