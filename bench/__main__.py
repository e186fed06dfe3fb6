"""The command `python -m bench`. Everything runs on 127.0.0.1, bounded in time and count."""

import argparse
import contextlib
import json
import logging
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import structlog

from bench import (
    ahead,
    beside_refusals,
    beside_tools,
    capacity,
    compiled,
    echo,
    instructions,
    keeping,
    profiling,
    report,
    trial,
    versus,
)
from bench.beside_refusals import OVERLOAD, UNPROVEN
from bench.conditions import Conditions, Delivery
from bench.result import WELL_P99_MS, Result
from bench.target import NAMES, Kept, Program
from bench.terminal import Trials, print_table
from bench.websocket import PeerError

LEVELS, SECONDS, CAPACITY_SECONDS = (50, 100, 200, 400), 15.0, 8.0
QUICK_LEVELS, QUICK_SECONDS = (1, 100), 6.0
P99_LIMITS_MS = (10.0, WELL_P99_MS)
PROFILED_CALLS = 50
SATURATED_P99_MS = 500.0
RAISED_PRIORITY = -10


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line, and fill in the defaults."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="The gateway under load, beside a plain bridge and a lean relay."
    )
    parser.add_argument("--levels", type=_levels, help="numbers of calls at once, as 1,50,100")
    parser.add_argument("--seconds", type=float, help=f"steady time measured per level (default {SECONDS:.0f})")
    parser.add_argument(
        "--capacity", action=argparse.BooleanOptionalAction, help="search for the most calls that go well"
    )
    parser.add_argument("--only", choices=NAMES, help="measure one of the programs")
    parser.add_argument(
        "--plain", action="store_true", help="no TLS on the way to the simulated service, as no service of Azure's is"
    )
    parser.add_argument(
        "--delivery",
        type=Delivery,
        choices=list(Delivery),
        help=f"how replies come (default: {Delivery.BURST}, and {Delivery.REALTIME} too at "
        f"{report.COMPARED_AT_CALLS} calls)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every figure there")
    parser.add_argument("--quick", action="store_true", help="a look in under a minute: two levels, no search")
    parser.add_argument(
        "--profile", action="store_true", help=f"where the time goes, at {PROFILED_CALLS} calls; no levels"
    )
    parser.add_argument(
        "--tools",
        action="store_true",
        help=f"{beside_tools.CALLS - 1} calls beside one that uses two slow tools at once; no levels",
    )
    parser.add_argument(
        "--refusals",
        action="store_true",
        help=f"{UNPROVEN.calls} calls beside {UNPROVEN.per_s} webhooks a second without a signature; no levels",
    )
    parser.add_argument(
        "--overload",
        action="store_true",
        help=f"{OVERLOAD.calls} calls, all that the gateway may have, beside {OVERLOAD.per_s} more a second; no levels",
    )
    for option, kept in (("--records", Kept.RECORDS), ("--recording", Kept.RECORDING)):
        parser.add_argument(
            option,
            action="append_const",
            dest="kept",
            const=kept,
            help=f"{keeping.CALLS} calls that keep nothing and {kept}, in turns, {keeping.ROUNDS} times; no levels",
        )
    parser.add_argument(
        "--vs",
        metavar="REV",
        help=f"{versus.CALLS} calls with this gateway, that of another git revision and the relay, in turns, "
        f"{versus.ROUNDS} times; with --capacity the most calls of each, and of the plain bridge, too",
    )
    parser.add_argument(
        "--compiled",
        action="store_true",
        help="with --vs: this gateway compiled (--vs HEAD: what compiling gives); with --instructions: it too",
    )
    parser.add_argument(
        "--gather",
        type=float,
        metavar="MS",
        help="gather_ms of this gateway, for levels and --vs (default: its own)",
    )
    parser.add_argument(
        "--instructions",
        action="store_true",
        help="count the instructions of a caller's frame and of a delta by valgrind; with --vs the other revision's",
    )
    parser.add_argument(
        "--keep", action="store_true", help="with --instructions: keep the counts, which the tests compare with"
    )
    parser.add_argument(
        "--echo", action="store_true", help="how well the echo gate knows echoes from callers, half a minute; no levels"
    )
    parser.add_argument(
        "--ahead", action="store_true", help="how soon the greeting is heard with sessions opened ahead; no levels"
    )
    options = parser.parse_args(words)
    others = options.only not in (None, "gateway")
    if options.vs and others:
        parser.error("--vs: only the gateway is compared with another revision of itself")
    if options.compiled and not (options.vs or options.instructions):
        parser.error("--compiled: only by --vs or --instructions")
    if (options.refusals or options.overload) and others:
        parser.error("--refusals and --overload: only the gateway takes webhooks")
    if options.kept and (others or options.vs):
        parser.error("--records and --recording: this gateway alone is measured without and with them")
    if options.tools and others:
        parser.error("--tools: only the gateway has tools")
    if options.keep and (not options.instructions or options.kept):
        parser.error("--keep: only what --instructions counts without --records and --recording is kept")
    if options.json and (options.json.is_dir() or not os.access(options.json.parent, os.W_OK)):
        parser.error(f"--json: {options.json} cannot be written")
    options.levels = options.levels or (QUICK_LEVELS if options.quick else LEVELS)
    options.seconds = options.seconds or (QUICK_SECONDS if options.quick else SECONDS)
    options.capacity_asked = bool(options.capacity)
    options.capacity = not options.quick if options.capacity is None else options.capacity
    options.names = (options.only,) if options.only else NAMES
    options.deliveries = (options.delivery,) if options.delivery else tuple(Delivery)
    options.conditions = Conditions(options.plain, options.deliveries[0])
    return options


