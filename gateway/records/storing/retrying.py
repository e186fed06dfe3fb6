"""When a recording is tried again, and what of the failures is reported. Pure: time and chance are arguments."""

from collections.abc import Callable, Iterable

FIRST_S, LONGEST_S = 2.0, 300.0
REPORT_AGAIN_S = 3600.0


class Retrying:
    """The tries of all recordings. ``chance`` returns a number from 0 to 1, which spreads the tries of processes.

    Where nothing succeeds any more, the store is away: then one recording alone is tried, at growing intervals.
    """

    def __init__(self, chance: Callable[[], float]) -> None:
        self._chance = chance
        self._failures: dict[str, tuple[int, float]] = {}
        self._away, self._away_until = 0, 0.0
        self._reported_at = 0.0

    @property
    def is_away(self) -> bool:
        """Return whether the last try failed and none has succeeded since."""
        return self._away > 0

    @property
    def count(self) -> int:
        """The number of recordings that failed and have not succeeded since."""
        return len(self._failures)

    def due(self, keys: Iterable[str], now: float) -> list[str]:
        """Return the recordings to be tried now, those that have failed least first; one alone if the store is away."""
        known = list(keys)
        self._failures = {key: self._failures[key] for key in known if key in self._failures}
        if self._away:
            if now < self._away_until:
                return []
            return sorted(known, key=lambda key: self._failures.get(key, (0, 0.0)))[:1]
        due = [key for key in known if self._failures.get(key, (0, 0.0))[1] <= now]
        return sorted(due, key=lambda key: self._failures.get(key, (0, 0.0))[0])

    def next_at(self, now: float, poll_s: float) -> float:
        """Return when to look again."""
        times = [at for _, at in self._failures.values() if at > now]
        if self._away:
            return max(now, self._away_until)
        return min([*times, now + poll_s])

    def succeeded(self, key: str) -> bool:
        """Note a success; return ``True`` if it ends a failure of the store that was more than one recording's."""
        self._failures.pop(key, None)
        was_away, self._away = self._away > 1, 0
        if was_away:
            self._failures = dict.fromkeys(self._failures, (0, 0.0))
        return was_away

    def failed(self, key: str, now: float, *, is_store: bool) -> bool:
        """Note a failure; return ``True`` if it is to be reported: once in a failure of the store, and again each hour.

        ``is_store`` says that it may be the store's, not this recording's alone.
        """
        count = self._failures.get(key, (0, 0.0))[0] + 1
        self._failures[key] = (count, now + self._delay(count))
        if is_store:
            self._away += 1
            self._away_until = now + self._delay(self._away)
        is_first = count == 1 and self._away <= 1
        if not is_first and now - self._reported_at < REPORT_AGAIN_S:
            return False
        self._reported_at = now
        return True

    def _delay(self, count: int) -> float:
        longest = min(LONGEST_S, FIRST_S * 2.0 ** min(count - 1, 16))
        return float(longest * (0.5 + self._chance() / 2))
