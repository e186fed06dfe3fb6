"""The search for the largest number of calls that still goes well."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.result import WELL_P99_MS, Result

FULL_CORE_PERCENT = 92.0
STEPS = 5
TRIALS = 3
"""The most trials of a number of calls on a core that is not full: it is too many only if none of them goes well. A
shared machine now and then stops both cores for longer than a frame may wait."""
CLOSE_ENOUGH = 0.05
FURTHEST = 2.5


@dataclass(frozen=True)
class Capacity:
    """The capacity found: ``calls`` went well; ``too_many`` did not, or is 0 where every number tried went well."""

    calls: int
    too_many: int
    is_load_trusted: bool
    """``True`` if it was the target that gave way, not the load."""
    p99_ms: float = WELL_P99_MS
    """The limit of both p99."""


class Search:
    """A search that narrows the capacity down, from what is known already, by at most ``steps`` short trials.

    ``results`` may be shared by searches of one program with other limits, which then know what each has tried.
    """

    def __init__(self, results: list[Result], p99_ms: float = WELL_P99_MS, steps: int = STEPS) -> None:
        self.p99_ms = p99_ms
        self._results = results
        self._steps_left = steps

    def next(self) -> int | None:
        """Return how many calls to try next; ``None`` where it is over."""
        return _next(*self._bounds()) if self._steps_left > 0 else None

    def step(self, attempt: Callable[[int], Result]) -> bool:
        """Make the next trial; return ``False`` where the search is over."""
        calls = self.next()
        if calls is None:
            return False
        self._steps_left -= 1
        tried = [attempt(calls)]
        while len(tried) < TRIALS and not self._is_settled(tried[-1]):
            tried.append(attempt(calls))
        self._results.append(max(tried, key=lambda result: (self._is_well(result), -result.worst_p99_ms)))
        return True

    @property
    def found(self) -> Capacity:
        """Return what is known so far."""
        well, bad = self._bounds()
        return Capacity(
            calls=well.calls if well else 0,
            too_many=bad.calls if bad else 0,
            is_load_trusted=bad is None or bad.is_load_trusted,
            p99_ms=self.p99_ms,
        )

    def _is_well(self, result: Result) -> bool:
        return result.is_well_below(self.p99_ms)

    def _is_settled(self, result: Result) -> bool:
        """Return whether there is no need to try again: it went well, or the core was full."""
        return self._is_well(result) or (result.is_load_trusted and result.cpu_percent >= FULL_CORE_PERCENT)

    def _bounds(self) -> tuple[Result | None, Result | None]:
        fine = [result for result in self._results if self._is_well(result)]
        well = max(fine, key=lambda result: result.calls, default=None)
        most = well.calls if well else 0
        above = [result for result in self._results if result not in fine and result.calls > most]
        return well, min(above, key=lambda result: result.calls, default=None)


def run_in_turns(searches: Sequence[tuple[Search, Callable[[int], Result]]]) -> None:
    """Run searches to their ends, a trial of each in turn, so that what else the machine does affects all alike."""
    running = list(searches)
    while running:
        running = [(search, attempt) for search, attempt in running if search.step(attempt)]


def _next(well: Result | None, bad: Result | None) -> int | None:
    """Return how many calls to try next; None when the capacity is known closely enough."""
    lowest = well.calls if well else 0
    if bad is not None and bad.calls - lowest <= max(2, CLOSE_ENOUGH * bad.calls):
        return None
    if well is None:
        return bad.calls // 2 if bad else 50
    guess = int(FULL_CORE_PERCENT / well.cpu_percent_per_call)
    if bad is None:
        return int(min(max(guess, 1.25 * lowest), FURTHEST * lowest + 50))
    margin = (bad.calls - lowest) // 4
    return min(max(guess, lowest + margin), bad.calls - margin)