def _levels(text: str) -> tuple[int, ...]:
    try:
        levels = tuple(sorted({int(word) for word in text.split(",")}))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not numbers with commas between") from None
    if not levels or not 0 < levels[0] <= levels[-1] <= 2000:
        raise argparse.ArgumentTypeError("numbers from 1 to 2000 are expected")
    return levels


def take_the_machine() -> None:
    """Pin the process to the load's core, open enough descriptors, and raise the priority where allowed (inherited)."""
    if trial.TARGET_CORE == trial.LOAD_CORE:
        raise PeerError("two cores are needed: one for the program under test, one for the load")
    os.sched_setaffinity(0, {trial.LOAD_CORE})
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, RAISED_PRIORITY)


def measure(options: argparse.Namespace) -> tuple[list[Result], dict[str, list[capacity.Capacity]]]:
    """Measure every level with every program, in turns, and run the searches."""
    results: list[Result] = []
    saturated: set[str] = set()
    wanted = [
        (calls, delivery)
        for calls in options.levels
        for delivery in options.deliveries
        if delivery is options.deliveries[0] or calls == report.COMPARED_AT_CALLS
    ]
    with Trials(len(wanted) * len(options.names)) as trials:
        for calls, delivery in wanted:
            for name in options.names:
                if name in saturated:
                    continue
                conditions = replace(options.conditions, delivery=delivery)
                result = _trial(trials, Program(name, gather_ms=options.gather), calls, options.seconds, conditions)
                results.append(result)
                if not result.worst_p99_ms < SATURATED_P99_MS and result.is_undisturbed:
                    saturated.add(name)
        if not options.capacity:
            return results, {}
        programs = {name: Program(name, gather_ms=options.gather) for name in options.names}
        return results, search(trials, programs, results, options.conditions)


