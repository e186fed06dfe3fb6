"""Replaces secret values in the output for the model, in every spelling that services use. Pure.

Not found are digits in words ("four two") or between words, a value that is reversed, enciphered, compressed or
written in another base as a number or within more than three encodings, and a part of it, such as the last four
digits of a card.
"""

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from msgspec import Struct

from gateway.tools.spellings import Spellings

MASK = "entered"
_OTHER_DIGITS = (
    "\u00b2\u00b3\u00b9\u1369-\u1371\u19da\u2070\u2074-\u2079\u2080-\u2089\u2460-\u2468\u2474-\u247c\u2488-\u2490\u24ea"
    "\u24f5-\u24fd\u24ff\u2776-\u277e\u2780-\u2788\u278a-\u2792\U00010a40-\U00010a43\U00010e60-\U00010e68"
    "\U00011052-\U0001105a\U0001f100-\U0001f10a"
)
"""Digits that Unicode does not call decimal: raised, lowered, in circles or brackets, with a dot or a comma."""
_KEYS = "*#\uff0a\uff03\ufe61\ufe5f"
"""The two keys that are not digits, also in full-width and small forms."""
_NO_KEYS = bytes(set(range(256)) - set(b"0123456789*#"))
_WORD_PATTERN = rf"[^\W\d_{_OTHER_DIGITS}]+"
_DIGIT_OR_WORD = re.compile(rf"[\d{_OTHER_DIGITS}]|{_WORD_PATTERN}")
"""Matches a digit, or a word, which ends a value; any other character only separates."""
_KEY_OR_WORD = re.compile(rf"[\d{_OTHER_DIGITS}{_KEYS}]|{_WORD_PATTERN}")
_WORD = "w"
_GAP = 12
"""Most characters between two digits of one value, blanks not counted: quotes, brackets, dashes and their escapes."""
_EXPONENT = re.compile(r"(?<![\d.])\d[\d.]{0,400}[eE][-+]?\d{1,3}")
_JSON = re.compile(r"[{\[]|\A\s*\"")
"""The places where JSON may begin within a text."""
_TRIES = 16
_LONGEST_INT = 4000
"""Most digits of a number that Python converts (its default limit is 4300)."""
_GROUPS = (2, 3, 4)
"""Sizes of the groups into which services split a value."""


def masked(output: str, secrets: Iterable[str]) -> str:
    """Return ``output``, which is JSON, with each secret value replaced wherever a text, a number or a list holds it.

    A value is found with any separators, in digits of any script, spread over the members of a list or an object, in
    JSON within a text, and in escapes, character codes, base64 and hexadecimal. JSON without one comes back unchanged.
    """
    values = sorted({value for value in secrets if value}, key=len, reverse=True)
    if not values:
        return output
    try:
        read = _DECODER.decode(output)
        clean = _Masking(values).value(read)
        return output if clean == read else _write(clean)
    except RecursionError:
        return f'"{MASK}"'


