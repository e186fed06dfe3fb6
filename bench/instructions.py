"""Count the instructions of a call, by callgrind: the count does not depend on what else the machine does.

The gateway runs under valgrind with a few real calls. It counts what the process executes in user space from the start
of the steady window to its end, log thread and timers included, per frame that the callers sent.
"""

import shutil
import tempfile
from pathlib import Path

from bench import trial
from bench.target import Kept, Program
from bench.websocket import PeerError

CALLS, SECONDS = 5, 20.0
"""As many calls as the gateway can keep up with under valgrind, which slows it down fifty times."""


def per_frame(tree: Path | None = None, kept: Kept | None = None) -> float:
    """Count one run, of another revision's ``tree`` where that is given; ``kept`` is what is kept of the calls.

    Raise PeerError where there is no valgrind, or the machine was too busy.
    """
    if not shutil.which("valgrind"):
        raise PeerError("--instructions: valgrind is not installed")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        file = Path(folder) / "callgrind"
        result = trial.run(Program(tree=tree, count=file, kept=kept), CALLS, SECONDS)
        if result.frames_lost or result.calls_failed:
            raise PeerError(f"--instructions: {result.frames_lost} frames were lost: the machine is too busy to count")
        return total(file) / result.frames_sent


def total(file: Path) -> int:
    """Return the instructions in callgrind's file."""
    for line in file.read_text("utf-8", errors="replace").splitlines():
        if line.startswith("totals:"):
            return int(line.split()[1])
    raise PeerError("--instructions: callgrind left no total")
