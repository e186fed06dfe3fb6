"""Keys as they are written on a command line."""

import pytest

from gateway.errors import InputError
from gateway.sim.caller.keys import Press, parse_press


@pytest.mark.parametrize(
    ("text", "keys", "at_ms"),
    [("1234#@2.5", "1234#", 2_500), ("0", "0", None), ("*#@0", "*#", 0), ("ab", "AB", None), (" 5@ 7 ", "5", 7_000)],
)
def test_keys_with_and_without_a_time(text: str, keys: str, at_ms: int | None) -> None:
    """Seconds stand behind an @; letters may be small."""
    assert parse_press(text) == Press(keys, at_ms)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no key"),
        ("@3", "there is no key"),
        ("12x4", "character 3 is no key of a phone, expected 0-9"),
        ("1@", "'' behind the @ is no time"),
        ("1@soon", "'soon' behind the @ is no time"),
        ("1@-1", "'-1' behind the @ is no time"),
        ("1@nan", "'nan' behind the @ is no time"),
        ("1@inf", "'inf' behind the @ is no time"),
        ("1@2@3", "'2@3' behind the @ is no time"),
    ],
)
def test_a_mistake_is_told_in_one_line(text: str, message: str) -> None:
    """With what was expected."""
    with pytest.raises(InputError, match="--press: ") as caught:
        parse_press(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_message_repeats_the_keys() -> None:
    """They may be a secret: neither an error nor a representation shows them."""
    for text in ("98765x", "98765@soon"):
        with pytest.raises(InputError) as caught:
            parse_press(text)
        assert "987" not in str(caught.value)
    assert "987" not in repr(parse_press("98765"))
