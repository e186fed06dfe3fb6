"""Sample where the target spends its processor time, by package and by function.

    python -m bench.profiling FILE MODULE [ARGUMENT…]

This command runs a module as ``python -m MODULE`` would. Between SIGUSR1 and SIGUSR2 it looks which function is at
work, every millisecond of processor time, and leaves the counts in FILE. That costs the program next to nothing and
does not make small calls look dearer than they are, as a tracing profiler does. What C code does counts for the
function that called it; the event loop's own work, for the event loop.
"""

import dis
import json
import os
import pstats
import runpy
import signal
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

EVERY_S = 0.001
STANDARD_LIBRARY = Path(pstats.__file__).parent
RESUME = dis.opmap["RESUME"]
FUNCTIONS = 25


@dataclass
class Sampler:
    """A counter of the functions seen at work, by file and name."""

    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    user_s: float = 0.0
    kernel_s: float = 0.0

    def install(self) -> None:
        """Wait for the two signals. The main thread only."""
        signal.signal(signal.SIGUSR1, self._begin)
        signal.signal(signal.SIGUSR2, self._end)
        signal.signal(signal.SIGPROF, self._look)

    def _begin(self, _signal: int, _frame: FrameType | None) -> None:
        times = os.times()
        self.user_s, self.kernel_s = -times.user, -times.system
        signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)

    def _end(self, _signal: int, _frame: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        times = os.times()
        self.user_s += times.user
        self.kernel_s += times.system

    def _look(self, _signal: int, frame: FrameType | None) -> None:
        # A signal is dealt with at the next Python instruction: at the first of a function, the time was its caller's.
        if frame is not None and frame.f_back is not None and frame.f_code.co_code[frame.f_lasti] == RESUME:
            frame = frame.f_back
        if frame is not None:
            self.seen[frame.f_code.co_filename, frame.f_code.co_qualname] += 1

    def write(self, file: Path) -> None:
        """Leave what was counted."""
        counts = [[*function, count] for function, count in self.seen.most_common()]
        file.write_text(json.dumps({"user_s": self.user_s, "kernel_s": self.kernel_s, "counts": counts}))


def run_profiled(file: Path, arguments: list[str]) -> None:
    """Run ``arguments`` (a module and what it is given) and write its profile when it ends."""
    sys.argv = arguments
    sampler = Sampler()
    sampler.install()
    try:
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
    finally:
        sampler.write(file)


def package_of(file: str) -> str:
    """Return the package that a file belongs to: a whole distribution of others, a module of ours."""
    path = Path(file)
    parts = path.parts
    if "site-packages" in parts:
        inside = parts[parts.index("site-packages") + 1 :]
        return ".".join(inside[:3]) if inside[0] == "azure" else inside[0].removesuffix(".py")
    if path.is_relative_to(STANDARD_LIBRARY):
        return path.relative_to(STANDARD_LIBRARY).parts[0].removesuffix(".py")
    for ours in ("gateway", "bench"):
        if ours in parts:
            return ".".join(parts[parts.index(ours) :]).removesuffix(".py")
    return file


def table(file: Path) -> str:
    """Write a profile as two Markdown tables: packages, and the functions that take most."""
    profile = json.loads(file.read_text())
    packages: Counter[str] = Counter()
    functions: Counter[str] = Counter()
    for source, name, count in profile["counts"]:
        package = package_of(source)
        packages[package] += count
        functions[f"{package} `{name}`"] += count
    whole = packages.total() or 1
    busy_s = profile["user_s"] + profile["kernel_s"] or 1.0
    lines = [f"{whole} looks; {100 * profile['kernel_s'] / busy_s:.0f} % of the time in the kernel."]
    for heading, counts in (("package", packages), ("function", functions)):
        lines += ["", f"| {heading} | share of CPU, % |", "| --- | --- |"]
        lines += [f"| {name} | {100 * count / whole:.1f} |" for name, count in counts.most_common(FUNCTIONS)]
    return "\n".join(lines)


if __name__ == "__main__":
    run_profiled(Path(sys.argv[1]), sys.argv[2:])
