"""When a call asks for one more session: back-off with jitter, bounded in time and tries. Pure."""

from random import Random

from gateway.call.settings import Trouble

FIRST_WAIT_S = 0.2
"""The first try comes within this time, at random: a service that restarts has lost many calls at once."""
WAIT_S, LONGEST_WAIT_S = 0.5, 4.0
"""The wait before the second try, which doubles for each further one; half of it is at random."""


class Attempts:
    """The tries of one call. They are counted until a session has brought a sound. Times are in seconds."""

    def __init__(self, rule: Trouble) -> None:
        self._rule = rule
        self._chance: Random | None = None
        self._count = 0
        self._until = 0.0
        self._is_proven = True

    @property
    def count(self) -> int:
        """The tries since the last session that brought a sound."""
        return self._count

    def begin(self, now: float, limit_s: float) -> None:
        """Begin to try; go on counting where the last session that was found has brought no sound."""
        if self._is_proven:
            self._count, self._until = 0, now + limit_s
        self._is_proven = False

    def proven(self) -> None:
        """Note that a session has brought a sound."""
        self._is_proven = True

    @property
    def until(self) -> float:
        """When it is too late."""
        return self._until

    def next_at(self, now: float) -> float | None:
        """Return when to try next, and count that try; ``None`` if that is one too many or too late."""
        if self._chance is None:
            self._chance = Random(self._rule.seed)  # noqa: S311 -- no secret
        wait_s = min(LONGEST_WAIT_S, WAIT_S * 2 ** (self._count - 1)) if self._count else 0.0
        at = now + wait_s / 2 + self._chance.random() * (wait_s / 2 if self._count else FIRST_WAIT_S)
        if self._count >= self._rule.tries or at >= self._until:
            return None
        self._count += 1
        return at
