"""Placeholders such as ``{caller}`` in instructions and greetings, filled in from the call and the variables."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gateway.config.reading.problems import suggestion

OF_THE_CALL = ("caller", "called", "line", "now")
"""Placeholders for the caller, the number dialled, the line's name, and the date and time where the line is."""

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


@dataclass(frozen=True)
class Mistake:
    """A placeholder that has no value. ``piece`` is its text, after ``nth`` equal ones; ``index`` is its place."""

    piece: str
    nth: int
    index: int
    message: str


def mistakes(text: str, names: Collection[str]) -> list[Mistake]:
    """Return the placeholders of ``text`` that are not among ``names``, and braces that stand alone."""
    wrong = []
    for match in _PIECE.finditer(text):
        piece, name = match[0], match[1]
        if piece in ("{{", "}}") or name in names:
            continue
        if name is None:
            message = f"a {piece} that belongs to no placeholder, write {piece}{piece} for the sign itself"
        else:
            message = f"unknown placeholder {piece}, {suggestion(name, names)}"
        wrong.append(Mistake(piece, text.count(piece, 0, match.start()), match.start(), message))
    return wrong


def found(text: str, names: Collection[str]) -> list[str]:
    """Return the placeholders of ``text`` that are among ``names``, as written, each once."""
    return list(dict.fromkeys(match[0] for match in _PIECE.finditer(text) if match[1] in names))


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return ``text`` with its placeholders replaced; each must be among ``values`` (see :func:`mistakes`)."""

    def replace(match: re.Match[str]) -> str:
        return match[0][0] if match[1] is None else values[match[1]]

    return _PIECE.sub(replace, text)
