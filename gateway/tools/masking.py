"""Takes secret values out of what the model gets, however a service may have written them. Pure."""

import base64
import binascii
import html
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any
from urllib.parse import unquote

MASK = "entered"
_DIGIT = "\\d\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2080-\u2089\u2460-\u2468\u24ea"
"""Decimal digits of all scripts, full-width ones among them, and those that are raised, lowered or in circles."""
_PIECE = re.compile(f"[{_DIGIT}*#]|[^\\W\\d_]+")
"""A digit or key, or a word, which no value goes across; what is between them only separates."""
_WORD = "w"
_GAP = 12
"""Characters between two digits of one value at most: quotes, brackets, dashes, spaces and their escapes."""
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{4,}={0,2}")
_LONGEST_INT = 4000
"""Digits of a number that Python converts."""


def masked(output: str, secrets: Iterable[str]) -> str:
    """Return ``output``, which is JSON, with each secret value replaced wherever a text, a number or a list holds it.

    A value is found with any separators, in digits of any script, spread over the members of a list or an object, and
    in base64, hexadecimal, percent and HTML encoding. JSON without one comes back unchanged.
    """
    values = sorted({value for value in secrets if value}, key=len, reverse=True)
    if not values:
        return output
    try:
        read = json.loads(output, parse_int=_read_int, parse_float=_Float)
        clean = _Masking(values).value(read)
        return output if clean == read else json.dumps(clean, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        return f'"{MASK}"'


class _Float(float):
    """A number as it was written."""

    def __new__(cls, text: str) -> "_Float":
        number = super().__new__(cls, text)
        number.text = text
        return number

    text: str


def _read_int(text: str) -> int | str:
    return int(text) if len(text) < _LONGEST_INT else text


class _Masking:
    """Replaces these values."""

    def __init__(self, values: list[str]) -> None:
        self._values = values
        self._numbers = {int(value) for value in values if value.isdecimal() and len(value) < _LONGEST_INT}

    def value(self, value: Any) -> Any:
        """Return the value without them."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list):
            return self._spread([self.value(each) for each in value], value)
        if isinstance(value, dict):
            inner = self._spread([self.value(each) for each in value.values()], list(value.values()))
            return dict(zip(map(self._text, value), inner, strict=True))
        if isinstance(value, bool) or value is None:
            return value
        written = value.text if isinstance(value, _Float) else str(value)
        return MASK if value in self._numbers or self._holds(written) else value

    def _text(self, text: str) -> str:
        clean = _ENCODED.sub(self._encoded, text)
        for start, end in reversed(list(self._spans(clean))):
            clean = clean[:start] + MASK + clean[end:]
        decoded = html.unescape(unquote(text))
        return MASK if clean == text and decoded != text and self._holds(decoded) else clean

    def _encoded(self, found: re.Match[str]) -> str:
        text = found[0]
        return MASK if any(self._holds(decoded) for decoded in _decodings(text)) else text

    def _holds(self, text: str) -> bool:
        return next(self._spans(text), None) is not None

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where values stand in a text, in order; none lies over another."""
        pieces = list(_PIECE.finditer(text))
        plain = "".join(map(_plain, pieces))
        at = 0
        while at < len(plain):
            length = next((len(value) for value in self._values if plain.startswith(value, at)), 0)
            within = pieces[at : at + length]
            if length and all(b.start() - a.end() <= _GAP for a, b in pairwise(within)):
                yield within[0].start(), within[-1].end()
                at += length
            else:
                at += 1

    def _spread(self, clean: list[Any], members: list[Any]) -> list[Any]:
        """Replace members that make up a value together, each of them digits alone."""
        texts = [_digits(each) for each in members]
        for first in range(len(texts)):
            joined = ""
            for last in range(first, len(texts)):
                if not texts[last]:
                    break
                joined += texts[last]
                if last > first and any(value in joined for value in self._values):
                    clean[first : last + 1] = [MASK] * (last + 1 - first)
                    break
                if len(joined) > 2 * len(self._values[0]):
                    break
        return clean


def _plain(piece: re.Match[str]) -> str:
    text = piece[0]
    if text in "*#":
        return text
    digit = unicodedata.digit(text, None) if len(text) == 1 else None
    return _WORD if digit is None else str(digit)


def _digits(member: Any) -> str:
    """Return the digits of a member that has nothing else but separators; lists within lists are one text."""
    if isinstance(member, dict) and len(member) == 1:  # as a list of objects has them, one for each digit
        member = list(member.values())
    if isinstance(member, list):
        parts = [_digits(each) for each in member]
        return "".join(parts) if all(parts) else ""
    if isinstance(member, bool) or not isinstance(member, str | int | float):
        return ""
    text = member.text if isinstance(member, _Float) else str(member)
    plain = "".join(map(_plain, _PIECE.finditer(text)))
    return "" if _WORD in plain else plain


def _decodings(text: str) -> Iterator[str]:
    """Yield what a run of characters says in base64, of either alphabet, and in hexadecimal."""
    decoders: tuple[Callable[[str], bytes], ...] = (_from_base64, bytes.fromhex)
    for decode in decoders:
        try:
            yield decode(text).decode("latin-1")
        except (ValueError, binascii.Error):
            continue


def _from_base64(text: str) -> bytes:
    bare = text.rstrip("=").replace("-", "+").replace("_", "/")
    bare = bare if len(bare) % 4 != 1 else bare[:-1]
    return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
