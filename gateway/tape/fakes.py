"""Stable fakes: what stands on a tape in place of numbers, ids and texts. Pure.

The same value gets the same fake within one tape, so that a reader can follow it, and another one in every other tape.
A fake is made with the tape's key, which is not on the tape: nobody can try out numbers against it.
"""

import hmac
import re
from hashlib import sha256

MARK = "fa4e"
"""The first four letters or digits of each fake id; the reader knows a fake by them."""
COUNTRY = "999"
"""The first digits of each fake number: no country has this code (ITU-T E.164.D)."""
HOST = "example"
"""The top-level domain of each fake host (RFC 2606)."""

TEXT = re.compile(r"\$text[ -]\d+[ -][0-9a-f]{8}")
SECRET = re.compile(r"\$secret[ -]\d+")
AUDIO = re.compile(r"\$audio \d+ -?\d+\.\d(?: [A-Za-z0-9+/=]+)?")
_HOST = re.compile(rf"host-[0-9a-f]{{6}}\.{HOST}")
_NUMBER = re.compile(rf"(?:\d{{1,2}}:)?\+?{COUNTRY}\d{{4,}}")
_PREFIX = re.compile(r"[A-Z]{2}(?=[0-9a-f]{32}$)|[A-Za-z][A-Za-z0-9]{0,11}[:_]|[a-z]-(?=[0-9a-f]{8}-)")
_ALNUM = re.compile(r"[A-Za-z0-9]")
_DIGITS = "0123456789"
_HEX = _DIGITS + "abcdef"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def is_fake(text: str) -> bool:
    """Return whether a value is one that this module makes."""
    whole = (TEXT, SECRET, AUDIO, _HOST, _NUMBER)
    return any(pattern.fullmatch(text) for pattern in whole) or _is_fake_id(text)


def _is_fake_id(text: str) -> bool:
    if _begins_with_mark(text):  # also where the letters of a mark look like a prefix, as in ``fa4e_Im…``
        return True
    prefix = _PREFIX.match(text)
    return prefix is not None and _begins_with_mark(text[prefix.end() :])


def _begins_with_mark(text: str) -> bool:
    return "".join(_ALNUM.findall(text))[: len(MARK)].lower() == MARK


def secret(text: str) -> str:
    """Return what stands in place of a credential: its length alone."""
    return f"$secret {len(text)}"


class Fakes:
    """The fakes of one tape, made with its ``key``."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def text(self, text: str) -> str:
        """Return a text's length in characters and the beginning of its keyed hash."""
        return f"$text {len(text)} {self._digest('text', text).hex()[:8]}"

    def number(self, text: str) -> str:
        """Return a number with as many digits, and with a plus if there was one."""
        digits = "".join(filter(str.isdecimal, text))
        made = COUNTRY + "".join(self._signs("number", digits, _DIGITS, max(4, len(digits) - len(COUNTRY))))
        return f"+{made}" if text.lstrip().startswith("+") else made

    def host(self, text: str) -> str:
        """Return a host that does not exist."""
        return f"host-{self._digest('host', text.lower()).hex()[:6]}.{HOST}"

    def identifier(self, text: str) -> str:
        """Return an id of the same form: prefix, length, separators, and the kind of each of its characters."""
        prefix = _PREFIX.match(text)
        head, rest = (text[: prefix.end()], text[prefix.end() :]) if prefix else ("", text)
        signs = _ALNUM.findall(rest)
        is_hex = all(sign in _HEX for sign in signs)
        is_upper_hex = not is_hex and all(sign in _HEX.upper() for sign in signs)
        made = list(self._signs("id", text, _HEX, max(len(signs), 2 * len(MARK))))
        for at, sign in enumerate(signs):
            if is_upper_hex:
                made[at] = made[at].upper()
            elif not is_hex:
                of_its_kind = _DIGITS if sign.isdigit() else _LETTERS
                made[at] = of_its_kind[ord(made[at]) * (at + 7) % len(of_its_kind)]
                made[at] = made[at].upper() if sign.isupper() else made[at]
        mark = MARK.upper() if is_upper_hex else MARK
        made[: len(MARK)] = mark
        filled = iter(made)
        text_of_rest = _ALNUM.sub(lambda _: next(filled, ""), rest)
        return head + text_of_rest + "".join(filled)

    def _digest(self, kind: str, text: str) -> bytes:
        return hmac.digest(self._key, f"{kind}\0{text}".encode("utf-8", "surrogatepass"), sha256)

    def _signs(self, kind: str, text: str, alphabet: str, count: int) -> str:
        made = b"".join(self._digest(f"{kind}{block}", text) for block in range(count // 32 + 1))
        return "".join(alphabet[byte % len(alphabet)] for byte in made[:count])
