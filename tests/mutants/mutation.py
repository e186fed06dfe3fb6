"""A mutation made by hand: a small change of behaviour of the kind that a regression makes.

Those of ``gateway/call/silence.py`` stand in ``gateway/call/silence.diff`` here: after a ``#`` what the gateway
then does wrong, and below it lines of the source that go (``-``), come (``+``) and stay (`` ``). Mutants of the tool
that change no behaviour stand in ``gateway/call/leaving.equivalent``, for instance: after a ``#`` the reason, and below
it the lines of each.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Change:
    """Lines that go and lines that come, without their indentation."""

    old: tuple[str, ...]
    new: tuple[str, ...]

    @classmethod
    def of(cls, lines: Sequence[str]) -> "Change":
        """Read it from the lines of a diff."""
        return cls(*(tuple(line[1:].strip() for line in lines if line[:1] == sign) for sign in "-+"))

    def __str__(self) -> str:
        return "\n".join([f"-{line}" for line in self.old] + [f"+{line}" for line in self.new])


@dataclass(frozen=True, slots=True)
class Mutation:
    """In ``file``, the lines ``old`` become ``new``; ``name`` says what the gateway then does wrong."""

    name: str
    file: str
    old: str
    new: str

    @property
    def module(self) -> str:
        """The name of the module that it changes."""
        return self.file.removesuffix(".py").replace("/", ".")

    def source(self) -> str:
        """Return the changed source; ``ValueError`` where ``old`` does not stand in it exactly once."""
        source = (ROOT / self.file).read_text(encoding="utf-8")
        if (count := f"\n{source}".count(f"\n{self.old}")) != 1:
            raise ValueError(f"its lines are there {count} times, and not once")
        return f"\n{source}".replace(f"\n{self.old}", f"\n{self.new}")[1:]


def mutations() -> Iterator[Mutation]:
    """Read all of them."""
    for path in sorted(HERE.glob("gateway/**/*.diff")):
        for name, lines in _blocks(path):
            yield Mutation(name, _file_of(path), _joined(lines, "- "), _joined(lines, "+ "))


def equivalents(file: str) -> set[Change]:
    """Read the changes of a module that are named as equivalent."""
    path = (HERE / file).with_suffix(".equivalent")
    return {change for _, lines in _blocks(path) for change in _changes(lines)} if path.exists() else set()


def equivalent_files() -> list[str]:
    """Return the modules that have any."""
    return [_file_of(path) for path in sorted(HERE.glob("gateway/**/*.equivalent"))]


def _file_of(path: Path) -> str:
    return path.relative_to(HERE).with_suffix(".py").as_posix()


def _blocks(path: Path) -> Iterator[tuple[str, list[str]]]:
    for block in f"\n{path.read_text(encoding='utf-8')}".split("\n# ")[1:]:
        name, *lines = block.splitlines()
        if any(line[:1] not in ("-", "+", " ") for line in lines if line):
            raise ValueError(f"{path}: {name}: a line begins with '-', '+' or a blank")
        yield name, lines


def _changes(lines: Sequence[str]) -> Iterator[Change]:
    """Each runs of lines that go with the lines that come behind them."""
    runs = [list(run) for _, run in groupby((line for line in lines if line), key=lambda line: line[0])]
    old: list[str] = []
    for run in runs:
        if run[0][0] == "-":
            old = run
        elif run[0][0] == "+":
            yield Change.of([*old, *run])
            old = []
    if old:
        yield Change.of(old)


def _joined(lines: Sequence[str], kept: str) -> str:
    return "".join(f"{line[1:]}\n" for line in lines if line and line[0] in kept)
