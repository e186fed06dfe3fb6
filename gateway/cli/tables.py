"""Draws tables for a terminal of any width."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.table import Table

UNBOUNDED = 10_000
"""Columns of a terminal that is wide enough for every table."""


def drawn(head: Sequence[str], rows: Sequence[Sequence[str]], console: Console) -> RenderableType:
    """Return a table; if words would be cut, return the rows below each other, each cell with its heading."""
    table = Table(*head, box=SIMPLE_HEAD)
    for row in rows:
        table.add_row(*row)
    unbounded = console.options.update(max_width=UNBOUNDED)
    if console.measure(table, options=unbounded).minimum <= console.width:
        return table
    listed = Table.grid(padding=(0, 2))
    for row in rows:
        for name, cell in zip(head, row, strict=True):
            listed.add_row(name, cell)
        listed.add_row("", "")
    return listed
