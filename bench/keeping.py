"""Measures what records and recordings cost: the same calls without and with them in turns, within the same minutes."""

import statistics
from collections.abc import Iterator, Mapping, Sequence

from bench.beside_tools import markdown
from bench.result import Result
from bench.target import Kept

CALLS = 100
ROUNDS = 5
MOST_P99 = 1.1
MOST_CPU: Mapping[Kept, float] = {Kept.RECORDS: 1.1, Kept.RECORDING: 1.2}
"""The ratios to a trial that keeps nothing which are still well: of both p99, and of processor time per call."""
FINEST_MS = 0.05
"""A p99 below this counts as this: the ratio of two such times is that of the clock's noise."""
HEADINGS = (
    "round",
    "kept",
    "CPU per call, % of a core",
    "ratio",
    "p99, ms",
    "ratio",
    "late frames",
    "memory per call, KB",
)

Rounds = Sequence[Mapping[Kept, Result]]
"""The results of each round, by what was kept."""


def order(kept: Sequence[Kept], rounds: int) -> Iterator[Sequence[Kept]]:
    """Yield the order of each round; which one comes first changes from round to round."""
    for number in range(rounds):
        first = number % len(kept)
        yield (*kept[first:], *kept[:first])


def table(rounds: Rounds) -> str:
    """Return a table with one row per trial."""
    rows = [_row(number, kept, found) for number, found in enumerate(rounds, 1) for kept in found]
    return markdown([HEADINGS, *rows])


def verdict(rounds: Rounds) -> str:
    """Report the middle ratios with their spread, what is wanted, and whether any call suffered."""
    return "\n".join(_line(kept, rounds) for kept in rounds[0] if kept is not Kept.NOTHING)


def is_well(rounds: Rounds) -> bool:
    """Return whether all middle ratios are as wanted."""
    return all(
        statistics.median(_cpu(found, kept) for found in rounds) <= most
        and statistics.median(_p99(found, kept) for found in rounds) <= MOST_P99
        for kept, most in MOST_CPU.items()
        if kept in rounds[0]
    )


def _line(kept: Kept, rounds: Rounds) -> str:
    cpu, p99 = ([ratio(found, kept) for found in rounds] for ratio in (_cpu, _p99))
    unwell = sum(not found[kept].is_well for found in rounds)
    return (
        f"{kept} over nothing: CPU per call {_spread(cpu)}, wanted {MOST_CPU[kept]:.2f}; "
        f"p99 {_spread(p99)}, wanted {MOST_P99:.2f}; trials that went badly: {unwell} of {len(rounds)}"
    )


def _spread(ratios: Sequence[float]) -> str:
    return f"{statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"


def _cpu(found: Mapping[Kept, Result], kept: Kept) -> float:
    return found[kept].cpu_percent / found[Kept.NOTHING].cpu_percent


def _p99(found: Mapping[Kept, Result], kept: Kept) -> float:
    return max(found[kept].worst_p99_ms, FINEST_MS) / max(found[Kept.NOTHING].worst_p99_ms, FINEST_MS)


def _row(number: int, kept: Kept, found: Mapping[Kept, Result]) -> tuple[str, ...]:
    result = found[kept]
    is_measure = kept is Kept.NOTHING
    return (
        str(number),
        kept.value,
        f"{result.cpu_percent_per_call:.3f}",
        "" if is_measure else f"{_cpu(found, kept):.3f}",
        f"{result.worst_p99_ms:.2f}",
        "" if is_measure else f"{_p99(found, kept):.3f}",
        str(result.late_frames),
        f"{result.memory_kb:.0f}",
    )
