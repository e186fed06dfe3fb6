"""The project's documents as the tests read them: pages, code blocks, commands."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))

_FENCE = re.compile(r"^```(?P<language>\w*) *(?P<mark>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: ``sh`` alone is run as it stands; a word after it names a need besides the clone."""

    language: str
    mark: str
    text: str


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page."""
    found = _FENCE.finditer(page.read_text("utf-8"))
    return [Block(match["language"], match["mark"], match["text"]) for match in found]


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return _FENCE.sub("", page.read_text("utf-8"))


def commands(block: Block) -> Iterator[list[str]]:
    """Return the commands of a block, in words; ``&&`` separates two."""
    for line in block.text.splitlines():
        for command in line.split("&&"):
            if words := shlex.split(command, comments=True):
                yield words
