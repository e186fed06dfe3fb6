"""Mutate packages with mutmut: ``python -m tests.mutants.tool [package …] [--sample 400] [--seed 1]``.

Each package has its fast tests in pyproject.toml (``[tool.mutmut.packages]``) and a copy of the project of its own,
``build/mutation/<package>``, which keeps what was found: a mutant that was killed is tried again only when its function
has changed, one that survived in every run. ``--sample`` tries so many mutants of a package; another ``--seed`` draws
others. The figures go into ``docs/mutants.md``. The program fails where a mutant survives that ``*.equivalent`` beside
the mutations made by hand does not name.
"""

import argparse
import filecmp
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from tests.mutants.mutation import ROOT, Change, equivalents

WORK = ROOT / "build" / "mutation"
COPIED = ("gateway", "tests", "docs", "config", "examples", "README.md", "CHANGELOG.md", ".env.example")
REPORT = ROOT / "docs" / "mutants.md"
HEAD = "| module | mutants | tried | killed | share | equivalent | survived |\n|---|---|---|---|---|---|---|\n"
UNNOTICED = (0, 33)
"""mutmut's exit codes for a mutant that survived, and for one that no test runs."""
TIMED_OUT = (24, -24, 36, 152, 255)
"""mutmut's exit codes for a mutant whose tests did not end; it counts as killed."""


@dataclass(frozen=True, slots=True)
class Package:
    """What of a package is mutated, and which tests are run."""

    name: str
    tests: list[str]
    do_not_mutate: list[str]

    @property
    def work(self) -> Path:
        """Return the directory that its copy of the project stands in."""
        return WORK / self.name

    def files(self) -> list[str]:
        """Return the modules that are mutated."""
        paths = (path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "gateway" / self.name).rglob("*.py")))
        return [path for path in paths if not any(fnmatch(path, pattern) for pattern in self.do_not_mutate)]

    def settings(self) -> str:
        """Return the settings of the project, with those for mutmut that are of this package."""
        values = {"only_mutate": self.files(), "pytest_add_cli_args_test_selection": self.tests}
        lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
        return (ROOT / "pyproject.toml").read_text("utf-8").replace("[tool.mutmut]\n", f"[tool.mutmut]\n{lines}")


def packages() -> dict[str, Package]:
    """Read them from pyproject.toml."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]["packages"]
    return {
        name: Package(name, of["tests"], [f"gateway/{name}/{file}" for file in of.get("do_not_mutate", [])])
        for name, of in settings.items()
    }


def copy(package: Package) -> None:
    """Bring the copy up to date; what did not change keeps its time, by which mutmut knows it."""
    for name in COPIED:
        source = ROOT / name
        paths = [path for path in source.rglob("*") if "__pycache__" not in path.parts] if source.is_dir() else [source]
        for path in paths:
            target = package.work / path.relative_to(ROOT)
            if path.is_dir():
                target.mkdir(parents=True, exist_ok=True)
            elif not target.exists() or not filecmp.cmp(path, target, shallow=False):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
        known = {path.relative_to(ROOT) for path in paths}
        for target in (package.work / name).rglob("*.py") if source.is_dir() else ():
            if target.relative_to(package.work) not in known:
                target.unlink()
    (package.work / "pyproject.toml").write_text(package.settings(), "utf-8")


def drop_unfinished(package: Package) -> None:
    """Remove what a run that was interrupted left half written; mutmut would take it for finished."""
    for file in package.files():
        mutated, meta = (package.work / "mutants" / f"{file}{suffix}" for suffix in ("", ".meta"))
        if mutated.exists() and not (meta.exists() and meta.stat().st_mtime_ns >= mutated.stat().st_mtime_ns):
            mutated.unlink()


def forget_timings(package: Package) -> None:
    """Forget which tests run which function: a test may run more than it did."""
    path = package.work / "mutants" / "mutmut-stats.json"
    if path.exists():
        data = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps(data | {"tests_by_mangled_function_name": {}, "duration_by_test": {}}), "utf-8")


def exit_codes(package: Package, file: str) -> dict[str, int | None]:
    """Return what mutmut has found about the mutants of a module."""
    codes: dict[str, int | None] = _found(package, file, "exit_code_by_key")
    return codes


def _found(package: Package, file: str, what: str) -> dict[str, Any]:
    path = package.work / "mutants" / f"{file}.meta"
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))[what] if path.exists() else {}
    return found


def mutants(package: Package) -> dict[str, dict[str, bool]]:
    """Return the mutants of each module; true where one was killed and its function has not changed since."""
    from mutmut.configuration import reset_config  # noqa: PLC0415 -- only the tool needs mutmut
    from mutmut.mutation.file_mutation import mutate_file_contents  # noqa: PLC0415

    result: dict[str, dict[str, bool]] = {}
    os.chdir(package.work)  # mutmut reads its settings there
    reset_config()
    for file in package.files():
        mutated = mutate_file_contents(file, (ROOT / file).read_text("utf-8"), None, None)
        codes, old = exit_codes(package, file), _found(package, file, "hash_by_function_name")
        prefix = f"{file.removesuffix('.py').replace('/', '.').removesuffix('.__init__')}."
        result[file] = {
            prefix + name: codes.get(prefix + name) not in (None, *UNNOTICED)
            and old.get(of := name.partition("__mutmut_")[0]) == mutated.hash_by_function_name.get(of)
            for name in mutated.mutant_names
        }
    return result


def drawn(names: Iterable[str], sample: int | None, seed: int) -> set[str]:
    """Draw so many of them, all where ``sample`` is not given; a larger sample contains the smaller one."""
    ordered = sorted(names, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())
    return set(ordered[:sample])


def change(mutant: str) -> Change:
    """Return the lines that a mutant changes."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant  # noqa: PLC0415 -- it reads the directory it works in

    lines = [line for line in get_diff_for_mutant(mutant).splitlines() if line[:3] not in ("---", "+++")]
    return Change.of(lines)


