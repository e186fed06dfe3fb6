"""Positions in a text file."""

from typing import NamedTuple


class Position(NamedTuple):
    """Line and column in a file, both from 1."""

    line: int
    column: int


def position_in(source: str, index: int) -> Position:
    """Return line and column of the character at ``index``."""
    return Position(source.count("\n", 0, index) + 1, index - source.rfind("\n", 0, index))
