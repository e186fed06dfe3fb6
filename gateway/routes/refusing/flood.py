"""Decides which of many like events are logged: a few a minute, then a count of the others. Pure."""

from collections.abc import Hashable
from typing import Generic, TypeVar

import msgspec

LOGGED = 20
"""Events of a kind that are logged in each period."""
PERIOD_S = 60.0

Kind = TypeVar("Kind", bound=Hashable)


class _Period(msgspec.Struct):
    ends_at: float
    logged: int = 0
    left_out: int = 0


class Flood(Generic[Kind]):
    """Counts events by kind. There must be few kinds, and a peer must not be able to make up new ones."""

    def __init__(self) -> None:
        self._periods: dict[Kind, _Period] = {}

    def admits(self, kind: Kind, now: float) -> bool:
        """Return ``True`` if an event is to be logged; otherwise count it."""
        period = self._periods.get(kind)
        if period is None or (now >= period.ends_at and not period.left_out):
            period = self._periods[kind] = _Period(now + PERIOD_S)
        if period.logged < LOGGED and now < period.ends_at:
            period.logged += 1
            return True
        period.left_out += 1
        return False

    def next_deadline(self) -> float | None:
        """Return when the next count of events that were left out is due."""
        return min((period.ends_at for period in self._periods.values() if period.left_out), default=None)

    def left_out(self, now: float) -> list[tuple[Kind, int]]:
        """Return how many events of each kind were left out in periods that are over, and reset these counts."""
        over = [(kind, period) for kind, period in self._periods.items() if now >= period.ends_at]
        for kind, _ in over:
            del self._periods[kind]
        return [(kind, period.left_out) for kind, period in over if period.left_out]
