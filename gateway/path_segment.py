"""Writes a text as one segment of a URL's path, for every address that is built from texts. Pure."""

import re
import unicodedata
from urllib.parse import quote, unquote

_DECODINGS = 3
"""The number of times that a server and proxies in front of it may decode a path, one after the other."""
_SEPARATORS = re.compile(r"[/\\]")
_PARAMETERS = re.compile(r"[;?#\x00-\x1f\x7f].*", re.DOTALL)
"""Endings that servers have been seen to cut off before they resolve a segment: parameters, and all after a NUL."""


def segment(text: str, *, safe: str = "", errors: str = "strict") -> str:
    """Return ``text`` percent-encoded as one segment of a path; ``safe`` are characters that stay, and
    ``errors`` says what becomes of halves of characters, as for ``str.encode``.

    Raises ``ValueError`` for a text that is empty or names a folder. Dots are refused and not only encoded: a server
    may decode "%2E%2E" before it resolves it.
    """
    if not text.strip():
        raise ValueError("is empty")
    if any(map(_is_dots, _decoded(text))):
        raise ValueError("cannot be part of an address")
    return quote(text, safe=safe, errors=errors)


def leads_away(text: str) -> bool:
    """Return whether a server that decodes slashes first would leave the folder of ``text``."""
    return any(_is_dots(part) for decoded in _decoded(text) for part in _SEPARATORS.split(decoded))


def _decoded(text: str) -> list[str]:
    """Return the readings of a text: with wide and narrow forms as one, decoded never, once and more often."""
    readings = [text]
    for _ in range(_DECODINGS):
        readings.append(unquote(readings[-1]))
    return [unicodedata.normalize("NFKC", reading) for reading in readings]


def _is_dots(part: str) -> bool:
    """Return whether a segment means "this folder" or the one above, without the endings that servers cut off."""
    bare = _PARAMETERS.sub("", part).strip()
    return bool(bare) and set(bare) <= {".", " "}
