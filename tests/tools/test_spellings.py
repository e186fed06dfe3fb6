"""A secret is found however a service writes it; a sloppy one, or one that means to tell it."""

import base64
import html
import json
import sys
import time
import unicodedata
from collections.abc import Callable, Sequence
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.tools.masking import masked
from gateway.tools.spellings import DEPTH

Write = Callable[[str], object]
CARD = "4539578763621486"
PIN = "0042"


def digits_at(zero: int) -> Write:
    """Write in the script whose zero is that character."""
    return lambda secret: "".join(chr(zero + int(digit)) for digit in secret)


def grouped(secret: str, size: int) -> list[str]:
    """Split from the left."""
    return [secret[at : at + size] for at in range(0, len(secret), size)]


def in_groups(size: int, separator: str = "") -> Write:
    """Write groups; with a separator as one text."""
    return lambda secret: separator.join(grouped(secret, size)) if separator else grouped(secret, size)


def within_base64(before: str, after: str, encode: Callable[[bytes], bytes] = base64.b64encode) -> Write:
    """Encode with other text around, so that the secret begins anywhere in a group of three bytes."""
    return lambda secret: encode(f"{before}{secret}{after}".encode()).decode()


SEPARATORS = [
    *(" ", "/", ",", ", ", " - ", "_", "·", "\n", "\r\n", "\t", "\\n", "\\t", "\\", "|", ".", ":", "*", "#", "+"),
    *("\u2009", "\u200b", "\u2060", "\ufeff", "\u00ad", "\u2012", "\u2013", "\u2014", "\u2212", "\uff0d", "\u3000"),
    *("\ufe0f\u20e3", "\u0301", "<b></b>", "</span><span class='d'>", "&nbsp;", "&#8210;", "%20", "+%2D+"),
    "\n" + 40 * " ",
]
TEXTS: dict[str, Write] = {
    **{f"separated by {each!a}": each.join for each in SEPARATORS},
    **{f"grouped by {n}": in_groups(n, "\u2012") for n in (2, 3, 4)},
    **{f"digits at {zero:#x}": digits_at(zero) for zero in (0x660, 0x6F0, 0x966, 0xFF10, 0x1D7CE, 0x1D7F6, 0x2080)},
    "in circles": lambda secret: "".join("⓪①②③④⑤⑥⑦⑧⑨"[int(digit)] for digit in secret),
    "in dark circles": lambda secret: "".join("⓿❶❷❸❹❺❻❼❽❾"[int(digit)] for digit in secret),
    "after a word": lambda secret: f"PIN{digits_at(0xFF10)(secret)}",
    "bold": lambda secret: " ".join(f"**{group}**" for group in grouped(secret, 4)),
    "percent encoded": lambda secret: "".join(f"%{ord(digit):02x}" for digit in secret),
    "percent encoded twice": lambda secret: quote("".join(f"%{ord(digit):02X}" for digit in secret)),
    "HTML": lambda secret: "".join(f"&#{ord(digit)};" for digit in secret),
    "HTML, hexadecimal": lambda secret: "".join(f"&#x{ord(digit):x};" for digit in secret),
    "HTML, twice": lambda secret: html.escape("".join(f"&#{ord(digit)};" for digit in secret)),
    "escaped as in JSON": lambda secret: "".join(f"\\u{ord(digit):04x}" for digit in secret),
    "escaped as in JSON, twice": lambda secret: "".join(f"\\\\u{ord(digit):04x}" for digit in secret),
    "escaped in part": lambda secret: f"\\x{ord(secret[0]):02x}{secret[1:]}",
    "escaped in octal": lambda secret: "".join(f"\\{ord(digit):03o}" for digit in secret),
    "escaped in octal in part": lambda secret: f"\\{ord(secret[0]):03o}{secret[1:]}",
    "with an escape that is no character": lambda secret: f"{secret[:2]}\\u{{110000}}{secret[2:]}",
    "escaped beside half a character": lambda secret: f"\\ud83d\\u{ord(secret[0]):04x}{secret[1:]}",
    "full-width and escaped": lambda secret: "".join(f"\\u{ord(digit) + 0xFEE0:04x}" for digit in secret),
    "hexadecimal": lambda secret: secret.encode().hex(),
    "hexadecimal with a prefix": lambda secret: f"0x{secret.encode().hex().upper()}",
    "hexadecimal in groups": lambda secret: secret.encode().hex(" ", 2),
    "hexadecimal with colons": lambda secret: secret.encode().hex(":"),
    "hexadecimal within": lambda secret: f"id{f'x{secret}'.encode().hex()}",
    "codes": lambda secret: " ".join(str(ord(digit)) for digit in secret),
    "codes, hexadecimal": lambda secret: ", ".join(hex(ord(digit)) for digit in secret),
    "codes around the last one": lambda secret: " ".join(
        f"{code:x}" for code in (*secret[:2].encode(), sys.maxunicode, *secret[2:].encode())
    ),
    "codes, binary": lambda secret: " ".join(f"{ord(digit):08b}" for digit in secret),
    **{f"base64 after {n}": within_base64("x" * n, "!") for n in range(3)},
    **{f"URL-safe base64 after {n}": within_base64("\xff\xfe?"[:n], "", base64.urlsafe_b64encode) for n in range(4)},
    "URL-safe base64 around >": lambda secret: base64.urlsafe_b64encode(f"{secret[:2]}>{secret[2:]}".encode()).decode(),
    "URL-safe base64 around ?": lambda secret: base64.urlsafe_b64encode(f"{secret[:2]}?{secret[2:]}".encode()).decode(),
    "base64 without padding": lambda secret: base64.b64encode(secret.encode()).decode().rstrip("="),
    "base64 behind a path": lambda secret: f"/files/{base64.b64encode(secret.encode()).decode()}",
    "base64 in lines": lambda secret: base64.encodebytes(f"{'x' * 50}{secret} {'y' * 50}".encode()).decode(),
    "base64 of UTF-16": lambda secret: base64.b64encode(secret.encode("utf-16")).decode(),
    "base64 of base64": lambda secret: base64.b64encode(base64.b64encode(secret.encode())).decode(),
    "base64 of full-width": lambda secret: base64.b64encode(str(digits_at(0xFF10)(secret)).encode()).decode(),
    "base64 of two scripts": lambda secret: base64.b64encode(
        f"{secret[:2]}{digits_at(0x660)(secret[2:])}".encode()
    ).decode(),
    "base64 of hexadecimal": lambda secret: base64.b64encode(secret.encode().hex().encode()).decode(),
    "base64 in a URL": lambda secret: quote(base64.b64encode(secret.encode()).decode(), safe=""),
    "JSON of a list": lambda secret: json.dumps(list(secret)),
    "JSON of an object": lambda secret: json.dumps({"a": secret[:2], "b": secret[2:]}),
    "JSON of JSON": lambda secret: json.dumps(json.dumps({"list": list(secret)}, indent=8)),
    "JSON in a text": lambda secret: f"the service said {json.dumps([list(secret)], indent=16)}",
    "JSON of codes": lambda secret: json.dumps({"type": "Buffer", "data": list(secret.encode())}),
}
VALUES: dict[str, Write] = {
    "number": int,
    "number with zeros behind": float,
    "object": lambda secret: {"a": secret[:2], "b": secret[2:]},
    "list of digits": list,
    "list of numbers": lambda secret: [int(digit) for digit in secret],
    "list in lists": lambda secret: [[digit] for digit in secret],
    "list in uneven lists": lambda secret: [["Visa", secret[0]], [[secret[1]], secret[2:]]],
    "list with other words": lambda secret: [f"it begins {secret[:2]}", f"{secret[2:]} and ends"],
    "list of codes": lambda secret: list(secret.encode()),
    "list of codes as text": lambda secret: [hex(ord(digit)) for digit in secret],
    "list of lines of base64": lambda secret: grouped(base64.b64encode(secret.encode()).decode(), 4),
    **{f"list of groups of {n}": in_groups(n) for n in (2, 3, 4)},
    "list of numbers of 2": lambda secret: [int(group) for group in grouped(secret, 2)],
    "list of numbers of 4": lambda secret: [int(group) for group in grouped(secret, 4 if len(secret) > 7 else 2)],
    "object of digits": lambda secret: {f"d{n}": digit for n, digit in enumerate(secret)},
    "objects with a digit": lambda secret: [{"key": digit} for digit in secret],
    "objects with a digit and more": lambda secret: [
        {"at": f"10:0{n % 7}", "key": digit} for n, digit in enumerate(secret)
    ],
}
WAYS = TEXTS | VALUES
AROUND: Sequence[Callable[[object], object]] = (
    lambda value: value,
    lambda value: f"paid by {value} today" if isinstance(value, str) else {"a": value},
    lambda value: {"x": [{"y": value, "z": None}]},
    lambda value: {value: 1} if isinstance(value, str) else [True, value],
    lambda value: json.dumps({"inner": value}),
)


