"""The silences of a call."""

from gateway.records.explain.events import Event
from gateway.records.explain.silences import SILENCE_MS
from tests.records.explain.made_calls import case, ended, note, reply, turn


def silences(*events: Event) -> list[tuple[int, int, str]]:
    """The silences of a call, and whose they were."""
    found = case(note(0, "session_ready"), *events).silences
    return [(one.start_ms, one.end_ms, one.whose) for one in found]


def test_a_silence_is_longer_than_two_seconds() -> None:
    """A pause of exactly two is none, nor is one that somebody fills."""
    greeting = reply("i", 0, 1000, latency=None, heard_after=0)
    assert silences(*greeting, *turn("c", 1000 + SILENCE_MS, 4000), ended(4000)) == []
    assert silences(*greeting, *turn("c", 1001 + SILENCE_MS, 4000), ended(4000)) == [(1000, 3001, "caller")]
    pressed = note(2000, "digit_pressed", digit="1")
    assert silences(*greeting, pressed, *turn("c", 3900, 4000), ended(4000)) == []


def test_the_one_who_took_most_of_it_owns_a_silence() -> None:
    """All its parts are log, the longest first."""
    tool = [note(1000, "tool_called", tool="t", call_id="x"), note(4000, "tool_returned", call_id="x", took_ms=3000)]
    events = [*turn("c", 0, 500), *tool, *reply("i", 5000, 100, heard_after=0), ended(5100)]
    (one,) = case(note(0, "session_ready"), *events).silences
    assert (one.start_ms, one.end_ms, one.whose, one.why) == (500, 5000, "tool", "t was running")
    assert [lasted for _, lasted in one.parts] == [3000, 1000, 500]
    assert sum(lasted for _, lasted in one.parts) == one.length_ms


def test_the_end_of_a_call_may_be_silent() -> None:
    """Nobody owed anything: it was the caller's turn."""
    assert silences(*reply("i", 0, 1000, latency=None, heard_after=0), ended(9000)) == [(1000, 9000, "caller")]


def test_a_reply_that_nobody_heard_fills_no_silence() -> None:
    """It was cancelled before it was sent; one that is not over yet is heard still."""
    unheard = [note(1000, "reply_started", item_id="i")]
    unheard += [note(4000, "reply_heard", item_id="i", heard_ms=0, received_ms=9)]
    assert [(start, end) for start, end, _ in silences(*unheard, ended(5000))] == [(0, 5000)]
    assert silences(note(100, "reply_started", item_id="i"), note(5000, "x")) == []
