"""Where the target's processor time goes, by package and by function.

    python -m bench.profiling FILE MODULE [ARGUMENT…]

runs a module as ``python -m MODULE`` would, under cProfile with the thread's processor time as its clock, so that
waiting costs nothing, and leaves the figures in FILE. The profiler makes many small calls look dearer than they are.
"""

import cProfile
import pstats
import runpy
import sys
import time
from pathlib import Path

STANDARD_LIBRARY = Path(pstats.__file__).parent
FUNCTIONS = 25

Code = tuple[str, int, str]


def run_profiled(file: str, arguments: list[str]) -> None:
    """Run ``arguments`` (a module and what it is given) and write its profile when it ends."""
    sys.argv = arguments
    profile = cProfile.Profile(time.thread_time)
    try:
        profile.runcall(runpy.run_module, arguments[0], run_name="__main__", alter_sys=True)
    finally:
        profile.dump_stats(file)


def package_of(code: Code) -> str:
    """The package that a profiled function belongs to; what is written in C by its own name."""
    file, _, name = code
    if file == "~":
        if "socket" in name:
            return "kernel: sockets"
        if "uvloop" in name or "run_until_complete" in name:
            return "uvloop"
        return "C: json" if "json" in name or "scan" in name else "C: other"
    parts = Path(file).parts
    if "site-packages" in parts:
        inside = parts[parts.index("site-packages") + 1 :]
        return ".".join(inside[:3]) if inside[0] == "azure" else inside[0].removesuffix(".py")
    if Path(file).is_relative_to(STANDARD_LIBRARY):
        return Path(file).relative_to(STANDARD_LIBRARY).parts[0].removesuffix(".py")
    for ours in ("gateway", "bench"):
        if ours in parts:
            return ".".join(parts[len(parts) - 1 - parts[::-1].index(ours) :][:3]).removesuffix(".py")
    return file


def table(file: Path) -> str:
    """A profile as two Markdown tables: packages, and the functions that take most."""
    own_s: dict[Code, tuple[int, float]] = {
        code: (figures[1], figures[2])
        for code, figures in pstats.Stats(str(file)).stats.items()  # type: ignore[attr-defined]  # not in typeshed
    }
    whole_s = sum(own for _, own in own_s.values()) or 1.0
    packages: dict[str, float] = {}
    for code, (_, own) in own_s.items():
        packages[package_of(code)] = packages.get(package_of(code), 0.0) + own
    lines = ["| package | share of CPU, % |", "| --- | --- |"]
    for package, own in sorted(packages.items(), key=lambda item: -item[1]):
        if own > whole_s / 200:
            lines.append(f"| {package} | {100 * own / whole_s:.1f} |")
    lines += ["", "| function | share, % | calls | µs each |", "| --- | --- | --- | --- |"]
    for code, (calls, own) in sorted(own_s.items(), key=lambda item: -item[1][1])[:FUNCTIONS]:
        where = f"{package_of(code)} {code[2]}".replace("|", "\\|")
        lines.append(f"| {where} | {100 * own / whole_s:.1f} | {calls} | {1e6 * own / calls:.1f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    run_profiled(sys.argv[1], sys.argv[2:])
