"""``python -m bench.auto``: offers a gateway with ``limits.calls: auto`` more calls than it can serve.

Those that it takes are to be served well: p99 of both directions below 20 ms, nothing late or lost.
"""

import argparse
import contextlib
import sys

from bench import compiled, trial
from bench.__main__ import take_the_machine
from bench.conditions import USUAL
from bench.result import WELL_P99_MS, Result
from bench.target import Program
from bench.websocket import PeerError

OFFERED = 1200
"""About twice the calls that a core serves at a p99 below 20 ms."""


def main() -> None:
    """Offer the calls, measure those that were taken, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m bench.auto", description=__doc__)
    parser.add_argument("--calls", type=int, default=OFFERED, help=f"calls that are offered (default {OFFERED})")
    parser.add_argument("--seconds", type=float, default=20, help="length of the steady window (default 20)")
    parser.add_argument("--compiled", action="store_true", help="the gateway with its pure modules compiled")
    options = parser.parse_args()
    try:
        if options.compiled:
            compiled.run_again_compiled("bench.auto", sys.argv[1:])
        take_the_machine()
        with compiled.tree() if options.compiled else contextlib.nullcontext() as tree:
            result = trial.run(Program(tree=tree, most_calls="auto"), options.calls, options.seconds, USUAL)
    except PeerError as error:
        sys.exit(f"bench: {error}")
    print(report(result))


def report(result: Result) -> str:
    """Say how many calls were taken, and how they were served."""
    taken = result.calls - result.calls_failed
    lost = result.frames_lost + result.reply_frames_lost
    return (
        f"{taken} of {result.calls} calls offered were taken, at {result.cpu_percent:.0f} % of a core; "
        f"p99 to Voice Live {result.to_voice.p99:.1f} ms, to the phone {result.to_phone.p99:.1f} ms "
        f"(wanted: below {WELL_P99_MS:g} ms); "
        f"late {result.late_frames} of {result.frames_heard}, lost {lost}, stale {result.stale_frames}; "
        f"load trusted: {result.is_load_trusted}, undisturbed: {result.is_undisturbed}"
    )


if __name__ == "__main__":
    main()
