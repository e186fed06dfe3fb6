"""The texts of a line in which placeholders are filled in for each call."""

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.config.reading.problems import KeyPath

_ANY = "*"
_FILLED: tuple[KeyPath, ...] = (
    ("instructions",),
    ("greeting",),
    ("greeting", "say"),
    ("greeting", "prompt"),
    *(("history", _ANY, role) for role in ("system", "user", "assistant")),
    ("silence", "say"),
    ("hours", "closed", "say"),
    ("recording", "announce"),
    ("recording", "announce", "say"),
    ("recording", "consent", "ask"),
    ("on_key", _ANY, "say"),
    ("transfers", _ANY, "announce"),
    ("tools", _ANY, "while_waiting"),
    ("tools", _ANY, "while_waiting", "say"),
    ("tools", _ANY, "parameters", _ANY, "prompt"),
    ("tools", _ANY, "approval", "ask"),
)


def filled_texts(data: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """Return the texts with placeholders, each with its key, from data that may still be invalid."""
    for pattern in _FILLED:
        yield from _found(data, pattern, ())


def _found(value: Any, pattern: KeyPath, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if not pattern:
        if isinstance(value, str):
            yield path, value
        return
    part, *rest = pattern
    if part == _ANY:
        inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, inner in inside:
            yield from _found(inner, tuple(rest), (*path, key))
    elif isinstance(value, dict) and part in value:
        yield from _found(value[part], tuple(rest), (*path, part))
