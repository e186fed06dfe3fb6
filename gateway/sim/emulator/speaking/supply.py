"""The supply of the caller's audio: while it is interrupted, a turn cannot end."""

LIMIT_S = 1.0
"""A longer gap is the client's mistake; network jitter is not."""


class Supply:
    """The audio against the clock. Audio that was sent ahead of real time counts as if it were played."""

    def __init__(self) -> None:
        self._until: float | None = None

    def came(self, now: float, duration_s: float) -> None:
        """Note that so much audio arrived."""
        self._until = max(self._until or now, now) + duration_s

    def gap_s(self, now: float) -> float | None:
        """Return how long there has been no audio, if longer than :data:`LIMIT_S`; None before the first audio."""
        if self._until is None or now - self._until <= LIMIT_S:
            return None
        return now - self._until
