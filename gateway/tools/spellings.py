"""Other ways of writing a text, as services write what they were given: escapes, character codes, base64, hex. Pure."""

import base64
import html
import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote

DEPTH = 3
"""The number of encodings that may lie within one another."""
_TAG = re.compile(r"<[^<>]*>")
_ESCAPE = re.compile(
    r"(?<!\\)\\++(?:u\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|([0-7]{3})|([nrtbfv]))"
)
_TOKEN = re.compile(r"[^\W_]+")
_CODE_PREFIX = re.compile(r"(?:0x|0o|0b|x|u|U)(?=[0-9A-Fa-f])")
_CODES = ((16, 2, 8), (10, 2, 5), (8, 2, 4), (2, 6, 8))
"""Bases in which services write a character's number, each with the fewest and the most digits of it."""
_LARGEST = 0x10FFFF
_WORD = "w"
"""Stands for what is no character code: a word, which ends a value."""
_NO_KEYS = bytes(set(range(256)) - set(b"0123456789*#"))
_LINE_END = re.compile(r"[\r\n]+[ \t]*")
_BETWEEN = re.compile(r"[\W_]")


class Spellings:
    """Finds texts of ``least`` characters or more for which ``holds`` is true, however they are written."""

    def __init__(self, least: int, holds: Callable[[str], bool]) -> None:
        self._least = least
        self._holds = holds
        self._base64 = re.compile(rf"[A-Za-z0-9+/_-]{{{-(-least * 4 // 3)},}}={{0,2}}")
        self._hex = re.compile(rf"(?:[0-9A-Fa-f][\W_]{{0,4}}){{{2 * least},}}")
        self._codes = re.compile(rf"(?:(?<![^\W_])(?:0[xob]|[xuU])?[0-9A-Fa-f]{{2,8}}(?:[\W_]+|$)){{{max(least, 2)},}}")

    def without(self, text: str, mask: str) -> str:
        """Return the text with ``mask`` for each run of base64 or hexadecimal that hides one, or for all of it."""
        clean = self._base64.sub(lambda found: mask if self.hidden_in(found[0]) else found[0], text)
        return mask if self.hidden_in(clean) else clean

    def hidden_in(self, text: str, depth: int = DEPTH) -> bool:
        """Return ``True`` if the text is another spelling of one for which ``holds`` is true."""
        plain = _unescaped(text)
        if plain != text and self._holds(plain):
            return True
        if any(self._holds(spelt) for found in self._codes.finditer(text) for spelt in _from_codes(found[0])):
            return True
        for decoded in self._decoded(plain):
            if self._may_hold(decoded) and self._holds(_text(decoded)):
                return True
            if depth > 1 and decoded.isascii() and self.hidden_in(decoded.decode(), depth - 1):
                return True
        return False

    def _decoded(self, text: str) -> Iterator[bytes]:
        """Yield the decoded runs of base64 and hexadecimal, from every place in the run where they may begin."""
        for each in {text, _LINE_END.sub("", text)}:
            for found in self._base64.finditer(each):
                for start in range(4):
                    yield _from_base64(found[0][start:])
        for found in self._hex.finditer(text):
            digits = _BETWEEN.sub("", found[0])
            for start in range(2):
                yield bytes.fromhex(digits[start : start + (len(digits) - start) // 2 * 2])

    def _may_hold(self, decoded: bytes) -> bool:
        """Return ``True`` if there are enough digits and keys, or it is a text, whose digits may be of any script."""
        return len(decoded.translate(None, _NO_KEYS)) >= self._least or _is_utf8(decoded)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _text(data: bytes) -> str:
    return data.decode() if _is_utf8(data) else data.decode("latin-1")


def _unescaped(text: str) -> str:
    """Return the text without its escapes, which may be nested, and without the tags between."""
    for _ in range(DEPTH):
        if "%" in text:
            text = unquote(text)
        if "&" in text:
            text = html.unescape(text)
        if "\\" in text:
            text = _ESCAPE.sub(_character, text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _TAG.sub(" ", text) if "<" in text else text


def _character(found: re.Match[str]) -> str:
    *hexadecimal, octal, space = found.groups()
    if space:
        return " "
    number = int(octal, 8) if octal else int(next(filter(None, hexadecimal)), 16)
    return chr(number) if number <= _LARGEST else " "


def _from_codes(text: str) -> Iterator[str]:
    """Yield the numbers in a text read as character codes, once for each base; any other number becomes a word."""
    tokens = [_CODE_PREFIX.sub("", found[0]) for found in _TOKEN.finditer(text)]
    for base, fewest, most in _CODES:
        yield "".join(_of_code(token, base, fewest, most) for token in tokens)


def _of_code(token: str, base: int, fewest: int, most: int) -> str:
    if not fewest <= len(token) <= most:
        return _WORD
    try:
        number = int(token, base)
    except ValueError:
        return _WORD
    return chr(number) if ord(" ") <= number <= _LARGEST else _WORD


def _from_base64(text: str) -> bytes:
    """Decode a part of a run of base64; a last letter that is no whole byte is dropped."""
    bare = text.rstrip("=").replace("-", "+").replace("_", "/")
    bare = bare if len(bare) % 4 != 1 else bare[:-1]
    return base64.b64decode(bare + "=" * (-len(bare) % 4))
