"""The mistakes of a configuration, and the words in which they are reported to its author."""

import difflib
from collections.abc import Iterable, Sequence

from gateway.errors import ConfigError, InputError

KeyPath = tuple[str | int, ...]
"""The path of a value: ``("numbers", 0)`` is the first of ``numbers``."""
Finding = tuple[KeyPath, str]
"""A key and what is wrong with it."""


class ConfigErrors(InputError):  # noqa: N818 -- it holds ConfigErrors, plural
    """Every mistake found in a configuration; ``str()`` has one line for each, in the order of the files."""

    def __init__(self, errors: Sequence[ConfigError]) -> None:
        self.errors = sorted(errors, key=lambda error: (error.file, error.line, error.column))
        super().__init__("\n".join(str(error) for error in self.errors))


def dotted(path: KeyPath) -> str:
    """Return the name of a key as messages show it: ``voice.rate``, ``numbers[0]``."""
    name = ""
    for part in path:
        name += f"[{part}]" if isinstance(part, int) else f".{part}" if name else part
    return name


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return ``did you mean …?`` with the nearest known word, or all known words if none is near."""
    choices = list(known)
    near = difflib.get_close_matches(word.lower(), choices, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"expected {listed(choices)}"


def listed(words: Iterable[str]) -> str:
    """Return the words as ``a, b or c``."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last
