"""Text that JSON and XML can carry. Pure."""

import re
from typing import Any

import msgspec

UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
"""Characters that no text of a call may hold.

XML 1.0 (2.2, Char) has no place for most of them, YAML 1.2 (5.1) for none unless escaped; UTF-8 cannot write
surrogates.
"""
REPLACEMENT = "\ufffd"
_SURROGATE = re.compile("[\ud800-\udfff]")
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that control a terminal and are not shown: controls, marks that reorder a line, surrogates."""
_LINE_ENDS = re.compile(r"[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+")


def joined(text: str) -> str:
    """Return ``text`` with each pair of surrogates, as JSON escapes write them, as the one character it stands for."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def carried(text: str) -> str:
    """Return ``text`` with pairs joined, and U+FFFD in place of what XML cannot carry."""
    return UNFIT.sub(REPLACEMENT, joined(text))


def encodable(text: str) -> str:
    """Return ``text`` with pairs joined, and U+FFFD in place of what UTF-8 cannot carry."""
    return _SURROGATE.sub(REPLACEMENT, joined(text))


def printable(text: str) -> str:
    """Return ``text`` with U+FFFD in place of what would control a terminal; line ends and tabs are kept."""
    return text if text.isprintable() else UNPRINTABLE.sub(REPLACEMENT, joined(text))


def one_line(text: str) -> str:
    """Return the same on one line, line ends as spaces."""
    return text if text.isprintable() else printable(_LINE_ENDS.sub(" ", text))


def one_line_inside(value: Any) -> Any:
    """Return a value whose texts, keys included, each stand on one line and can be printed."""
    match value:
        case str():
            return one_line(value)
        case dict():
            return {one_line_inside(key): one_line_inside(inner) for key, inner in value.items()}
        case list() | tuple():
            return [one_line_inside(inner) for inner in value]
    return value


def unfit(text: str) -> str:
    """Name the part of ``text`` that cannot be carried, as the end of "it holds …"; empty where nothing is wrong."""
    found = UNFIT.search(text)
    return described(found[0]) if found else ""


def unfit_inside(value: Any) -> str:
    """Do the same for every text in a JSON value, its keys included."""
    match value:
        case str():
            return unfit(value)
        case dict():
            return next(filter(None, (unfit_inside(each) for pair in value.items() for each in pair)), "")
        case list() | tuple():
            return next(filter(None, map(unfit_inside, value)), "")
    return ""


def joined_inside(value: Any) -> Any:
    """Return a JSON value with pairs joined in all its texts, its keys included."""
    match value:
        case str():
            return joined(value)
        case dict():
            return {joined_inside(key): joined_inside(inner) for key, inner in value.items()}
        case list():
            return [joined_inside(inner) for inner in value]
    return value


def encodable_inside(value: Any) -> Any:
    """Return a JSON value with U+FFFD in place of what UTF-8 cannot carry, in all its texts, its keys included."""
    match value:
        case str():
            return encodable(value)
        case dict():
            return {encodable_inside(key): encodable_inside(inner) for key, inner in value.items()}
        case list() | tuple():
            return [encodable_inside(inner) for inner in value]
    return value


def described(character: str) -> str:
    """Name one character of :data:`UNFIT`."""
    code = f"U+{ord(character):04X}"
    if _SURROGATE.match(character):
        return f"{code}, which is half of a character"
    return f"{code}, which is no character" if character > "\ufffd" else f"{code}, a control character"


def json_bytes(value: Any) -> bytes:
    """Write ``value`` as JSON; half of a character, which would raise, becomes U+FFFD."""
    try:
        return msgspec.json.encode(value)  # noqa: TID251 -- the one place that handles surrogates
    except UnicodeEncodeError:
        return msgspec.json.encode(encodable_inside(msgspec.to_builtins(value)))  # noqa: TID251 -- likewise


def json_text(value: Any) -> str:
    """Write ``value`` as JSON text; see :func:`json_bytes`."""
    return json_bytes(value).decode()
