"""The search for the largest number of calls that still goes well."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bench.trial import Result

FULL_CORE_PERCENT = 92.0
STEPS = 5
CLOSE_ENOUGH = 0.05
FURTHEST = 2.5


@dataclass(frozen=True)
class Capacity:
    """The capacity found: ``calls`` went well; ``too_many`` did not, or is 0 where every number tried went well."""

    calls: int
    too_many: int
    is_load_trusted: bool
    """``True`` if it was the target that gave way, not the load."""


def search(known: Iterable[Result], attempt: Callable[[int], Result], steps: int = STEPS) -> Capacity:
    """Narrow down the capacity, from what is known already, by at most ``steps`` short trials."""
    results = list(known)
    for _ in range(steps):
        calls = _next(results)
        if calls is None:
            break
        result = attempt(calls)
        if result.is_well or (result.is_load_trusted and result.is_undisturbed):
            results.append(result)
        else:
            results.append(attempt(calls))  # a second chance: others had their share in it
    well, bad = _bounds(results)
    return Capacity(
        calls=well.calls if well else 0,
        too_many=bad.calls if bad else 0,
        is_load_trusted=bad is None or bad.is_load_trusted,
    )


def _bounds(results: list[Result]) -> tuple[Result | None, Result | None]:
    well = max((r for r in results if r.is_well), key=lambda r: r.calls, default=None)
    most = well.calls if well else 0
    bad = min((r for r in results if not r.is_well and r.calls > most), key=lambda r: r.calls, default=None)
    return well, bad


def _next(results: list[Result]) -> int | None:
    """Return how many calls to try next; None when the capacity is known closely enough."""
    well, bad = _bounds(results)
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