def search(
    trials: Trials, programs: Mapping[str, Program], results: Sequence[Result], conditions: Conditions
) -> dict[str, list[capacity.Capacity]]:
    """Search for the most calls of each program below each limit of the p99, in turns."""
    searches: dict[str, list[capacity.Search]] = {}
    turns = []
    for name, program in programs.items():
        known = [result for result in results if result.target == name and result.conditions == conditions]
        searches[name] = [capacity.Search(known, p99_ms) for p99_ms in P99_LIMITS_MS]

        def attempt(calls: int, name: str = name, program: Program = program) -> Result:
            return _trial(trials, program, calls, CAPACITY_SECONDS, conditions, name)

        turns += [(one, attempt) for one in searches[name]]
    capacity.run_in_turns(turns)
    return {name: [one.found for one in found] for name, found in searches.items()}


def _trial(
    trials: Trials, program: Program, calls: int, seconds: float, conditions: Conditions, name: str = ""
) -> Result:
    what = f"{name or program.name}: {calls} calls, {conditions.delivery}, {seconds:.0f} s"
    trials.begins(what)
    result = trial.run(program, calls, seconds, conditions)
    trials.ended(what, f"{result.cpu_percent_per_call:.3f} %, p99 {result.worst_p99_ms:.1f} ms")
    return result


def profile(options: argparse.Namespace) -> None:
    """Print where the time of each program goes."""
    for name in options.names:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            file = Path(folder) / "profile"
            trial.run(Program(name, profile=file), PROFILED_CALLS, options.seconds, options.conditions)
            if not file.exists():
                raise PeerError(f"{name} was ended before it could leave its profile")
            print(f"\n## {name}, {PROFILED_CALLS} calls\n\n{profiling.table(file)}")


def beside(options: argparse.Namespace) -> list[Result]:
    """Measure many calls beside one, without and with tools in turns."""
    results = []
    with Trials(len(beside_tools.ORDER)) as trials:
        for used in beside_tools.ORDER:
            what = f"tools {'used' if used else 'not used'}, {options.seconds:.0f} s"
            trials.begins(what)
            result = trial.run_beside_tools(
                beside_tools.CALLS, options.seconds, used=used, conditions=options.conditions
            )
            trials.ended(what, f"{result.cpu_percent_per_call:.2f} %")
            results.append(result)
    return results


def beside_webhooks(options: argparse.Namespace) -> list[Result]:
    """Measure calls without and beside webhooks that are refused, in turns."""
    results = []
    load = OVERLOAD if options.overload else UNPROVEN
    with Trials(len(load.order)) as trials:
        for per_s in load.order:
            what = f"{per_s} webhooks {load.webhooks.name} a second, {options.seconds:.0f} s"
            trials.begins(what)
            result = trial.run_beside_refusals(
                load.calls, options.seconds, per_s, load.webhooks, load.most_calls, options.conditions
            )
            trials.ended(what, f"p99 {result.worst_p99_ms:.1f} ms")
            results.append(result)
    return results


def compare(options: argparse.Namespace) -> None:
    """Run trials of the other revision, of this one and of the relay in turns; print what they say."""
    rounds: list[dict[str, Result]] = []
    with versus.tree_of(options.vs) as tree, compiled.tree() if options.compiled else contextlib.nullcontext() as own:
        programs = versus.programs(tree, with_relay=options.only is None, compiled=own, gather_ms=options.gather)
        conditions = replace(options.conditions, delivery=options.deliveries[0])
        with Trials(len(programs) * versus.ROUNDS) as trials:
            for turns in versus.order(list(programs), versus.ROUNDS):
                found = {
                    name: _trial(trials, programs[name], versus.CALLS, options.seconds, conditions, name)
                    for name in turns
                }
                rounds.append({name: found[name] for name in programs})
            searched = programs if options.only else {**programs, "plain": Program("plain")}
            capacities = search(trials, searched, (), conditions) if options.capacity_asked else {}
    print_table(versus.table(rounds))
    print(f"\n{versus.verdict(options.vs, programs[versus.THIS], rounds)}\n")
    print(*report.summary((), capacities), sep="\n\n")
    _end([result for found in rounds for result in found.values()], capacities, options)


