"""Replaces what names people, opens doors or says what was said, in every message of a tape. Pure.

The rule is to replace: a text stays only where :mod:`gateway.tape.rules` knows its member or its form. What was
replaced is remembered for the call, so that an error that quotes it later does not show it.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote_plus

from gateway.logs.redaction import Redactor
from gateway.tape import rules
from gateway.tape.fakes import AUDIO, Fakes, is_fake, secret

REMEMBERED = 4000
"""Texts and ids of one call that are remembered."""
_SHORTEST = 4
_EPOCH = range(1_500_000_000, 2_500_000_000)
"""Seconds since 1970 that are a time and no number of a person."""
_LARGEST = 10_000_000
_DEEPEST = 60
_LONGEST_COUNT = 16
_LONGEST_KEPT = 100
_WORDS = re.compile(r"[^\W\d_]{4,}")
_QUOTED = re.compile(r"""(?<![\w])(['"`])(.+?)\1(?![\w])""")


class Redaction:
    """The redaction of one call. ``secrets`` are the known ones, ``private`` further texts that must not be quoted."""

    def __init__(self, fakes: Fakes, secrets: Iterable[str] = (), private: Iterable[str] = ()) -> None:
        self.fakes = fakes
        self._secrets = Redactor(secrets)
        self._replaced: dict[str, str] = {}
        self._words: set[str] = set()
        self._texts: dict[tuple[str, str, bool], str] = {}
        self._names: dict[tuple[str, bool], str] = {}
        for text in private:
            self._remember(text, fakes.text(text))

    def value(self, value: Any, name: str = "", *, private: bool = False, depth: int = 0) -> Any:
        """Return a JSON value as it may stand on a tape; ``name`` is its member's, ``private`` that of its owner."""
        if depth > _DEEPEST:
            return "$deep"
        match value:
            case str():
                return self.text(value, name, private=private)
            case dict():
                inner = private or name.lower() in rules.PRIVATE
                is_keys = name.lower().startswith("dtmf")
                return {
                    self.name(key, private=inner): self.value(
                        each, "digit" if is_keys and key == "data" else str(key), private=inner, depth=depth + 1
                    )
                    for key, each in value.items()
                }
            case list() | tuple():
                inner = private or name.lower() in rules.PRIVATE
                return [self.value(each, name, private=inner, depth=depth + 1) for each in value]
            case bool() | None:
                return value
            case int() | float():
                return self._amount(value, name, private=private)
        return self.fakes.text(str(value))

    def text(self, text: str, name: str = "", *, private: bool = False) -> str:
        """Return a text as it may stand on a tape. Most of a message is the same in the next one, and looked up."""
        low = name.lower()
        if low in rules.COUNTERS and not private and len(text) <= _LONGEST_COUNT and text.isdecimal():
            return text
        key = (text, name, private)
        shown = self._texts.get(key)
        if shown is None:
            shown = self._text(text, name, low, private=private)
            if len(text) <= _LONGEST_KEPT and len(self._texts) < REMEMBERED and low not in rules.VERBATIM:
                self._texts[key] = shown
        return shown

    def _text(self, text: str, name: str, low: str, *, private: bool) -> str:
        if not text or is_fake(text) or rules.MARK.fullmatch(text):
            return text
        is_secret = self._is_secret(text) and low not in rules.VERBATIM
        if is_secret or (rules.SECRETS.search(low) and not rules.NOT_SECRETS.search(low)):
            return secret(text)
        if low in rules.KEYS or (low == "key" and rules.KEY.fullmatch(text)):
            return re.sub("[0-9A-Da-d]", "5", text) if len(text) < 40 else self._hash(text)
        if (inside := _json_in(text)) is not None and low != "output":
            return json.dumps(self.value(inside, low or "arguments", private=True), separators=(",", ":"))
        if low in rules.TEXTS or private or low in rules.PRIVATE:
            return self._number_or_hash(text)
        return self._public(text, name, low)

    def verbatim(self, text: str) -> str:
        """Return a peer's sentence about what is wrong, without what it quotes of people and secrets."""
        text = rules.URL.sub(lambda found: self.url(found[0]), self._secrets.text(text))
        for known in sorted(self._replaced, key=len, reverse=True):
            if known in text:
                text = text.replace(known, self._replaced[known])
        text = rules.EMAIL.sub(lambda found: self._hash(found[0]), text)
        text = rules.UUID.sub(lambda found: self._id(found[0]), text)
        text = rules.NUMBER.sub(self._number_inside, text)
        text = _QUOTED.sub(self._quoted, text)
        return " ".join(self._id(word) if _is_id(word) and "://" not in word else word for word in text.split(" "))

    def url(self, url: str) -> str:
        """Return an address with a fake host, unless it is a provider's public one, and redacted parts."""
        found = rules.URL.fullmatch(url)
        if found is None:
            return self._hash(url)
        host = found["host"].rpartition("@")[2].partition(":")[0]
        shown = host if rules.API_HOSTS.fullmatch(host) or is_fake(host) else self._host(host)
        query = self.query(found["query"])
        return f"{found['scheme']}://{shown}{self.path(found['path'])}{f'?{query}' if query else ''}"

    def path(self, path: str) -> str:
        """Return the path of an address; what follows a line's name in a stream's path is its key."""
        parts = path.split("/")
        is_stream = parts[1:2] == ["stream"]
        return "/".join(
            _joined(secret(part)) if is_stream and at > 3 and part and not is_fake(part) else self._segment(part)
            for at, part in enumerate(parts)
        )

    def query(self, query: str | None) -> str:
        """Return a query, its values redacted by their names."""
        pairs = [pair.partition("=") for pair in query.split("&")] if query else []
        return "&".join(
            f"{self.name(name)}{is_set}{quote(self.text(unquote_plus(value), name), safe='$:@/')}"
            for name, is_set, value in pairs
        )

    def words(self, line: str) -> str:
        """Return a control message in words, such as Asterisk's: ``MEDIA_START channel:… format:ulaw``."""
        shown = []
        for word in line.split(" "):
            name, is_set, value = word.partition(":")
            if is_set and rules.NAME.fullmatch(name):
                shown.append(f"{name}:{self.text(value, name)}")
            else:
                shown.append(word if re.fullmatch("[A-Z_]{2,40}", word) else self.text(word, "id"))
        return " ".join(shown)

    def _public(self, text: str, name: str, low: str) -> str:
        """Return a text of a member that is the peer's own: kept where its form is known."""
        if low in rules.COUNTERS and re.fullmatch(r"[\d.:TZ+-]{1,32}", text):
            return text
        if text in rules.VOCABULARY:
            return text
        if (
            rules.FORMAT.fullmatch(text)
            or rules.TIME.fullmatch(text)
            or rules.VERSION.fullmatch(text)
            or rules.LANGUAGE.fullmatch(text)
        ):
            return text
        if rules.VOICE.fullmatch(text) or (low in ("name", "model") and rules.MODEL.fullmatch(text)):
            return text
        if rules.URL.fullmatch(text):
            return self.url(text)
        if found := rules.SIP.fullmatch(text):
            user = found["rest"].partition("@")[0].partition(";")[0]
            return f"{found['scheme']}:{_joined(self._number_or_hash(user))}@{self._host(found['rest'])}"
        if low in rules.VERBATIM and not _is_id(text):
            return self.verbatim(text)
        if low in rules.TOKENS and rules.TOKEN.fullmatch(text) and not _is_id(text):
            return text
        if rules.IDS.search(name):
            return self._id(text)
        if rules.DIGITS.fullmatch(text) or rules.EMAIL.fullmatch(text):
            return self._number_or_hash(text)
        if _is_id(text):
            return self._id(text)
        return text if rules.WORD.fullmatch(text) else self._hash(text)

    def name(self, name: object, *, private: bool = False) -> str:
        """Return the name of a member or a field: kept where it looks like one."""
        text = str(name)
        shown = self._names.get((text, private))
        if shown is None:
            shown = self._shown_name(text, private=private)
            if len(self._names) < REMEMBERED:
                self._names[text, private] = shown
        return shown

    def _shown_name(self, text: str, *, private: bool) -> str:
        is_plain = (rules.PLAIN_NAME if private else rules.NAME).fullmatch(text)
        is_number = sum(sign.isdigit() for sign in text) >= 7
        return text if is_plain and not is_number and not self._is_secret(text) else self._hash(text)

    def _segment(self, part: str) -> str:
        stem, dot, ending = part.partition(".")
        if not part or rules.TIME.fullmatch(part) or re.fullmatch(r"v?\d{1,2}|v\d+beta\d*", part) or is_fake(part):
            return part
        if self._is_secret(part):
            return _joined(secret(part))
        if re.fullmatch(r"[A-Za-z_-]{1,24}", stem):
            return part
        return self._id(stem) + dot + ending

    def _amount(self, value: float, name: str, *, private: bool) -> float | str:
        low = name.lower()
        whole = int(value)
        is_time = whole in _EPOCH or whole // 1000 in _EPOCH
        if low in rules.KEYS:
            return 5
        if not private and (abs(value) < _LARGEST or is_time or low in rules.COUNTERS):
            return value
        if private and abs(value) < 10 and isinstance(value, int):
            return value
        return self._number_or_hash(str(value))

    def _number_or_hash(self, text: str) -> str:
        if is_fake(text):
            return text
        prefix = re.fullmatch(r"(\d{1,2}:)(\+?\d{7,})", text)
        if prefix:
            return prefix[1] + self._number(prefix[2])
        return self._number(text) if rules.DIGITS.fullmatch(text) else self._hash(text)

    def _number(self, text: str) -> str:
        fake = self.fakes.number(text)
        self._remember(text, fake)
        digits = "".join(filter(str.isdecimal, text))
        self._remember(digits, self.fakes.number(digits))
        return fake

    def _hash(self, text: str) -> str:
        fake = self.fakes.text(text)
        self._remember(text, fake)
        return fake

    def _id(self, text: str) -> str:
        if is_fake(text) or rules.MARK.fullmatch(text):
            return text
        if found := re.fullmatch(r"(\d{1,2}:)(\+?\d{7,})", text):
            return found[1] + self._number(found[2])
        if re.fullmatch(r"\+\d{7,}", text):
            return self._number(text)
        fake = self.fakes.identifier(text)
        self._remember(text, fake)
        return fake

    def _host(self, text: str) -> str:
        host = text.rpartition("@")[2]
        return host if is_fake(host) else self.fakes.host(host)

    def _number_inside(self, found: re.Match[str]) -> str:
        text = found[0]
        is_kept = sum(map(str.isdigit, text)) < 7 or rules.TIME.fullmatch(text) or is_fake(text)
        return text if is_kept else self._number(text)

    def _quoted(self, found: re.Match[str]) -> str:
        mark, text = found[1], found[2]
        if is_fake(text) or _is_id(text):
            return f"{mark}{self._id(text)}{mark}"
        words = {word.lower() for word in _WORDS.findall(text)}
        is_known = text in rules.VOCABULARY or rules.NAME.fullmatch(text)
        return found[0] if is_known and not words & self._words else f"{mark}{self.fakes.text(text)}{mark}"

    def _is_secret(self, text: str) -> bool:
        return len(text) >= 6 and self._secrets.text(text) != text and not rules.URL.fullmatch(text)

    def _remember(self, text: str, fake: str) -> None:
        if len(text) >= _SHORTEST and len(self._replaced) < REMEMBERED:
            self._replaced[text] = fake
            if len(self._words) < REMEMBERED and not is_fake(text):
                self._words |= {word.lower() for word in _WORDS.findall(text)}


def _joined(fake: str) -> str:
    """Return a fake as one part of an address."""
    return fake.replace(" ", "-")


def _is_id(text: str) -> bool:
    return bool(rules.UUID.fullmatch(text) or rules.LONG_ID.fullmatch(text)) and not (
        rules.TIME.fullmatch(text)
        or rules.VERSION.fullmatch(text)
        or rules.PRODUCT.fullmatch(text)
        or is_fake(text)
        or AUDIO.fullmatch(text)
    )


def _json_in(text: str) -> Mapping[str, Any] | list[Any] | None:
    """Return the JSON object or array that a text is, as the arguments of a function; ``None`` where it is none."""
    if not text.startswith(("{", "[")):
        return None
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict | list) else None
