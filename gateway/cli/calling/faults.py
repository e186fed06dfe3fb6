"""The faults of a simulated call: the options, and what is kept of those that struck."""

import argparse
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.cli.calling.fault_options import add_faults_and_seed
from gateway.errors import InputError
from gateway.sim.caller.timeline import TimelineEvent
from gateway.sim.faults import Drawn, FaultPlan, drawn, load_faults

SEEDS = 1 << 32


@dataclass(frozen=True)
class CallFaults:
    """The faults of a call, and the file that they come from."""

    file: Path
    drawn: Drawn
    breaks_service: bool = False

    def told(self, started_at: float) -> Mapping[str, object]:
        """Return what ``call.json`` keeps: file, seed, and what struck, in milliseconds from the call's start."""
        return {"file": str(self.file), "seed": self.drawn.seed, "struck": [*map(dict, self._struck(started_at))]}

    def _struck(self, started_at: float) -> list[dict[str, object]]:
        return [
            {
                "at_ms": round((one.at - started_at) * 1000),
                "side": one.side,
                "kind": one.kind,
                **({"connection": one.connection} if one.connection else {}),
            }
            for one in self.drawn.struck
        ]

    def events(self) -> Sequence[TimelineEvent]:
        """Return what struck as events of the timeline."""
        return [TimelineEvent(one.at, "fault", {"side": one.side, "fault": one.kind}) for one in self.drawn.struck]

    def again(self) -> str:
        """Return how to meet the same faults again."""
        return f"the same faults again: --faults {self.file} --seed {self.drawn.seed}"


def add_fault_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--faults``, ``--seed`` and ``--virtual-time``."""
    add_faults_and_seed(parser, "what breaks on either side, and when")
    parser.add_argument(
        "--virtual-time",
        action="store_true",
        help="do not wait: time jumps to whatever happens next; with the emulator only",
    )


def chosen_faults(options: argparse.Namespace) -> CallFaults | None:
    """Return the faults that the options ask for. ``InputError`` for options that have no meaning here."""
    if options.virtual_time and options.url:
        raise InputError("--virtual-time: a gateway that runs already has the time of its own; leave out --url")
    if options.faults is None:
        if options.seed is not None:
            raise InputError("--seed: there is nothing to draw, expected it beside --faults")
        return None
    plan = load_faults(options.faults)
    if plan.service and options.url:
        raise InputError(
            f"--faults: {options.faults} breaks the emulator, which is not reached by --url; leave one out"
        )
    return CallFaults(options.faults, drawn_from(plan, options.seed), bool(plan.service))


def drawn_from(plan: FaultPlan, given: int | None) -> Drawn:
    """Return the faults of a plan, drawn by the ``given`` seed, else by the plan's own, else by a new one."""
    seed = next((one for one in (given, plan.seed) if one is not None), None)
    return drawn(plan, secrets.randbelow(SEEDS) if seed is None else seed)


def check_emulated(options: argparse.Namespace, faults: CallFaults | None, endpoint: str) -> None:
    """Raise ``InputError`` for options that need the emulator, where a model at ``endpoint`` answers."""
    if options.virtual_time:
        raise InputError(f"--virtual-time: the model at {endpoint} has the time of its own; give --script")
    if faults is not None and faults.breaks_service:
        raise InputError(f"--faults: {faults.file} breaks the emulator, and {endpoint} answers; give --script")
