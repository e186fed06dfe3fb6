"""The keys of a simulated caller."""

import pytest

from gateway.errors import InputError
from gateway.sim.keys import KEY_GAP_MS, Press, parse_press


@pytest.mark.parametrize(
    ("text", "press"),
    [
        ("1234#", Press("1234#")),
        ("0@2.5", Press("0", 2500)),
        ("*9A@0", Press("*9A", 0)),
        ("1@12.125", Press("1", 12_125)),
    ],
)
def test_keys_with_and_without_a_moment(text: str, press: Press) -> None:
    """Keys of a phone, and seconds from the call's start."""
    assert parse_press(text) == press


@pytest.mark.parametrize("text", ["", "@2", "12E", "1 2", "1@", "1@-2", "1@2s", "1@2@3", "1" * 65, "１"])
def test_anything_else_is_refused(text: str) -> None:
    """One line that says what was expected, and does not repeat what may be a secret."""
    with pytest.raises(InputError, match=r"^--press: expected keys") as refused:
        parse_press(text)
    assert "\n" not in str(refused.value)


def test_which_keys_they_are_does_not_show() -> None:
    """A plan may be printed; its keys are not."""
    assert "4111" not in repr(Press("4111", 5))


def test_keys_take_their_time() -> None:
    """A thumb needs a moment for each."""
    assert Press("123").duration_ms == 3 * KEY_GAP_MS
