"""Counts how the calls of each provider ended of late, by the notes of calls. Pure."""

from collections import deque
from collections.abc import Callable, Iterable

from gateway.call.ending import EndReason
from gateway.call.notes import CallEnded
from gateway.call.record import CallIdentity, TimedNote
from gateway.live.messages import LiveProvider

KEPT = 50
"""Ends of calls that are kept for each provider."""
BROKEN = frozenset({EndReason.STREAM_LOST, EndReason.STREAM_STALLED, EndReason.STREAM_BROKEN})


class RecentEnds:
    """The last ends of calls of each provider. ``now`` is Unix time."""

    def __init__(self, providers: Iterable[str], now: Callable[[], float]) -> None:
        self._now = now
        self._ends: dict[str, deque[bool]] = {name: deque(maxlen=KEPT) for name in providers}
        self._last: dict[str, float] = {}

    def observe(self, call: CallIdentity, timed: TimedNote) -> None:
        """Take the note of a call's end; any other is passed over."""
        if type(timed.note) is CallEnded and (ends := self._ends.get(call.provider)) is not None:
            ends.append(timed.note.reason in BROKEN)
            self._last[call.provider] = self._now()

    def shown(self) -> tuple[LiveProvider, ...]:
        """Return each provider."""
        return tuple(
            LiveProvider(name=name, ended=len(ends), broken=sum(ends), last_end=self._last.get(name))
            for name, ends in self._ends.items()
        )
