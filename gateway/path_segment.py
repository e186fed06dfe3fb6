"""One text as one segment of a URL's path, for every address that is put together of texts. Pure."""

import re
import unicodedata
from urllib.parse import quote, unquote

_DECODINGS = 3
"""How often a server and what stands in front of it may decode a path one after the other."""
_SEPARATORS = re.compile(r"[/\\]")
_PARAMETERS = re.compile(r"[;?#\x00-\x1f\x7f].*", re.DOTALL)
"""What servers have been seen to cut off before they resolve a segment: parameters, and all behind a NUL."""


def segment(text: str, *, safe: str = "", errors: str = "strict") -> str:
    """Return ``text`` percent-encoded as one segment of a path; ``safe`` are signs that stay as they are, and
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
    """Tell whether a server that decodes slashes first would leave the place where ``text`` stands."""
    return any(_is_dots(part) for decoded in _decoded(text) for part in _SEPARATORS.split(decoded))


def _decoded(text: str) -> list[str]:
    """Return a text as it may be read: with wide and narrow forms as one, decoded never, once and more often."""
    readings = [text]
    for _ in range(_DECODINGS):
        readings.append(unquote(readings[-1]))
    return [unicodedata.normalize("NFKC", reading) for reading in readings]


def _is_dots(part: str) -> bool:
    """Tell whether a segment means "this folder" or the one above, once what servers cut off is gone."""
    bare = _PARAMETERS.sub("", part).strip()
    return bool(bare) and set(bare) <= {".", " "}
