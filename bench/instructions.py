"""Count instructions by callgrind: the count does not depend on what else the machine does.

The gateway runs under valgrind, which counts what it executes in user space. ``counts`` makes one call in lock step,
with a fixed number of frames and deltas, and counts the thread of the event loop. ``per_frame`` makes a few calls in
real time, and counts everything, the threads of the log and of the records included.
"""

import json
import platform
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench import lockstep, trial
from bench.beside_tools import markdown
from bench.certificate import certificate
from bench.target import Kept, Program, Target, running
from bench.websocket import LateError, PeerError

CALLS, SECONDS = 5, 20.0
"""As many calls as the gateway can keep up with under valgrind, which slows it down fifty times."""
WARM_FRAMES, FRAMES, BATCHES = 50, 30, 7
REPLIES, TRIES = 5, 4
"""The least of so many batches counts: a busy machine makes some of them dearer, by pauses that are filled."""
MOST_DRY = 1
"""The deltas of a count that may have come late, which makes them dearer."""
CONTROL_LIMIT_S = 60.0
EVENT_LOOP = "01"
"""The thread that callgrind gives this number is the first, which runs the event loop."""
LIBRARIES = ("aiofastnet", "aiohttp", "azure-ai-voicelive", "msgspec", "pybase64", "uvloop")
"""The libraries that execute a part of what is counted."""
FILE = Path(__file__).parent / "instructions.json"
MOST_GROWTH = 0.05
RENEW = ".venv/bin/python -m bench --instructions --keep"


@dataclass(frozen=True)
class Counts:
    """Instructions in user space from one socket to the other, event loop and TLS included."""

    frame: float
    """Of a caller's frame of 20 ms, from the phone to the service."""
    delta: float
    """Of a delta of 20 ms, from the service to the phone, with its mark, and the mark's return."""


NAMES: Mapping[str, Callable[[Counts], float]] = {
    "caller's frame": lambda counts: counts.frame,
    "delivered delta": lambda counts: counts.delta,
}


def counts(tree: Path | None = None, name: str = "gateway") -> Counts:
    """Count one call in lock step, of another revision's ``tree`` where that is given, or of the relay.

    Raise PeerError where there is no valgrind, and BusyError where the machine was too busy for deltas at the pace of
    time.
    """
    _require_valgrind()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, lockstep.listening() as server:
        program = Program(name, tree=tree, kept=Kept.NOTHING.where_known(tree), count=Path(folder) / "callgrind")
        url = f"https://127.0.0.1:{server.getsockname()[1]}"
        with (
            running(program, url, certificate().authority, None) as target,
            lockstep.call(server, target.port) as call,
        ):
            return _counted(call, _Counter(target, program.count))


def _counted(call: lockstep.Call, counter: "_Counter") -> Counts:
    call.frames(WARM_FRAMES)
    counter.begin()
    call.frames(FRAMES)
    counter.read()
    frame = _least(BATCHES, lambda: call.frames(FRAMES), counter) / FRAMES
    for _ in range(TRIES):
        call.ran_dry = 0
        without = _least(REPLIES, lambda: call.reply(0), counter)
        whole = _least(REPLIES, lambda: call.reply(lockstep.MOST_DELTAS), counter)
        if call.ran_dry <= 2 * REPLIES + MOST_DRY:
            return Counts(frame, (whole - without) / lockstep.MOST_DELTAS)
    raise LateError("--instructions: too many deltas came late")


def _least(times: int, work: Callable[[], None], counter: "_Counter") -> int:
    """Count work so many times, and return the least of the counts."""
    found = []
    for _ in range(times):
        work()
        found.append(counter.read())
    return min(found)


class _Counter:
    """Callgrind's counter in the running target."""

    def __init__(self, target: Target, file: Path | None) -> None:
        self._target = target
        self._file = file
        self._parts = 0

    def begin(self) -> None:
        """Count from now on."""
        self._control("instrumentation", "on")

    def read(self) -> int:
        """Return what was counted since the last time, of the event loop's thread."""
        self._control("dump")
        self._parts += 1
        return total(Path(f"{self._file}.{self._parts}-{EVENT_LOOP}"))

    def _control(self, *words: str) -> None:
        command = ["vgdb", f"--pid={self._target.pid}", *words]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=CONTROL_LIMIT_S)  # noqa: S603 -- valgrind's
        except subprocess.TimeoutExpired as error:
            raise LateError(f"--instructions: {error}") from None
        except (subprocess.SubprocessError, OSError) as error:
            raise PeerError(f"--instructions: {' '.join(command)}: {error}") from None


def per_frame(tree: Path | None = None, kept: Kept | None = None) -> float:
    """Count calls in real time, per caller's frame; ``kept`` is what is kept of the calls.

    Raise PeerError where there is no valgrind, or the machine was too busy.
    """
    _require_valgrind()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        file = Path(folder) / "callgrind"
        result = trial.run(Program(tree=tree, count=file, kept=kept), CALLS, SECONDS)
        if result.frames_lost or result.calls_failed:
            raise PeerError(f"--instructions: {result.frames_lost} frames were lost: the machine is too busy to count")
        return sum(map(total, Path(folder).glob("callgrind*-*"))) / result.frames_sent


def _require_valgrind() -> None:
    if not shutil.which("valgrind") or not shutil.which("vgdb"):
        raise PeerError("--instructions: valgrind is not installed")


def total(file: Path) -> int:
    """Return the instructions in callgrind's file."""
    for line in file.read_text("utf-8", errors="replace").splitlines():
        if line.startswith("totals:"):
            return int(line.split()[1])
    raise PeerError("--instructions: callgrind left no total")


# What was counted before


def build() -> dict[str, Any]:
    """Describe what executes the gateway: the same source has other counts where anything of this differs."""
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}, {platform.python_compiler()}",
        "machine": platform.machine(),
        "openssl": ssl.OPENSSL_VERSION,
        "libraries": {name: _version(name) for name in LIBRARIES},
    }


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "none"


def kept_counts(file: Path = FILE) -> Counts | None:
    """Return what is kept for this build; ``None`` where nothing is."""
    for entry in _entries(file):
        if entry["build"] == build():
            return Counts(**entry["counts"])
    return None


def keep(counted: Counts, file: Path = FILE) -> None:
    """Keep counts for this build, in place of those before."""
    entries = [entry for entry in _entries(file) if entry["build"] != build()]
    rounded = {name: round(value) for name, value in asdict(counted).items()}
    file.write_text(json.dumps([*entries, {"build": build(), "counts": rounded}], indent=1) + "\n")


def _entries(file: Path) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = json.loads(file.read_text()) if file.exists() else []
    return found


def table(columns: Mapping[str, Counts]) -> str:
    """Return a table of counts by their names; the first over each other one is the ratio behind it."""
    first, *others = columns.values()
    rows = [("instructions", *columns)]
    for what, of in NAMES.items():
        ratios = [f"{of(other):,.0f} ({of(first) / of(other):.3f})" for other in others]
        rows.append((what, f"{of(first):,.0f}", *ratios))
    return markdown(rows)


def grown(counted: Counts, before: Counts) -> list[str]:
    """Return what has grown by more than may be, in words."""
    return [
        f"a {what} takes {of(counted):,.0f} instructions, {of(counted) / of(before) - 1:.1%} more than the "
        f"{of(before):,.0f} in {FILE.name}, and {MOST_GROWTH:.0%} is let pass: find what costs it, or keep the "
        f"new figures by `{RENEW}`"
        for what, of in NAMES.items()
        if of(counted) > of(before) * (1 + MOST_GROWTH)
    ]
