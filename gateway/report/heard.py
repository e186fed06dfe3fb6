"""The sound of a call, and the figures that were measured on it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gateway.report.turns import BargeIn, Latency

Stereo = npt.NDArray[np.int16]


def _nothing() -> Stereo:
    return np.zeros((0, 2), np.int16)


@dataclass(frozen=True)
class Heard:
    """The sound of a call as samples of shape ``(n, 2)``, the caller left, the bot right; empty where there is none.

    It begins ``sound_from_ms`` after the call did, as that of a caller who was asked first.
    ``latencies`` are answers to words, ``keyed`` those to keys; ``greeting_ms`` is ``None`` where the bot did not speak
    before the caller.
    """

    duration_ms: int
    stereo: Stereo = field(default_factory=_nothing)
    rate_hz: int = 8000
    sound_from_ms: int = 0
    greeting_ms: int | None = None
    latencies: Sequence[Latency] = ()
    keyed: Sequence[Latency] = ()
    barge_ins: Sequence[BargeIn] = ()

    @property
    def has_sound(self) -> bool:
        """True if there is a recording."""
        return bool(self.stereo.size)
