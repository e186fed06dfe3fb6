"""``python -m bench.soak``: many calls for a long time on one gateway, which is to take no more memory in the end.

The calls come in waves of two minutes: all hang up, and as many others begin. Nothing may be late, lost or stale.
"""

import argparse
import contextlib
import math
import sys
from collections.abc import Sequence

from bench import compiled, trial
from bench.__main__ import take_the_machine
from bench.beside_tools import markdown
from bench.result import Result
from bench.target import Kept, Program
from bench.terminal import Trials, print_table
from bench.websocket import PeerError

CALLS, MINUTES, WAVE_S = 300, 30.0, 120.0
WARM_WAVES = 3
"""The first waves, in which what is kept for all calls is made."""
MOST_GROWTH = 0.02
HEADINGS = (
    "wave",
    "CPU per call, % of a core",
    "caller → Voice Live, ms p50 / p99",
    "Voice Live → caller, ms p50 / p99",
    "late / lost / stale frames",
    "calls failed",
    "resident, MB",
)


def main(words: Sequence[str] | None = None) -> int:
    """Run the waves, print a row for each, and return 1 where the gateway did not stand them."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--calls", type=int, default=CALLS, help=f"calls at once (default {CALLS})")
    parser.add_argument("--minutes", type=float, default=MINUTES, help=f"length of all waves (default {MINUTES:.0f})")
    parser.add_argument("--compiled", action="store_true", help="the gateway with its pure modules compiled")
    parser.add_argument("--records", action="store_true", help="keep records, as gateway serve does by default")
    options = parser.parse_args(words)
    waves = max(1, math.ceil(options.minutes * 60 / WAVE_S))
    results: list[Result] = []
    try:
        if options.compiled:
            compiled.run_again_compiled("bench.soak", sys.argv[1:] if words is None else words)
        take_the_machine()
        with compiled.tree() if options.compiled else contextlib.nullcontext() as tree, Trials(waves) as trials:
            program = Program(tree=tree, kept=Kept.RECORDS if options.records else Kept.NOTHING)
            what = f"{options.calls} calls, {WAVE_S:.0f} s"
            with contextlib.closing(trial.run_waves(program, options.calls, WAVE_S, waves)) as found:
                for _ in range(waves):
                    trials.begins(what)
                    results.append(next(found))
                    trials.ended(what, f"{results[-1].resident_mb:.1f} MB, p99 {results[-1].worst_p99_ms:.1f} ms")
    except PeerError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print_table(table(results))
    print(f"\n{verdict(results)}")
    return 0 if is_well(results) else 1


def table(results: Sequence[Result]) -> str:
    """Return a table with one row per wave."""
    return markdown([HEADINGS, *(_row(number, result) for number, result in enumerate(results, 1))])


def _row(number: int, result: Result) -> tuple[str, ...]:
    lost = result.frames_lost + result.reply_frames_lost
    return (
        str(number),
        f"{result.cpu_percent_per_call:.3f}",
        f"{result.to_voice.p50:.2f} / {result.to_voice.p99:.2f}",
        f"{result.to_phone.p50:.2f} / {result.to_phone.p99:.2f}",
        f"{result.late_frames} / {lost} / {result.stale_frames}",
        str(result.calls_failed),
        f"{result.resident_mb:.1f}",
    )


def growth(results: Sequence[Result]) -> float:
    """Return the growth of the resident memory after the first waves, as a share; 0 where there were no others."""
    later = [result.resident_mb for result in results[WARM_WAVES - 1 :]]
    return later[-1] / later[0] - 1 if later else 0.0


def is_well(results: Sequence[Result]) -> bool:
    """Return whether no caller would have noticed anything, and the memory stayed the same."""
    return all(result.is_well for result in results) and growth(results) <= MOST_GROWTH


def verdict(results: Sequence[Result]) -> str:
    """Report the calls, the growth of memory, and the waves that went badly."""
    bad = [str(number) for number, result in enumerate(results, 1) if not result.is_well]
    return (
        f"{sum(result.calls for result in results)} calls in {len(results)} waves; memory after wave {WARM_WAVES}: "
        f"{growth(results):+.1%} (at most {MOST_GROWTH:+.0%}); waves that went badly: {', '.join(bad) or 'none'}"
    )


if __name__ == "__main__":
    sys.exit(main())
