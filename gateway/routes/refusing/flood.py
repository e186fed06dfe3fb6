"""Decides which of many like events are told one by one: a few a minute, and how many more there were. Pure."""

from collections.abc import Hashable
from typing import Generic, TypeVar

import msgspec

TOLD = 20
"""Events of a kind that are told in each period."""
PERIOD_S = 60.0

Kind = TypeVar("Kind", bound=Hashable)


class _Period(msgspec.Struct):
    ends_at: float
    told: int = 0
    left_out: int = 0


class Flood(Generic[Kind]):
    """Counts events by kind; there must be few kinds, none of which a peer can make up."""

    def __init__(self) -> None:
        self._periods: dict[Kind, _Period] = {}

    def admits(self, kind: Kind, now: float) -> bool:
        """Whether an event is to be told; one that is not is counted."""
        period = self._periods.get(kind)
        if period is None or (now >= period.ends_at and not period.left_out):
            period = self._periods[kind] = _Period(now + PERIOD_S)
        if period.told < TOLD and now < period.ends_at:
            period.told += 1
            return True
        period.left_out += 1
        return False

    def next_deadline(self) -> float | None:
        """When the next count of what was left out is due."""
        return min((period.ends_at for period in self._periods.values() if period.left_out), default=None)

    def left_out(self, now: float) -> list[tuple[Kind, int]]:
        """Return how many events of each kind were left out in periods that are over; they begin anew."""
        over = [(kind, period) for kind, period in self._periods.items() if now >= period.ends_at]
        for kind, _ in over:
            del self._periods[kind]
        return [(kind, period.left_out) for kind, period in over if period.left_out]
