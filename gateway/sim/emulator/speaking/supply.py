"""Whether the caller's audio keeps coming: while it does not, a turn cannot end."""

LIMIT_S = 1.0
"""A longer gap is the client's mistake; a network jitter is not."""


class Supply:
    """Audio against the clock. What was sent ahead of real time counts as if it were played."""

    def __init__(self) -> None:
        self._until: float | None = None

    def came(self, now: float, duration_s: float) -> None:
        """So much audio arrived."""
        self._until = max(self._until or now, now) + duration_s

    def gap_s(self, now: float) -> float | None:
        """For how long there has been none, where that is longer than :data:`LIMIT_S`; None before the first audio."""
        if self._until is None or now - self._until <= LIMIT_S:
            return None
        return now - self._until
