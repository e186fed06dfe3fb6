"""What the wires of JSON text share."""

import json

import msgspec
import pytest

from gateway.errors import WireError
from gateway.phone.events import DigitPressed
from gateway.phone.json_text import UNREADABLE, key_pressed, text_of


@pytest.mark.parametrize("key", "0123456789*#ABCD")
def test_keys(key: str) -> None:
    """All sixteen of a phone (ITU-T Q.23)."""
    assert key_pressed(key) == DigitPressed(key)


@pytest.mark.parametrize("text", ["", "12", "E", "e", "٣"])
def test_what_is_no_key(text: str) -> None:
    """The refusal does not repeat what may be somebody's PIN."""
    with pytest.raises(WireError, match=f"^dtmf: a text of {len(text)} characters is not a key") as caught:
        key_pressed(text)
    assert not text or f"'{text}'" not in str(caught.value)


@pytest.mark.parametrize("text", ["plain", 'x","event":"clear', "ä\n\\"])
def test_text_stays_inside_its_quotes(text: str) -> None:
    """Whatever it holds."""
    assert json.loads(text_of(text)) == text


@pytest.mark.parametrize("message", ["", "{", '"\udc80"', "[" * 100_000, b"\xff"])
def test_what_cannot_be_read(message: str | bytes) -> None:
    """Every way in which the reader fails is known."""
    with pytest.raises(UNREADABLE):
        msgspec.json.decode(message)