def row(name: str, mutants: int, tried: int, killed: int, equivalent: int) -> str:
    """Return a row of the table; the share is of those that were tried."""
    share = f"{100 * killed / tried:.1f} %" if tried else ""
    return f"| {name} | {mutants} | {tried} | {killed} | {share} | {equivalent} | {tried - killed - equivalent} |\n"


def reported(document: str, package: str, text: str) -> str:
    """Return the document with the figures of a package replaced; ``ValueError`` where it has no place for them."""
    begin, end = f"<!-- figures of {package} -->\n", f"<!-- end of the figures of {package} -->\n"
    head, begun, rest = document.partition(begin)
    _, ended, tail = rest.partition(end)
    if not begun or not ended:
        raise ValueError(f"no place for the figures of {package}")
    return f"{head}{begin}{text}{end}{tail}"


def judge(package: Package, all_of: Mapping[str, Collection[str]], chosen: set[str]) -> tuple[str, int]:
    """Print who survived and is not named as equivalent; returns the figures, and how many those are."""
    rows: list[str] = []
    sums = [0, 0, 0, 0]
    unknown = 0
    for file, names in all_of.items():
        codes = exit_codes(package, file)
        tried = [name for name in names if name in chosen and codes.get(name) is not None]
        unnoticed = [mutant for mutant in tried if codes[mutant] in UNNOTICED]
        named = equivalents(file)
        survivors = [(mutant, of) for mutant in unnoticed if (of := change(mutant)) not in named]
        for mutant, of in survivors:
            untested = "" if codes[mutant] == UNNOTICED[0] else ", which no test runs"
            print(f"{file}: {mutant.rpartition('.')[2]}{untested}\n{of}")  # noqa: T201 -- a program
        for mutant in tried:
            if codes[mutant] in TIMED_OUT:
                print(f"{file}: {mutant.rpartition('.')[2]} is killed by a time-out")  # noqa: T201 -- a program
        unknown += len(survivors)
        figures = len(names), len(tried), len(tried) - len(unnoticed), len(unnoticed) - len(survivors)
        sums = [a + b for a, b in zip(sums, figures, strict=True)]
        if tried:
            rows.append(row(f"`{file.removeprefix('gateway/')}`", *figures))
    return "".join([HEAD, *rows, row("together", *sums)]), unknown


def mutate(package: Package, sample: int | None, seed: int, only: str) -> int:
    """Try the mutants of a package, and write the figures; returns how many survived."""
    copy(package)
    drop_unfinished(package)
    known = mutants(package)
    named = {name: killed for of in known.values() for name, killed in of.items() if fnmatch(name, only)}
    chosen = drawn(named, sample, seed)
    if to_try := sorted(name for name in chosen if not named[name]):
        forget_timings(package)
        mutmut = str(Path(sys.executable).with_name("mutmut"))
        subprocess.run([mutmut, "run", *to_try], cwd=package.work, check=True)  # noqa: S603 -- of our own environment
    figures, survived = judge(package, known, chosen)
    if only == "*":
        how = f"`python -m tests.mutants.tool {package.name} --sample {sample} --seed {seed}`\n\n" if sample else ""
        REPORT.write_text(reported(REPORT.read_text("utf-8"), package.name, f"\n{how}{figures}"), "utf-8")
    else:
        print(figures)  # noqa: T201 -- a program
    return survived


def main(arguments: Sequence[str]) -> int:
    """Mutate the packages that are named, or all; returns 1 where a mutant survived."""
    of = packages()
    parser = argparse.ArgumentParser(description="Mutate packages, and tell which mutants no test notices.")
    parser.add_argument("packages", nargs="*", help=f"of {', '.join(of)}; all where none is named")
    parser.add_argument("--sample", type=int, help="how many mutants of each package to try; all where it is not given")
    parser.add_argument("--seed", type=int, default=1, help="another seed draws other mutants")
    parser.add_argument("--only", default="*", help="a pattern of mutants; their figures are only printed")
    given = parser.parse_args(arguments)
    if unknown := set(given.packages) - set(of):
        parser.error(f"no such packages: {', '.join(sorted(unknown))}")
    survived = [mutate(of[name], given.sample, given.seed, given.only) for name in given.packages or of]
    return 1 if any(survived) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