@pytest.mark.parametrize("secret", [CARD, PIN])
@pytest.mark.parametrize("way", WAYS)
def test_no_spelling_hides_a_secret(way: str, secret: str) -> None:
    """As a value, a name, within a text and within JSON; nothing is left of it by which it could be read."""
    written = WAYS[way](secret)
    for around in AROUND:
        shown = masked(json.dumps(around(written)), [secret])
        assert "entered" in shown
        json.loads(shown)
        assert masked(shown, [secret]) == shown


@settings(max_examples=150)
@given(
    secret=st.text("0123456789", min_size=4, max_size=19),
    way=st.sampled_from(sorted(WAYS)),
    first=st.sampled_from(AROUND),
    second=st.sampled_from(AROUND),
    before=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
def test_any_secret_is_found(
    secret: str,
    way: str,
    first: Callable[[object], object],
    second: Callable[[object], object],
    before: str,
) -> None:
    """Whatever its digits, whatever stands in front of it, and in whatever it lies."""
    written = WAYS[way](secret)
    output = json.dumps({"before": before, "value": second(first(written))})
    shown = masked(output, [secret])
    assert "entered" in shown
    assert shown != output


@settings(max_examples=100)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
    )
)
def test_what_is_none_stays(value: object) -> None:
    """Any answer without the secret comes back to the letter."""
    output = json.dumps(value)
    assert masked(output, ["7391846205517"]) == output


