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
from typing import Any, Protocol

from bench import lockstep, trial
from bench.beside_tools import markdown
from bench.certificate import certificate
from bench.target import Kept, Program, Target, running
from bench.websocket import LateError, PeerError

CALLS, SECONDS = 5, 20.0
"""As many calls as the gateway can keep up with under valgrind, which slows it down fifty times."""
WARM_REPLIES = 12
"""CPython 3.11 specializes code that has run eight times: a part of a reply's runs once in each."""
FRAMES, REPLIES = 60, 3
"""Counted at once, so that the timers of the process, which run meanwhile, weigh little."""
COUNTS, TRIES = 5, 4
"""The least of so many counts is taken; each that the machine disturbed is made again, so often on the average."""
SETTLING_FRAMES = 60
"""Reading the counter stops the program for tenths of a second. It fills that pause in the caller's audio with silence,
and looks at each frame of the second after it."""
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

    Raise PeerError where there is no valgrind, and BusyError where the machine was too busy for audio at the pace of
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


class Settling(Protocol):
    """A call that can settle, and knows what the machine disturbed."""

    disturbed: int

    def frames(self, count: int) -> None:
        """Send frames of the caller."""


class Counting(Protocol):
    """A counter of instructions."""

    def zero(self) -> None:
        """Count from nothing again; it stops the program for less time than ``read``."""

    def read(self) -> int:
        """Return what was counted since ``zero``, of the event loop's thread."""
        ...


def _counted(call: lockstep.Call, counter: "_Counter") -> Counts:
    counter.begin()
    _replies(call, 0, WARM_REPLIES)
    _replies(call, lockstep.MOST_DELTAS, WARM_REPLIES)
    frames = least(lambda: call.frames(FRAMES), call, counter)
    without = least(lambda: _replies(call, 0), call, counter)
    whole = least(lambda: _replies(call, lockstep.MOST_DELTAS), call, counter)
    return Counts(frames / FRAMES, (whole - without) / (REPLIES * lockstep.MOST_DELTAS))


def _replies(call: lockstep.Call, deltas: int, count: int = REPLIES) -> None:
    for _ in range(count):
        call.reply(deltas)


def least(work: Callable[[], None], call: Settling, counter: Counting) -> int:
    """Count work until it was done often enough without a disturbance, and return the least of these counts."""
    found: list[int] = []
    for _ in range(TRIES * COUNTS):
        call.frames(SETTLING_FRAMES)
        counter.zero()
        disturbed = call.disturbed
        work()
        count = counter.read()
        if call.disturbed == disturbed:
            found.append(count)
        if len(found) == COUNTS:
            return min(found)
    raise LateError(f"--instructions: audio came late in all but {len(found)} of {TRIES * COUNTS} counts")


class _Counter:
    """Callgrind's counter in the running target."""

    def __init__(self, target: Target, file: Path | None) -> None:
        self._target = target
        self._file = file
        self._parts = 0

    def begin(self) -> None:
        """Count from now on."""
        self._control("instrumentation", "on")

    def zero(self) -> None:
        """Count from nothing again; it stops the program for less time than ``read``."""
        self._control("zero")

    def read(self) -> int:
        """Return what was counted since ``zero``, of the event loop's thread."""
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
