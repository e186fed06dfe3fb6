"""The items that a new session begins with."""

import random

import pytest

from gateway.call.history.entries import Called, Entry, Reply, Turn, chars
from gateway.call.history.seed import GOES_ON, MOST_ENTRIES, seed
from gateway.voice.commands import SeedCall, SeedItem, SeedMessage, SeedOutput

TALK: list[Entry] = [
    Reply("i1", "Good day."),
    Turn("u1", "Where is my order 17?"),
    Called("c1", "status", '{"order":17}', '{"state":"sent"}'),
    Reply("i2", "It was sent", "yesterday at noon."),
]


def note(items: list[SeedItem]) -> str:
    """Return the note with which they begin."""
    first = items[0]
    assert isinstance(first, SeedMessage)
    assert first.role == "system"
    return first.text


def test_everything_in_order_behind_a_note() -> None:
    """The note says that the call goes on, and what the caller did not hear of the last reply."""
    items = seed(TALK, 10_000, dropped=0)
    assert note(items) == (
        f'{GOES_ON} The caller interrupted your last reply and did not hear this of it: "yesterday at noon."'
    )
    assert items[1:] == [
        SeedMessage("assistant", "Good day."),
        SeedMessage("user", "Where is my order 17?"),
        SeedCall("c1", "status", '{"order":17}'),
        SeedOutput("c1", '{"state":"sent"}'),
        SeedMessage("assistant", "It was sent"),
    ]


def test_the_newest_is_kept_and_the_rest_is_counted() -> None:
    """A call and its output are one: both, or neither. What comes before what is left out is left out too."""
    items = seed(TALK, 35, dropped=3)
    assert items[1:] == [SeedMessage("assistant", "It was sent")]
    assert "6 earlier turns are left out." in note(items)
    assert seed([Turn("u", "a" * 40), Turn("v", "b"), Turn("w", "c" * 40), Turn("x", "d")], 41, 0)[1:] == [
        SeedMessage("user", "c" * 40),
        SeedMessage("user", "d"),
    ]


def test_a_call_that_still_runs_is_always_there() -> None:
    """Its output would be refused without it."""
    running = Called("c9", "slow", "{}")
    items = seed([running, *TALK], 11, dropped=0)
    assert items[1:] == [SeedCall("c9", "slow", "{}"), SeedMessage("assistant", "It was sent")]


def test_a_call_without_a_word_begins_anew() -> None:
    """No note where nothing was said; where all of it is left out, it is said that there was something."""
    assert seed([], 1000, dropped=0) == []
    assert seed([Turn("u", "")], 1000, dropped=0) == []
    assert note(seed([Turn("u", "Hello.")], 0, dropped=0)) == f"{GOES_ON} 1 earlier turns are left out."


def test_a_long_rest_is_quoted_in_part() -> None:
    """And only that of the last reply."""
    assert note(seed([Reply("i", "So", "x" * 501)], 100, 0)).endswith(f'"{"x" * 500}…"')
    assert note(seed([Reply("i", "So", "on"), Reply("j", "Then")], 100, 0)) == GOES_ON


@pytest.mark.parametrize("limit", [0, 1, 50, 500, 5000])
def test_the_limit_holds_and_the_newest_come_first(limit: int) -> None:
    """Whatever was said: what is kept is the end of it."""
    chance = random.Random(limit)
    entries: list[Entry] = [
        chance.choice((Turn(f"u{n}", "w" * chance.randrange(90)), Called(f"c{n}", "f", "{}", "r" * 20)))
        for n in range(MOST_ENTRIES * 2)
    ]
    items = seed(entries, limit, dropped=0)[1:]
    assert chars(items) <= limit
    all_items = [item for entry in entries for item in entry.items()]
    assert items == all_items[len(all_items) - len(items) :]
    assert len(items) <= 2 * MOST_ENTRIES
