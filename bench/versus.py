"""Compare the gateway with another revision of it: the same calls in turns, within the same minutes."""

import io
import statistics
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.beside_tools import markdown
from bench.trial import Result
from bench.websocket import PeerError

ROOT = Path(__file__).parent.parent
CALLS = 100
PAIRS = 5
HEADINGS = (
    "pair",
    "CPU per call, % of a core: other",
    "this",
    "ratio",
    "p99, ms: other",
    "this",
    "memory per call, KB: other",
    "this",
)


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


def order(pairs: int) -> Iterator[bool]:
    """Yield whether the other revision's turn is next; which one of a pair comes first changes from pair to pair."""
    for pair in range(pairs):
        yield from ((True, False) if pair % 2 == 0 else (False, True))


def table(others: Sequence[Result], ours: Sequence[Result]) -> str:
    """Return a table with one row per pair."""
    return markdown([HEADINGS, *(_row(number, *pair) for number, pair in enumerate(zip(others, ours, strict=True), 1))])


def verdict(revision: str, others: Sequence[Result], ours: Sequence[Result]) -> str:
    """Report the middle ratio of processor time with its spread, and whether any call suffered."""
    ratios = [_ratio(*pair) for pair in zip(others, ours, strict=True)]
    unwell = sum(not result.is_well for result in ours)
    return (
        f"CPU per call over that of {revision}: {statistics.median(ratios):.3f} "
        f"({min(ratios):.3f} to {max(ratios):.3f} in {len(ratios)} pairs); trials that went badly: {unwell}"
    )


def _ratio(other: Result, this: Result) -> float:
    return this.cpu_percent / other.cpu_percent


def _row(number: int, other: Result, this: Result) -> tuple[str, ...]:
    return (
        str(number),
        f"{other.cpu_percent_per_call:.3f}",
        f"{this.cpu_percent_per_call:.3f}",
        f"{_ratio(other, this):.3f}",
        f"{other.worst_p99_ms:.1f}",
        f"{this.worst_p99_ms:.1f}",
        f"{other.memory_kb:.0f}",
        f"{this.memory_kb:.0f}",
    )
