"""Sorts numbered audio that arrives out of order, and never delays what comes in order. Pure."""

from collections.abc import Sequence

from gateway.phone.events import CallerAudio

WINDOW = 3
"""Chunks that may wait for a missing one; at 20 ms each the caller's words are at most 60 ms late."""
REACH = 50
"""A number further off than this, one second, belongs to a new count."""


class ChunkOrder:
    """The order of one stream's chunks; bounded in memory by ``WINDOW`` chunks."""

    def __init__(self) -> None:
        self._next: int | None = None
        self._early: dict[int, bytes] = {}

    def take(self, chunk: int, audio: bytes) -> Sequence[CallerAudio]:
        """Return the chunks that are in order now; none while this one waits, or where it came too late or twice."""
        if chunk == self._next and not self._early:
            self._next += 1
            return (CallerAudio(audio),)
        if self._next is None or abs(chunk - self._next) > REACH:
            waited = self.flush()
            self._next = chunk + 1
            return (*waited, CallerAudio(audio))
        if chunk < self._next:
            return ()
        self._early[chunk] = audio
        if len(self._early) >= WINDOW:
            self._next = min(self._early)
        return self._ready()

    def flush(self) -> Sequence[CallerAudio]:
        """Return the chunks that still wait, in order."""
        waited = tuple(CallerAudio(self._early[chunk]) for chunk in sorted(self._early))
        self._early.clear()
        return waited

    def _ready(self) -> Sequence[CallerAudio]:
        ready: list[CallerAudio] = []
        while self._next is not None and self._next in self._early:
            ready.append(CallerAudio(self._early.pop(self._next)))
            self._next += 1
        return ready
