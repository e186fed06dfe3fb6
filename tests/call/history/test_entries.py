"""Each thing that was said or done, as items of a new session."""

import pytest

from gateway.call.history.entries import (
    NO_WORDS,
    UNKNOWN_WORDS,
    Called,
    Entry,
    Keys,
    Message,
    Reply,
    Turn,
    chars,
    is_open,
)
from gateway.voice.commands import SeedCall, SeedItem, SeedMessage, SeedOutput


@pytest.mark.parametrize(
    ("entry", "items"),
    [
        (Turn("u"), [SeedMessage("user", UNKNOWN_WORDS)]),
        (Turn("u", "Hello."), [SeedMessage("user", "Hello.")]),
        (Turn("u", ""), []),
        (Reply("i", "Good", "day.", 500), [SeedMessage("assistant", "Good")]),
        (Reply("i", "", "Good day.", 90), []),
        (Reply("i", heard_ms=500), [SeedMessage("assistant", NO_WORDS)]),
        (Reply("i"), []),
        (Message("system", "It goes on."), [SeedMessage("system", "It goes on.")]),
        (Keys("12#"), [SeedMessage("user", "(Keys pressed on the phone: 12#)")]),
        (Called("c", "status", '{"a":1}'), [SeedCall("c", "status", '{"a":1}')]),
        (Called("c", "status", "", "{}"), [SeedCall("c", "status", "{}"), SeedOutput("c", "{}")]),
    ],
)
def test_an_entry_as_items(entry: Entry, items: list[SeedItem]) -> None:
    """Words that nobody heard are not said again; a call comes before its output."""
    assert list(entry.items()) == items


def test_a_call_is_open_until_its_output_comes() -> None:
    """An output that comes later needs its call."""
    assert is_open(Called("c", "status", "{}"))
    assert not is_open(Called("c", "status", "{}", "{}"))
    assert not is_open(Turn("u"))


def test_all_texts_count() -> None:
    """Names, arguments and outputs as well as words."""
    assert chars([SeedMessage("user", "abc"), SeedCall("c", "ab", "{}"), SeedOutput("c", "1")]) == 8
