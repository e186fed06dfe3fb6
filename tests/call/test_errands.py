"""What the conversation sends on."""

from gateway.call.errands import KeyedDigits, RunFunction


def test_keyed_digits_do_not_show() -> None:
    """What is made of an errand for people to read holds no digit; the function gets them as they are."""
    errand = RunFunction("c", "pay", "{}", {"card": KeyedDigits("4111")})
    assert "4111" not in f"{errand!r} {errand}"
    assert errand.secrets["card"] == "4111"


def test_keyed_digits_are_shown_by_these_words() -> None:
    """So that whoever reads them knows what was left out."""
    assert repr(KeyedDigits("4111")) == "<keyed digits>"
