"""Members of a peer's JSON, read by what is needed of them."""

import pytest

from gateway.phone.shared.members import Members


def members(**values: object) -> tuple[Members, list[str]]:
    """Members, and where their oddities go."""
    odd: list[str] = []
    return Members(values, "start", odd), odd


@pytest.mark.parametrize(
    ("value", "text"), [("x", "x"), ("", ""), (None, ""), (5, "5"), (1.5, "1.5"), (10**30, "1" + "0" * 30)]
)
def test_text(value: object, text: str) -> None:
    """Null is absent, and a number is its text."""
    read, odd = members(name=value)
    assert (read.text("name"), odd) == (text, [])


@pytest.mark.parametrize(
    ("value", "shape"), [([], "an array"), ({}, "an object"), (True, "a boolean"), ({"pin": "1234"}, "an object")]
)
def test_what_is_no_text_is_named_by_its_place(value: object, shape: str) -> None:
    """Its content is not told."""
    read, odd = members(name=value)
    assert read.text("name") == ""
    assert odd == [f"start.name is {shape}, expected text: left out"]


def test_the_first_name_that_has_something() -> None:
    """Spellings differ."""
    read, _ = members(stream_sid=None, streamSid=7)
    assert read.text("stream_sid", "streamSid", "missing") == "7"


@pytest.mark.parametrize(
    ("value", "number", "is_odd"),
    [
        *((8000, 8000, False), ("8000", 8000, False), (8000.0, 8000, False), (None, 1, False), ("", 1, False)),
        *((True, 1, True), ("8k", 1, True), (0.5, 1, True), ([8000], 1, True), ("٣", 1, True), ("9" * 5000, 1, True)),
    ],
)
def test_number(value: object, number: int, is_odd: bool) -> None:
    """Written as a number or as digits; else what stands in, and a note."""
    read, odd = members(rate=value)
    assert (read.number("rate", 1), bool(odd)) == (number, is_odd)


def test_what_is_inside() -> None:
    """Objects in objects, and objects in an array, with the place of each."""
    read, odd = members(media={"rate": []}, offers=[{"a": 1}, 5], other="x")
    assert read.inside("media").number("rate", 2) == 2
    assert read.inside("missing").text("x") == ""
    assert [offer.text("a") for offer in read.each("offers")] == ["1", ""]
    assert read.each("missing") == read.each("other") == []
    assert odd == [
        "start.media.rate is an array, expected a number: left out",
        "start.offers[1] is a number, expected an object: left out",
        "start.other is text, expected an array: left out",
    ]


def test_words() -> None:
    """Whatever of an array is text."""
    read, _ = members(channels=["external", 5, None], other="x")
    assert (read.words("channels"), read.words("other"), read.words("missing")) == (["external"], [], [])


def test_halves_of_characters_do_not_pass() -> None:
    """Neither in a name nor in a value: nothing behind here could write them."""
    read = Members({"a\ud83d": "b\ude00", "pair": "\ud83d\ude00"}, "start", [])
    assert read.texts() == {"a\ufffd": "b\ufffd", "pair": "😀"}


def test_numbers_as_digits_are_read_up_to_nine() -> None:
    """No rate and no count is longer."""
    read, odd = members(nine="123456789", ten="1234567890", empty="")
    assert (read.number("nine", 1), read.number("ten", 1), read.number("empty", 1)) == (123_456_789, 1, 1)
    assert odd == ["start.ten is text, expected a number: left out"]


def test_a_name_is_cut_in_a_note() -> None:
    """It may be anything."""
    read, odd = members(**{"n" * 41: []})
    assert read.texts() == {}
    assert odd == [f"start.{'n' * 40} is an array, expected text: left out"]
