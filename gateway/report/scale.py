"""The scale of bars that show times. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

_ENDS_MS = (100, 200, 500, 1_000, 2_000, 3_000, 5_000, 10_000, 20_000, 30_000, 60_000)
_OUTLIER = 4
"""A time beyond so many times the median leaves the scale instead of squashing all others."""


@dataclass(frozen=True)
class Scale:
    """A scale from 0 to ``end_ms``."""

    end_ms: int

    @property
    def ticks(self) -> tuple[str, str, str]:
        """The labels of its start, middle and end."""
        return "0", _told(self.end_ms / 2), _told(self.end_ms)

    def share(self, ms: float) -> float:
        """Return the length of a bar in percent; 100 for one that is longer than the scale."""
        return min(100.0, 100 * ms / self.end_ms)

    def exceeded(self, ms: float) -> bool:
        """Return whether a bar is longer than the scale."""
        return ms > self.end_ms


def scale_of(times_ms: Sequence[float]) -> Scale:
    """Return a round scale that shows all of them, but for outliers."""
    ordered = sorted(times_ms)
    longest = min(ordered[-1], _OUTLIER * ordered[len(ordered) // 2]) if ordered else 0
    return Scale(next((end for end in _ENDS_MS if end >= longest), _ENDS_MS[-1]))


def _told(ms: float) -> str:
    return f"{ms:g} ms" if ms < 1_000 else f"{ms / 1_000:g} s"