def _write(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class _Float(float):
    """A number as it was written."""

    def __new__(cls, text: str) -> "_Float":
        number = super().__new__(cls, text)
        number.text = text
        return number

    text: str


def _read_int(text: str) -> int | str:
    return int(text) if len(text) < _LONGEST_INT else text


_DECODER = json.JSONDecoder(parse_int=_read_int, parse_float=_Float)


class _Piece(Struct):
    """A digit, a key or a word of a text."""

    place: int
    """The index of the text that holds it."""
    start: int
    end: int
    plain: str


class _Member(Struct):
    """A text or number within a list or an object."""

    within: Any
    key: Any

    @property
    def value(self) -> Any:
        """The member's present value."""
        return self.within[self.key]


class _Masking:
    """Replaces the secret values in texts, numbers, lists and objects."""

    def __init__(self, values: list[str]) -> None:
        self._values = [value for value in values if value.isdecimal()]
        self._with_keys = [value for value in values if not value.isdecimal()]
        self._numbers = {int(value) for value in self._values if len(value) < _LONGEST_INT}
        self._floats = {float(value) for value in self._values if math.isfinite(float(value))}
        self._groups = {group for value in self._values for group in _groups(value)}
        self._least = len(values[-1])
        self._spellings = Spellings(self._least, self._holds)

    def value(self, value: Any, *, is_in_list: bool = False) -> Any:
        """Return the value without the secrets."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list):
            clean = [self.value(each, is_in_list=True) for each in value]
            if not is_in_list:
                self._mask_spread(list(_members(clean)))
            for column in _columns(clean):
                self._mask_spread(column)
            return clean
        if isinstance(value, dict):
            inner = [self.value(each) for each in value.values()]
            self._mask_spread(list(_members(inner)))
            return dict(zip(map(self._text, value), inner, strict=True))
        if isinstance(value, bool) or value is None:
            return value
        is_one = value in self._numbers or (isinstance(value, float) and value in self._floats)
        return MASK if is_one or self._holds(_written(value)) else value

    def _text(self, text: str) -> str:
        text = self._json_within(text)
        stripped = text.strip()
        if stripped.isdecimal() and len(stripped) < _LONGEST_INT and int(stripped) in self._numbers:
            return MASK
        if len(text) < self._least:
            return text
        text = _EXPONENT.sub(lambda found: MASK if _float(found[0]) in self._floats else found[0], text)
        for start, end in reversed(self._spans(text)):
            text = text[:start] + MASK + text[end:]
        return self._spellings.without(text, MASK)

    def _json_within(self, text: str) -> str:
        """Return the text without secrets in its JSON; text that only begins like JSON is tried a few times."""
        at, tries = 0, _TRIES
        while tries and (found := _JSON.search(text, at)):
            try:
                read, end = _DECODER.raw_decode(text, found.end() - 1)
            except ValueError:
                at, tries = found.end(), tries - 1
                continue
            if (clean := self.value(read)) != read:
                before = text[: found.end() - 1] + _write(clean)
                text, at = before + text[end:], len(before)
            else:
                at = end
        return text

    def _holds(self, text: str) -> bool:
        return bool(self._spans(text))

    def _spans(self, text: str) -> list[tuple[int, int]]:
        """Return start and end of each value in a text, in order and without overlaps."""
        return [(start, end) for _, start, end in self._places([text])]

    def _places(self, texts: Sequence[str]) -> list[tuple[int, int, int]]:
        """Return each value in consecutive texts: the index of the text, start and end."""
        found: list[tuple[int, int, int]] = []
        for values, pattern in ((self._values, _DIGIT_OR_WORD), (self._with_keys, _KEY_OR_WORD)):
            if values:
                found += _found(values, texts, pattern)
        merged: list[tuple[int, int, int]] = []
        for place, start, end in sorted(found):
            if merged and merged[-1][0] == place and merged[-1][2] >= start:
                merged[-1] = (place, merged[-1][1], max(end, merged[-1][2]))
            else:
                merged.append((place, start, end))
        return merged

    def _mask_spread(self, members: list[_Member]) -> None:
        """Replace the parts of a value that is spread over several members."""
        if len(members) < 2:
            return
        texts = [_written(member.value) for member in members]
        for place, start, end in reversed(self._places(texts)):
            member, text = members[place], texts[place]
            texts[place] = text[:start] + MASK + text[end:]
            member.within[member.key] = texts[place] if isinstance(member.value, str) else MASK
        self._mask_groups(members)
        texts = [_written(member.value) for member in members]
        if self._spellings.hidden_in("\n".join(texts)):
            for member in members:
                if isinstance(member.value, str | int | float) and not isinstance(member.value, bool):
                    member.within[member.key] = MASK

    def _mask_groups(self, members: list[_Member]) -> None:
        """Replace numbers that are the groups of a value; as numbers they have lost their leading zeros."""
        for group in self._groups:
            for first in range(len(members) - len(group) + 1):
                within = members[first : first + len(group)]
                if all(_number(member.value) == part for member, part in zip(within, group, strict=True)):
                    for member in within:
                        member.within[member.key] = MASK


def _found(values: list[str], texts: Sequence[str], pattern: re.Pattern[str]) -> Iterator[tuple[int, int, int]]:
    """Yield the places of values; a value that spans several texts is yielded once for each text."""
    if not _may_hold(values, texts):
        return
    pieces = [
        _Piece(place, match.start(), match.end(), _plain(match[0]))
        for place, text in enumerate(texts)
        for match in pattern.finditer(text)
    ]
    plain = "".join(piece.plain for piece in pieces)
    at = 0
    while at < len(plain):
        length = next((len(value) for value in values if plain.startswith(value, at)), 0)
        within = pieces[at : at + length]
        if length and all(_is_near(a, b, texts) for a, b in pairwise(within)):
            for place in sorted({piece.place for piece in within}):
                here = [piece for piece in within if piece.place == place]
                yield place, here[0].start, here[-1].end
            at += length
        else:
            at += 1


def _may_hold(values: list[str], texts: Sequence[str]) -> bool:
    """Return quickly, for ASCII, whether the digits or keys of a value stand in the text in their order at all."""
    joined = "".join(texts)
    if not joined.isascii():
        return True
    with_keys = joined.encode().translate(None, _NO_KEYS).decode()
    digits = with_keys.replace("*", "").replace("#", "")
    return any(value in (digits if value.isdecimal() else with_keys) for value in values)


def _is_near(a: _Piece, b: _Piece, texts: Sequence[str]) -> bool:
    if a.place != b.place:
        return True
    return sum(not character.isspace() for character in texts[a.place][a.end : b.start]) <= _GAP


def _plain(piece: str) -> str:
    """Return a digit or key as it stands on a keypad, and one character for a word."""
    if len(piece) > 1:
        return _WORD
    digit = unicodedata.digit(piece, None)
    if digit is not None:
        return str(digit)
    key = unicodedata.normalize("NFKC", piece)
    return key if key in "*#" else _WORD


def _groups(value: str) -> Iterator[tuple[int, ...]]:
    """Yield the groups of a value as numbers, for each way to split it in which a number loses a leading zero."""
    for size in _GROUPS:
        if len(value) % size and len(value) < 2 * size:
            continue
        for first in {size, len(value) % size or size}:
            parts = [value[:first], *(value[at : at + size] for at in range(first, len(value), size))]
            if len(parts) > 1 and any(part != str(int(part)) for part in parts):
                yield tuple(map(int, parts))


def _members(within: list[Any] | dict[Any, Any]) -> Iterator[_Member]:
    """Yield the members, with those of inner lists and of inner objects with a single key in place of these."""
    for key in range(len(within)) if isinstance(within, list) else list(within):
        value = within[key]
        if isinstance(value, list) or (isinstance(value, dict) and len(value) == 1):
            yield from _members(value)
        else:
            yield _Member(within, key)


def _columns(rows: list[Any]) -> Iterable[list[_Member]]:
    """Return the values under each key of the objects in a list: services write one object for each key pressed."""
    columns: dict[str, list[_Member]] = {}
    for row in rows:
        for name in row if isinstance(row, dict) else ():
            columns.setdefault(name, []).append(_Member(row, name))
    return columns.values()


def _written(value: Any) -> str:
    """Return a text or number as it is written; for anything else a word, which separates values."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "another"
    return value.text if isinstance(value, _Float) else str(value)


def _number(value: Any) -> int | None:
    if isinstance(value, str):
        return int(value) if value.isdecimal() and len(value) <= max(_GROUPS) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
