"""The table of what happens when something fails, in docs/operating.md."""

import re
from pathlib import Path

import pytest

from tests.documents import ROOT

_PAGE = (ROOT / "docs" / "operating.md").read_text("utf-8")
_SECTION = _PAGE.partition("## When something fails")[2].partition("\n## ")[0]
ROWS = [line for line in _SECTION.splitlines() if line.startswith("| ")][1:]
COLUMNS = 5


def cells(row: str) -> list[str]:
    """The cells of a row."""
    return [cell.strip() for cell in row.strip("|").split("|")]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: cells(row)[0])
def test_each_row_is_whole_and_names_tests_that_exist(row: str) -> None:
    """What fails, what is heard, how long, where it shows, and who tries it."""
    *said, tests = cells(row)
    assert len(said) == COLUMNS - 1
    assert all(said)
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", tests)
    assert named, f"no test in {tests!r}"
    for file, name in named:
        text = Path(ROOT / file).read_text("utf-8")
        assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE), f"{file} has no {name}"


def test_the_table_is_there() -> None:
    """It has its rows."""
    assert len(ROWS) >= 10
