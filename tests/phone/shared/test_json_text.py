"""What the wires of JSON text share."""

import json
from typing import Any

import msgspec
import pytest

from gateway.errors import MessageError, WireError
from gateway.phone.events import DigitPressed
from gateway.phone.shared.json_text import (
    UNREADABLE,
    is_callers,
    key_pressed,
    mark_name,
    read_again,
    read_json,
    read_message,
    text_of,
)


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


ODD_JSON = ['{"x":"\\ud800"}', '{"x":NaN}', '{"x":"a\nb"}', '{"x":1e999}']


def read_again_of(message: str, *, started: bool) -> dict[str, Any]:
    """What is read of it once the fast reader has refused it."""
    with pytest.raises(UNREADABLE) as refused:
        msgspec.json.decode(message)
    return read_again(message, dict[str, Any], "a message", refused.value, started=started)


@pytest.mark.parametrize("message", ODD_JSON)
def test_odd_json_is_read_before_the_start_and_no_reason_to_end_a_call(message: str) -> None:
    """What Python's reader takes is a message, if not always one that can be used."""
    assert set(read_again_of(message, started=False)) == {"x"}
    with pytest.raises(MessageError, match=r"^not a message: "):
        read_again_of(message, started=True)


def test_halves_of_characters_go_no_further() -> None:
    """They could be in no message of ours, in no URL and in no log; pairs are joined."""
    odd = '{"a\\udc00":["b\\ud83d",{"c":"\\ud83d\\ude00"}]}'
    expected = {"a\ufffd": ["b\ufffd", {"c": "\U0001f600"}]}
    assert read_again_of(odd, started=False) == expected
    assert read_json(odd.encode()) == expected


@pytest.mark.parametrize("started", [False, True])
@pytest.mark.parametrize("message", ["", "{", "[" * 100_000, "garbage"])
def test_what_is_no_json_is_no_message(message: str, started: bool) -> None:
    """At any time."""
    with pytest.raises(WireError) as caught:
        read_again_of(message, started=started)
    assert not isinstance(caught.value, MessageError)


@pytest.mark.parametrize(
    ("given", "key"), [(5, "5"), ({"digit": 0}, "0"), ({"digit": "a"}, "A"), ({"digit": "#", "duration": "80"}, "#")]
)
def test_keys_in_any_shape(given: object, key: str) -> None:
    """A number, an object, a small letter."""
    assert key_pressed(given) == DigitPressed(key)


@pytest.mark.parametrize("given", [None, {}, [], True, 5.0, {"digit": None}, {"digit": ["5"]}])
def test_what_has_no_key(given: object) -> None:
    """It is told so."""
    with pytest.raises(MessageError, match="dtmf without its digit"):
        key_pressed(given)


@pytest.mark.parametrize(("given", "name"), [("g1-1", "g1-1"), ({"name": "g1-1"}, "g1-1"), ({"name": 7}, "7")])
def test_names_of_marks(given: object, name: str) -> None:
    """As they come back."""
    assert mark_name(given) == name


@pytest.mark.parametrize("given", [None, {}, [], True, {"name": None}, {"name": [1]}])
def test_marks_without_a_name(given: object) -> None:
    """None of ours."""
    with pytest.raises(MessageError, match="mark without its name"):
        mark_name(given)


@pytest.mark.parametrize("track", ["inbound", "inbound_track", "", None, 5, "both"])
def test_tracks_of_the_caller(track: object) -> None:
    """All are, but for those that say that they are ours."""
    assert is_callers(track)
    assert not is_callers("outbound")
    assert not is_callers("Outbound_Track")


@pytest.mark.parametrize("message", ["", "{", '"\udc80"', "[" * 100_000, b"\xff"])
def test_what_cannot_be_read(message: str | bytes) -> None:
    """Every way in which the reader fails is known."""
    with pytest.raises(UNREADABLE):
        msgspec.json.decode(message)


class _Shape(msgspec.Struct):
    event: str


def test_a_message_of_text_is_read_or_told() -> None:
    """Binary and what is no JSON break the protocol; JSON of another shape is one wrong message."""
    decoder = msgspec.json.Decoder(_Shape)
    assert read_message('{"event":"x","more":1}', decoder, "a message", True) == _Shape("x")
    assert read_message('{"event":"x","n":NaN}', decoder, "a message", False) == _Shape("x"), (
        "a start is read leniently"
    )
    for wrong, kind, told in (
        (b"12", WireError, "expected text messages, got 2 bytes of binary"),
        ("{", WireError, "not a message: "),
        ("[]", MessageError, "not a message: "),
    ):
        with pytest.raises(kind) as caught:
            read_message(wrong, decoder, "a message", True)
        assert type(caught.value) is kind
        assert str(caught.value).startswith(told)
