"""Make a new provider of a template: ``python -m tests.new_provider NAME [--title TITLE] [switches]``.

It copies a folder of ``examples/provider_template`` into the project under another name and adds what stands in files
that are there: the section of gateway.yaml, the row of the table, a line of the changelog. The result passes the kit
as it is.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.provider_switches import KINDS, SWITCHES, Kind, switched

ROOT = Path(__file__).parents[1]
TEMPLATES = ROOT / "examples" / "provider_template"
PARTS = ("gateway", "tests", "docs")
"""The folders of a template that are copied."""
FORMATTER = "ruff"


class NewProvider:
    """A provider to be made in ``project``: its name in routes and files, and its title for people."""

    def __init__(self, project: Path, name: str, title: str, kind: Kind = "documents", off: Sequence[str] = ()) -> None:
        self._project = project
        self._name = name
        self._template = TEMPLATES / kind
        self._kind = kind
        self._switches = off
        self._title = title or name.capitalize()
        spelled = re.sub(r"\W", "", self._title)
        self._class = spelled if spelled.lower() == name and spelled.isidentifier() else name.capitalize()

    def make(self) -> list[str]:
        """Write all files, and return those that were made or changed; raise ``ValueError`` where one is in the way."""
        if not re.fullmatch(r"[a-z][a-z0-9]*", self._name):
            raise ValueError(f"{self._name!r} is no name: expected small letters and digits, a letter first")
        files = [file for part in PARTS for file in sorted((self._template / part).rglob("*.*"))]
        copies = {self._target(file): file for file in files if "__pycache__" not in file.parts}
        there = [path for path in copies if (self._project / path).exists()]
        if there:
            raise ValueError(f"{there[0]} is there already")
        for path, file in copies.items():
            (self._project / path).parent.mkdir(parents=True, exist_ok=True)
            self._write(path, self._made(file))
        section = self._made(self._template / "settings.py")
        self._insert("gateway/config/providers.py", "SECTIONS: Mapping", f"{section}\n\n")
        self._insert("docs/providers.md", "\n¹ ", self._made(self._template / "row.md"))
        self._insert("CHANGELOG.md", "- ", f"- {self._title} as a phone provider.\n", after="\n### Added\n")
        self._tidy([path for path in copies if path.endswith(".py")])
        return [*copies, "gateway/config/providers.py", "docs/providers.md", "CHANGELOG.md"]

    def _made(self, file: Path) -> str:
        """Return a file of the template with its switches set, under the new name."""
        path = file.relative_to(self._template).as_posix()
        text = switched(path, file.read_text("utf-8"), self._kind, self._switches)
        return self._renamed(text, is_code=file.suffix != ".md")

    def _tidy(self, paths: list[str]) -> None:
        """Take out the imports that a switch has left without use, and format as the project does.

        Raises ``ValueError`` where ruff is missing or fails.
        """
        for words in (("check", "--fix", "--select", "F401,I001"), ("format",)):
            command = [sys.executable, "-m", FORMATTER, *words, "--quiet", *paths]
            done = subprocess.run(command, cwd=self._project, stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603 -- our own words
            if done.returncode:
                raise ValueError(f"made, but not formatted: {done.stderr.strip()}; `make dev` installs ruff")

    def _target(self, file: Path) -> str:
        return file.relative_to(self._template).as_posix().replace("acme", self._name)

    def _renamed(self, text: str, *, is_code: bool = True) -> str:
        text = text.replace("ACME", self._name.upper()).replace("acme", self._name)
        text = text.replace('title="Acme"', f'title="{self._title}"').replace("Acme-", f"{self._class}-")
        return text.replace("Acme", self._class if is_code else self._title)

    def _insert(self, path: str, before: str, text: str, after: str = "") -> None:
        whole = (self._project / path).read_text("utf-8")
        start = whole.index(after) + len(after)
        at = whole.index(before, start)
        self._write(path, whole[:at] + text + whole[at:])

    def _write(self, path: str, text: str) -> None:
        (self._project / path).write_text(text, "utf-8")


def options_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.new_provider", description=__doc__)
    parser.add_argument("name", help="the word in routes, files and gateway.yaml, such as acme")
    parser.add_argument("--title", default="", help="the name for people, such as 'Acme Phones'")
    parser.add_argument("--kind", choices=KINDS, default="documents", help="; ".join(map(": ".join, KINDS.items())))
    for switch in sorted({switch for of_kind in SWITCHES.values() for switch in of_kind}):
        kinds = " and ".join(kind for kind in KINDS if switch in SWITCHES[kind])
        parser.add_argument(f"--{switch}", action="append_const", dest="off", const=switch, help=f"of {kinds}")
    parser.add_argument("--project", type=Path, default=ROOT, help="where to make it; this project if left out")
    return parser


def main(words: list[str] | None = None) -> int:
    """Make a provider; returns 2 where it cannot be made."""
    options = options_parser().parse_args(words)
    try:
        files = NewProvider(options.project, options.name, options.title, options.kind, options.off or ()).make()
    except ValueError as error:
        print(error, file=sys.stderr)  # noqa: T201 -- a program
        return 2
    print("\n".join(files))  # noqa: T201
    print(f"Now try it: make provider NAME={options.name}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