@pytest.mark.parametrize("secret", ["12#4", "*12*", "##00"])
def test_keys_of_a_secret_are_found(secret: str) -> None:
    """In groups, in full width, in base64 and in escapes."""
    wide = "".join(chr(ord(key) + 0xFEE0) for key in secret)
    for written in (secret, " ".join(secret), wide, base64.b64encode(secret.encode()).decode(), quote(secret)):
        assert masked(json.dumps(written, ensure_ascii=False), [secret]) == '"entered"'


@pytest.mark.parametrize("text", ["42", " 42 ", "٤٢", "4.2e1", "0.42E+2"])
def test_a_number_that_has_lost_its_zeros_is_found(text: str) -> None:
    """Where it is all of the text, or where its exponent shows that it is a number."""
    assert masked(json.dumps({"pin": text}), [PIN]).replace(" ", "") == '{"pin":"entered"}'
    assert masked('"42 parcels"', [PIN]) == '"42 parcels"'


def test_two_character_codes_are_a_secret_of_two_digits() -> None:
    """A floor, an age: the shortest that codes are looked for."""
    assert masked('"49 50"', ["12"]) == '"entered"'
    assert masked('"49 51"', ["12"]) == '"49 51"'


def test_three_encodings_within_one_another_are_found() -> None:
    """Further ones are not looked for, so that the work has an end."""
    encoded = PIN
    for times in range(1, 6):
        encoded = base64.b64encode(encoded.encode()).decode()
        assert (masked(json.dumps(encoded), [PIN]) == '"entered"') is (times <= DEPTH), times


def test_the_end_of_base64_is_read() -> None:
    """The text ends in two letters that could be taken for a sign of their own; without them a digit is missing."""
    encoded = base64.b64encode("x0045\xd7".encode("latin-1")).decode()
    assert encoded.endswith("XX")
    assert masked(json.dumps(encoded), ["0045"]) == '"entered"'


def test_every_digit_is_known() -> None:
    """Each character that Unicode calls a digit, also right behind a word."""
    digits = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.digit(chr(code), None) is not None]
    assert len(digits) > 700
    for digit in digits:
        secret = f"{unicodedata.digit(digit)}73"
        assert masked(json.dumps(f"is {digit}73 or no{digit}73"), [secret]) == '"is entered or noentered"', ascii(digit)


@pytest.mark.parametrize(
    "spelt",
    ["four two zero", "d4d5d3d9", "6841263678759354", hex(int(CARD)), "ends in 1486"],
    ids=["words", "letters between", "reversed", "another base", "a part"],
)
def test_what_is_not_looked_for(spelt: str) -> None:
    """As the module says: who means to tell the value to the model always finds a way."""
    assert masked(json.dumps(spelt), [CARD]) == json.dumps(spelt)


@pytest.mark.parametrize("text", ["\\", "1.", "1-", "<", "&amp;", "%25", "ab12\n", "3431 ", "=", "\\u00"])
def test_no_text_takes_long(text: str) -> None:
    """Work grows with the length: four times as much takes no sixteen times as long."""

    def work(length: int) -> float:
        output = json.dumps(text * (length // len(text)))
        started = time.process_time()
        masked(output, [CARD, PIN])
        return time.process_time() - started

    assert min(work(16_000) for _ in range(2)) < 8 * min(work(4_000) for _ in range(2)) + 0.2


def test_one_escape_in_octal_is_read() -> None:
    """That of a nine, whose code does not end in its own digit."""
    assert masked(json.dumps("\\071042"), ["9042"]) == '"entered"'