def keep(options: argparse.Namespace) -> None:
    """Run trials that keep nothing, records, and recordings, as wanted, in turns; print what that costs."""
    wanted = [Kept.NOTHING, *(kept for kept in Kept if kept in options.kept)]
    rounds: list[dict[Kept, Result]] = []
    with Trials(len(wanted) * keeping.ROUNDS) as trials:
        for turns in keeping.order(wanted, keeping.ROUNDS):
            found = {}
            for kept in turns:
                what = f"kept: {kept}; {keeping.CALLS} calls, {options.seconds:.0f} s"
                trials.begins(what)
                found[kept] = trial.run(Program(kept=kept), keeping.CALLS, options.seconds, options.conditions)
                trials.ended(what, f"{found[kept].cpu_percent_per_call:.3f} %, p99 {found[kept].worst_p99_ms:.1f} ms")
            rounds.append({kept: found[kept] for kept in wanted})
    print_table(keeping.table(rounds))
    print(f"\n{keeping.verdict(rounds)}\n{'as wanted' if keeping.is_well(rounds) else 'not as wanted'}\n")
    _end([result for found in rounds for result in found.values()], {}, options)


def count(options: argparse.Namespace) -> None:
    """Print what a frame and a delta cost in instructions."""
    if options.kept:
        nothing = instructions.per_frame(kept=Kept.NOTHING)
        print(f"instructions per caller's frame, nothing kept: {nothing:,.0f}")
        for kept in (one for one in Kept if one in options.kept):
            found = instructions.per_frame(kept=kept)
            print(f"{kept}: {found:,.0f}; ratio {found / nothing:.3f}")
        return
    columns = {"this": instructions.counts()}
    if options.keep:
        instructions.keep(columns["this"])
    elif before := instructions.kept_counts():
        columns["kept"] = before
    if options.compiled:
        with compiled.tree() as own:
            columns["compiled"] = instructions.counts(own)
    if options.vs:
        with versus.tree_of(options.vs) as tree:
            columns[options.vs] = instructions.counts(tree)
    if options.only is None:
        columns["relay"] = instructions.counts(name="relay")
    print_table(instructions.table(columns))


def _by_itself(options: argparse.Namespace) -> Callable[[argparse.Namespace], None] | None:
    """Return what measures and prints by itself, if that is wanted."""
    if options.profile or options.instructions:
        return profile if options.profile else count
    return keep if options.kept else compare if options.vs else None


def _end(
    results: Sequence[Result], capacities: Mapping[str, Sequence[capacity.Capacity]], options: argparse.Namespace
) -> None:
    """Print what a reader must know, and keep the figures."""
    for remark in report.remarks(results):
        print(f"* {remark}")
    if options.json:
        options.json.write_text(json.dumps(report.document(results, capacities), indent=1) + "\n")


def main(words: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit code."""
    options = arguments(words)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that an ended bench ends what it started
    if options.echo:
        print(echo.table(echo.measure()))
        return 0
    if options.ahead:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
        print(ahead.table(ahead.measure()))
        return 0
    try:
        if options.vs and options.compiled:
            compiled.run_again_compiled("bench", sys.argv[1:] if words is None else words)
        take_the_machine()
        capacities: dict[str, list[capacity.Capacity]] = {}
        if by_itself := _by_itself(options):
            by_itself(options)
            return 0
        if options.refusals or options.overload or options.tools:
            results = beside(options) if options.tools else beside_webhooks(options)
        else:
            results, capacities = measure(options)
    except PeerError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    if options.refusals or options.overload:
        print_table(beside_refusals.table(results))
        print(f"\n{beside_refusals.verdict(results, OVERLOAD if options.overload else UNPROVEN)}\n")
    elif options.tools:
        print_table(beside_tools.table(results))
        print()
        print_table(beside_tools.ratio_table(beside_tools.ratios(results)))
    else:
        print_table(report.table(results))
        print()
        if budget := report.budget(results):
            print_table(budget)
            print()
        print(*report.summary(results, capacities), sep="\n\n")
    _end(results, capacities, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
