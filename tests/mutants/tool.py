"""Mutate the pure packages with mutmut: ``python -m tests.mutants.tool [pattern of mutants]``, as pyproject.toml says.

It works on a copy of the project, ``build/mutation``, which keeps what was found: a mutant that was killed is tried
again only when its function has changed, one that survived in every run. The figures go into ``docs/mutants.md``. The
program fails where a mutant survives that ``*.equivalent`` beside the mutations made by hand does not name.
"""

import filecmp
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.mutants.mutation import ROOT, Change, equivalents

WORK = ROOT / "build" / "mutation"
COPIED = ("gateway", "tests", "docs", "pyproject.toml")
REPORT = ROOT / "docs" / "mutants.md"
BEGIN, END = "<!-- figures -->\n", "<!-- end of the figures -->\n"
SURVIVED, UNTESTED = 0, 33
"""mutmut's exit codes for what nobody noticed; ``None`` is what was not tried."""


def copy() -> None:
    """Bring the copy up to date; what did not change keeps its time, by which mutmut knows it."""
    for name in COPIED:
        source = ROOT / name
        paths = [path for path in source.rglob("*") if "__pycache__" not in path.parts] if source.is_dir() else [source]
        for path in paths:
            target = WORK / path.relative_to(ROOT)
            if path.is_dir():
                target.mkdir(parents=True, exist_ok=True)
            elif not target.exists() or not filecmp.cmp(path, target, shallow=False):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
        known = {path.relative_to(ROOT) for path in paths}
        for target in (WORK / name).rglob("*.py") if source.is_dir() else ():
            if target.relative_to(WORK) not in known:
                target.unlink()


def results() -> Iterator[tuple[Path, dict[str, int | None]]]:
    """Return what mutmut has found, by the file that it mutated."""
    for path in sorted((WORK / "mutants").rglob("*.py.meta")):
        source = path.relative_to(WORK / "mutants").with_suffix("")
        if (ROOT / source).exists():
            yield path, json.loads(path.read_text("utf-8"))["exit_code_by_key"]


def try_survivors_again() -> None:
    """Forget who survived: a test may have come that notices."""
    for path, codes in results():
        data = json.loads(path.read_text("utf-8"))
        data["exit_code_by_key"] = {key: None if code == SURVIVED else code for key, code in codes.items()}
        path.write_text(json.dumps(data), "utf-8")


def change(mutant: str) -> Change:
    """Return the lines that a mutant changes."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant  # noqa: PLC0415 -- it reads the directory it works in

    lines = [line for line in get_diff_for_mutant(mutant).splitlines() if line[:3] not in ("---", "+++")]
    return Change.of(lines)


def row(name: str, mutants: int, tried: int, killed: int, equivalent: int) -> str:
    """Return a row of the table; the share is of those that were tried."""
    share = f"{100 * killed / tried:.1f} %" if tried else ""
    return f"| {name} | {mutants} | {tried} | {killed} | {share} | {equivalent} | {tried - killed - equivalent} |"


def report(rows: Sequence[str]) -> None:
    """Write the figures into the document."""
    text = REPORT.read_text("utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    table = "".join(
        f"{line}\n"
        for line in (
            "| module | mutants | killed | share | equivalent | survived |",
            "|---|---|---|---|---|---|",
            *rows,
        )
    )
    REPORT.write_text(f"{head}{BEGIN}{table}{END}{tail}", "utf-8")


def judge() -> int:
    """Print who survived and is not named as equivalent, and write the figures; returns how many there are."""
    os.chdir(WORK)
    rows: list[str] = []
    sums = [0, 0, 0, 0]
    unknown = 0
    for path, codes in results():
        file = path.relative_to(WORK / "mutants").with_suffix("").as_posix()
        tried = {mutant: code for mutant, code in codes.items() if code is not None}
        unnoticed = [mutant for mutant, code in tried.items() if code in (SURVIVED, UNTESTED)]
        named = equivalents(file)
        survivors = [(mutant, of) for mutant in unnoticed if (of := change(mutant)) not in named]
        for mutant, of in survivors:
            print(f"{file}: {mutant.rpartition('.')[2]}\n{of}")  # noqa: T201 -- a program
        unknown += len(survivors)
        if tried:
            killed, equivalent = len(tried) - len(unnoticed), len(unnoticed) - len(survivors)
            figures = len(codes), len(tried), killed, equivalent
            sums = [a + b for a, b in zip(sums, figures, strict=True)]
            rows.append(row(f"`{file.removeprefix('gateway/')}`", *figures))
    report([*rows, row("together", *sums)])
    return unknown


def main(*patterns: str) -> int:
    """Mutate, and judge what survived."""
    copy()
    try_survivors_again()
    mutmut = str(Path(sys.executable).with_name("mutmut"))
    subprocess.run([mutmut, "run", *patterns], cwd=WORK, check=True)  # noqa: S603 -- of our own environment
    return judge()


if __name__ == "__main__":
    sys.exit(1 if main(*sys.argv[1:]) else 0)
