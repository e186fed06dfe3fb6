"""Recognizes what was written in the file if a value is missing or cannot be carried."""

import re

from gateway.config.reading.position import Position, position_in
from gateway.text import UNFIT

_COMMENT = ' (a "#" starts a comment: write it in quotes)'
_HIGH, _LOW = r"\\[uU]0*[dD][89abAB]..", r"\\[uU]0*[dD][c-fC-F].."
_ESCAPE = re.compile(rf"{_HIGH}{_LOW}|\\(?:x(..)|u(....)|U(.{{8}})|(.))", re.DOTALL)
"""A pair of surrogates, which is one character; or one escape of a text in double quotes."""
_SHORT = {"0": "\0", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v"}


def escape_at(source: str, start: int, end: int) -> Position | None:
    """Return the place of the first escape between ``start`` and ``end`` that cannot be carried."""
    for escape in _ESCAPE.finditer(source, start, end):
        code, short = escape[1] or escape[2] or escape[3], escape[4]
        character = _character(code) if code else _SHORT.get(short or "", "")
        if UNFIT.match(character):
            return position_in(source, escape.start())
    return None


def missing_value(source: str, at: Position, *, in_braces: bool, anchor: str) -> str:
    """Return a hint at what was meant if the key at ``at`` has no value; empty if that is not clear."""
    if anchor:
        return f' (a text that starts with "&" is written in quotes, "&{anchor}")'
    lines = source.split("\n")[at.line - 1 :]
    key = lines[0][at.column - 1 :]
    if re.match(r"(?:[^:]*:)?\s*#", key):
        return _COMMENT
    following = next((line for line in lines[1:] if line.strip()), "")
    if re.match(r"[^:]*:\s*$", key) and re.match(r"\s*#\s*:", following):
        return _COMMENT
    if in_braces and re.match(r"[^:,]*}", key):
        return ' (a text that starts with "{" is written in quotes)'
    return ""


def _character(code: str) -> str:
    try:
        return chr(int(code, 16))
    except ValueError:  # YAML has refused it already
        return ""
