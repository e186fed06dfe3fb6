"""Compare the gateway with another revision of it and with the lean relay: the same calls, in turns."""

import io
import statistics
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.beside_tools import markdown
from bench.result import Result
from bench.target import Kept, Program
from bench.websocket import PeerError

ROOT = Path(__file__).parent.parent
CALLS = 200
ROUNDS = 5
OTHER, THIS, RELAY = "other", "this", "relay"
NAMES = (OTHER, THIS, RELAY)
HEADINGS = (
    "round",
    "program",
    "CPU per call, % of a core",
    "this / it",
    "caller → Voice Live, ms p50 / p99",
    "Voice Live → caller, ms p50 / p99",
    "late / lost / stale frames",
    "memory per call, KB",
)

Rounds = Sequence[Mapping[str, Result]]
"""The results of each round, by the name of the program."""


@contextmanager
def tree_of(revision: str) -> Iterator[Path]:
    """Check out a revision of the gateway into a folder during the block; PeerError if there is no such revision."""
    command = ["git", "-C", str(ROOT), "archive", "--format=tar", revision, "gateway", "pyproject.toml"]
    made = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 -- git, with the operator's word
    if made.returncode:
        raise PeerError(f"--vs {revision}: {made.stderr.decode(errors='replace').strip()}")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        with tarfile.open(fileobj=io.BytesIO(made.stdout)) as archive:
            archive.extractall(folder, filter="data")
        yield Path(folder)


def programs(
    tree: Path, *, with_relay: bool = True, compiled: Path | None = None, gather_ms: float | None = None
) -> dict[str, Program]:
    """Return what is compared, by its name. Neither gateway keeps records where the other revision has none.

    ``compiled`` is the folder of this gateway with its pure modules compiled, which is run in place of it;
    ``gather_ms`` is this gateway's.
    """
    kept = None if Kept.NOTHING.where_known(tree) else Kept.NOTHING
    this = Program(tree=compiled, kept=kept, gather_ms=gather_ms)
    others = {RELAY: Program("relay")} if with_relay else {}
    return {OTHER: Program(tree=tree), THIS: this, **others}


def order(names: Sequence[str], rounds: int) -> Iterator[Sequence[str]]:
    """Yield the order of each round; which one comes first changes from round to round."""
    for number in range(rounds):
        first = number % len(names)
        yield (*names[first:], *names[:first])


def table(rounds: Rounds) -> str:
    """Return a table with one row per trial."""
    rows = [_row(number, name, found) for number, found in enumerate(rounds, 1) for name in NAMES if name in found]
    return markdown([HEADINGS, *rows])


def verdict(revision: str, program: Program, rounds: Rounds) -> str:
    """Report the middle ratios with their spread, whether any call suffered, and what was not kept."""
    names = {OTHER: revision, RELAY: "the lean relay"}
    lines = [
        f"CPU per call over that of {names[name]}: {_spread([_ratio(found, name) for found in rounds])} "
        f"in {len(rounds)} rounds"
        for name in rounds[0]
        if name != THIS
    ]
    lines.append(
        f"larger p99 over that of {revision}: "
        f"{_spread([found[THIS].worst_p99_ms / found[OTHER].worst_p99_ms for found in rounds])}; "
        f"trials of this one that went badly: {sum(not found[THIS].is_well for found in rounds)}"
    )
    if program.kept is Kept.NOTHING:
        lines.append(f"{revision} keeps no records: this one kept none either")
    return "\n".join(lines)


def _spread(ratios: Sequence[float]) -> str:
    return f"{statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"


def _ratio(found: Mapping[str, Result], name: str) -> float:
    return found[THIS].cpu_percent_per_call / found[name].cpu_percent_per_call


def _row(number: int, name: str, found: Mapping[str, Result]) -> tuple[str, ...]:
    result = found[name]
    return (
        str(number),
        name,
        f"{result.cpu_percent_per_call:.3f}",
        "" if name == THIS else f"{_ratio(found, name):.3f}",
        f"{result.to_voice.p50:.2f} / {result.to_voice.p99:.2f}",
        f"{result.to_phone.p50:.2f} / {result.to_phone.p99:.2f}",
        f"{result.late_frames} / {result.frames_lost + result.reply_frames_lost} / {result.stale_frames}",
        f"{result.memory_kb:.0f}",
    )
