"""Looks for what is left on a tape that names people, opens doors or says what was said. Pure but for the reading.

Two searches, neither of which trusts the other. The redaction is applied again: whatever it would change was not
replaced. And each line is searched for forms of secrets and for known ones, percent-decoded and out of base64 too.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from msgspec import Struct

from gateway.tape import bodies, form, rules
from gateway.tape.fakes import AUDIO, Fakes, is_fake
from gateway.tape.redaction import Redaction

SHORTEST = 6
"""Characters of a known secret that is looked for; a shorter one stands anywhere by chance."""
WORDS_IN_A_ROW = 4
"""Words of a known text that make it recognizable."""
FORMS = {
    "a JSON Web Token": re.compile(r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]+"),
    "a credential": re.compile(r"\b(?:bearer|basic|digest)\s+(?!\$)[\w.~+/=-]{8,}", re.IGNORECASE),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    "an e-mail address": rules.EMAIL,
    "a phone number": re.compile(r"(?<![\w.+:/-])\+(?!999)[1-9]\d{6,14}(?!\d)"),
}
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_WORD = re.compile(r"[^\W_]+")
_MEMBERS = frozenset(form.Line.__struct_fields__)


class Known(Struct, frozen=True):
    """The values of this gateway that must not be on a tape."""

    secrets: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    """Instructions and other texts of lines."""


class Left(Struct, frozen=True):
    """Something that is left. The message never holds what it is."""

    line: int
    what: str
    where: str = ""

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}" + (f" at {self.where}" if self.where else "")


def left_on(file: Path, known: Known) -> list[Left]:
    """Return what is left on a tape. Raises ``InputError`` for what is no tape."""
    form.read_tape(file)
    found: dict[tuple[int, str, str], None] = {}
    search = _Search(known)
    for number, text in enumerate(form.read_lines(file), start=1):
        for what, where in search.line(text.decode("utf-8", "replace"), is_header=number == 1):
            found[number, what, where] = None
    return [Left(*each) for each in found]


class _Search:
    def __init__(self, known: Known) -> None:
        spellings = (_spellings(secret) for secret in known.secrets if len(secret.strip()) >= SHORTEST)
        self._secrets = {one for each in spellings for one in each}
        self._numbers = {"".join(filter(str.isdecimal, number)) for number in known.numbers}
        self._numbers = {number for number in self._numbers if len(number) >= SHORTEST}
        self._texts = {row for text in known.texts for row in _rows(text)}
        self._redaction = Redaction(Fakes(b"check"), known.secrets)

    def line(self, text: str, *, is_header: bool) -> Iterator[tuple[str, str]]:
        try:
            record = json.loads(text)
        except ValueError:
            record = None
        yield from self._in_text(text)
        if isinstance(record, dict):
            yield from self._header(record) if is_header else self._record(record)
        elif text.strip():
            yield "a line that is no record", ""

    def _in_text(self, text: str) -> Iterator[tuple[str, str]]:
        for layer in _layers(text):
            if any(secret in layer for secret in self._secrets):
                yield "a known secret", ""
            if any(number in layer for number in self._numbers):
                yield "a number of a line or of the configuration", ""
            yield from ((what, "") for what, pattern in FORMS.items() if any(map(_is_real, pattern.finditer(layer))))
        if self._texts and not self._texts.isdisjoint(_rows(text)):
            yield "a text of the configuration", ""
        if re.search(r'"\$audio \d+ -?[\d.]+ [A-Za-z0-9+/]', text):
            yield "the caller's voice", "--tape-audio was given"

    def _header(self, header: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        if set(header) - set(form.Header.__struct_fields__):
            yield "a member that a tape does not have", "the header"
        if header.get("call") and not is_fake(str(header["call"])):
            yield "an id that was not replaced", "call"

    def _record(self, record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        if set(record) - _MEMBERS:
            yield "a member that a tape does not have", ""
        redaction = self._redaction
        for name in ("json", "facts"):
            if record.get("kind") != "lost" or name == "json":
                yield from self._compared(record.get(name), redaction.value(record.get(name)), name)
        if isinstance(text := record.get("text"), str):
            yield from self._compared(text, text if text.startswith("$") else redaction.words(text), "text")
        if isinstance(audio := record.get("audio"), str) and not AUDIO.fullmatch(audio):
            yield "audio that is no size and level", "audio"
        if isinstance(http := record.get("http"), dict):
            yield from self._compared(http, self._http(http), "http")

    def _http(self, http: Mapping[str, Any]) -> dict[str, Any]:
        shown = dict(http)
        if isinstance(headers := http.get("headers"), dict):
            shown["headers"] = bodies.headers(self._redaction, {name: str(value) for name, value in headers.items()})
        for name, again in (
            ("url", self._redaction.url),
            ("failure", self._redaction.verbatim),
            ("xml", lambda text: bodies.xml(self._redaction, text)),
            ("text", lambda text: text if is_fake(text) else self._redaction.verbatim(text)),
        ):
            if isinstance(http.get(name), str):
                shown[name] = again(http[name])
        if isinstance(fields := http.get("form"), list):
            shown["form"] = bodies.form(self._redaction, [(str(field[0]), str(field[-1])) for field in fields if field])
        if "json" in http:
            shown["json"] = self._redaction.value(http["json"])
        return shown

    def _compared(self, was: Any, would_be: Any, where: str) -> Iterator[tuple[str, str]]:
        if isinstance(was, dict) and isinstance(would_be, dict):
            for (name, value), (shown, again) in zip(was.items(), would_be.items(), strict=False):
                if name != shown:
                    yield "a member whose name is not one", where
                yield from self._compared(value, again, f"{where}.{shown}")
        elif isinstance(was, list) and isinstance(would_be, list):
            for value, again in zip(was, would_be, strict=False):
                yield from self._compared(value, again, where)
        elif was != would_be:
            yield _what(str(was), str(would_be)), where


def _what(was: str, would_be: str) -> str:
    """Name what the redaction would replace, without showing it."""
    if would_be.startswith("$secret"):
        return "a credential"
    if rules.EMAIL.search(was):
        return "an e-mail address"
    if rules.DIGITS.fullmatch(was):
        return "a number"
    if "://" in was:
        return "an address with a host, an id or a key"
    if would_be.startswith("$text") or " " in was:
        return "words: of a caller, of the bot, of instructions or of a tool"
    return "an id that was not replaced"


def _is_real(found: re.Match[str]) -> bool:
    return not is_fake(found[0]) and not found[0].endswith(".example")


def _layers(text: str) -> Iterator[str]:
    """Yield a line as it stands, percent-decoded, and each piece of base64 in it decoded."""
    yield text
    if "%" in text and (decoded := unquote(text)) != text:
        yield decoded
    for piece in _BASE64.findall(text):
        padded = piece.rstrip("=").replace("-", "+").replace("_", "/")
        try:
            read = base64.b64decode(padded + "=" * (-len(padded) % 4))
        except binascii.Error:
            continue
        if read.isascii() and (shown := read.decode()).isprintable():
            yield shown


def _spellings(secret: str) -> Iterator[str]:
    """Yield a secret as it is, in hexadecimal and as base64 of any alignment writes its inner characters."""
    secret = secret.strip()
    raw = secret.encode()
    yield secret
    yield raw.hex()
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + raw).decode()
        inner = encoded[(0, 2, 3)[shift] : len(encoded) - (0, 4, 4)[(len(raw) + shift) % 3]].rstrip("=")
        if len(inner) >= SHORTEST:
            yield inner
            yield inner.replace("+", "-").replace("/", "_")


def _rows(text: str) -> Iterable[tuple[str, ...]]:
    """Return each row of so many words."""
    words = [word.lower() for word in _WORD.findall(text)]
    return {tuple(words[at : at + WORDS_IN_A_ROW]) for at in range(len(words) - WORDS_IN_A_ROW + 1)}
