"""A table fits, or is told in another form."""

import io

import pytest
from rich.console import Console

from gateway.cli.tables import drawn

HEAD = ("program", "measured")
ROWS = (("gateway", "12345678901234567890"), ("plain", "1"))


@pytest.mark.parametrize(("width", "beside_each_other"), [(40, True), (30, False)])
def test_no_word_is_cut(width: int, beside_each_other: bool) -> None:
    """Headings stand above the cells or, on a narrow terminal, in front of each."""
    shown = io.StringIO()
    console = Console(file=shown, width=width)
    console.print(drawn(HEAD, ROWS, console))
    text = shown.getvalue()
    assert "12345678901234567890" in text
    assert "…" not in text
    assert (text.count("measured") == 1) is beside_each_other
