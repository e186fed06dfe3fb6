"""The table of docs/emulator.md: which client was run against the emulator, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "emulator.md"
HEAD = ("| client | version | what was run | result |", "|---|---|---|---|")


@dataclass(frozen=True)
class Row:
    """What came of one client. ``good`` if everything did as the client expects of the service."""

    client: str
    version: str
    what: str
    result: str
    good: bool

    def __str__(self) -> str:
        return f"| {self.client} | {self.version} | {self.what} | {self.result} |"


def written(page: str, rows: Sequence[Row]) -> str:
    """Return the page with these rows in its table, each in the place of an older one of the same client."""
    before, _, rest = page.partition("\n".join(HEAD) + "\n")
    old: dict[str, str] = {}
    while rest.startswith("|"):
        line, _, rest = rest.partition("\n")
        old[line.split(" | ")[0].removeprefix("| ")] = line
    lines = {**old, **{row.client: str(row) for row in rows}}
    return before + "\n".join([*HEAD, *lines.values()]) + "\n" + rest
