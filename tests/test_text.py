"""The characters that JSON and XML can carry."""

import json

import msgspec
import pytest

from gateway.text import carried, encodable, joined, json_bytes, json_text, unfit

SMILE = "\U0001f600"


class _Said(msgspec.Struct):
    text: str


def test_pairs_are_joined_and_halves_stay() -> None:
    """JSON writes a character beyond U+FFFF as two escapes, which YAML reads as two characters."""
    assert joined("Be kind \ud83d\ude00") == f"Be kind {SMILE}"
    assert joined("\ud83d\ud83d\ude00\ude00") == f"\ud83d{SMILE}\ude00"
    assert joined("Grüße") == "Grüße"


@pytest.mark.parametrize("sign", ["\0", "\x0b", "\x1f", "\x7f", "\x84", "\x9f", "\ud83d", "\ufffe", "\uffff"])
def test_what_cannot_be_carried_is_named(sign: str) -> None:
    """Its code point is in the message: the character itself cannot be seen."""
    assert unfit(f"a{sign}b").startswith(f"U+{ord(sign):04X}, ")
    assert carried(f"a{sign}b") == "a\ufffdb"


@pytest.mark.parametrize("text", ["a\tb\nc\r", "\x85\xa0\u2028", f"Ä{SMILE}", ""])
def test_what_can_be_carried_stays(text: str) -> None:
    """Tabs, line ends and characters of any language are text."""
    assert unfit(text) == ""
    assert carried(text) == text


@pytest.mark.parametrize(
    "value",
    [
        "a\ud83db",
        {"\ud83d": ["\udc80", {"deep": "\ude00"}], "n": 1.5, "none": None},
        _Said("\ud83d"),
        [("\ud83d", True)],
    ],
)
def test_any_text_becomes_json(value: object) -> None:
    """Half of a character, which UTF-8 cannot write, becomes U+FFFD; nothing raises."""
    written = json_bytes(value)
    assert "\ufffd" in written.decode("utf-8")
    assert json.loads(written) is not None


def test_json_keeps_what_it_can_carry() -> None:
    """Control characters are escaped; a pair of halves beside a lone one is joined."""
    assert json.loads(json_text("a\0\x0b")) == "a\0\x0b"
    assert json.loads(json_text("\ud83d\ude00 \ud83d")) == f"{SMILE} \ufffd"
    assert encodable("\0\ud83d") == "\0\ufffd"
