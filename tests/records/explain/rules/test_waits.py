"""Findings about who kept the caller waiting."""

import pytest

from gateway.records.explain.rules.waits import LATE_FRAMES, MARKS_LOST, PAUSED_MS, SLOW_TRANSFER_MS
from gateway.records.explain.silences import SILENCE_MS
from tests.records.explain.made_calls import detail, ended, note, reply, scores, turn

LATER = ended(30_000)


@pytest.mark.parametrize(("wait_ms", "found"), [(SILENCE_MS, []), (SILENCE_MS + 1, ["dead_air"])])
def test_an_answer_that_takes_long(wait_ms: int, found: list[str]) -> None:
    """From the caller's pause to the first sound."""
    events = [*turn("c2", 8000, 9000), *reply("i2", 9000 + wait_ms, 1000, heard_after=0)]
    assert list(scores(*events, ended(10_200 + wait_ms), instead_of=("call_ended",))) == found


@pytest.mark.parametrize(("wait_ms", "found"), [(SILENCE_MS, []), (SILENCE_MS + 1, ["slow_tool"])])
def test_a_tool_that_takes_long(wait_ms: int, found: list[str]) -> None:
    """By the silence that it makes."""
    run = [note(9000, "tool_called", tool="t", call_id="x"),
           note(9000 + wait_ms, "tool_returned", tool="t", call_id="x", outcome="ok", took_ms=wait_ms)]  # fmt: skip
    events = [*turn("c2", 8000, 9000), *run, *reply("i2", 9000 + wait_ms, 1000, heard_after=0)]
    assert list(scores(*events, ended(10_200 + wait_ms), instead_of=("call_ended",))) == found


def test_the_longest_wait_ranks_first() -> None:
    """Of two kinds of silence the longer one explains more."""
    tool = [note(9000, "tool_called", tool="t", call_id="x"), note(12_000, "tool_returned", call_id="x", took_ms=3000)]
    slow = [*turn("c2", 8000, 9000), *tool, *reply("i2", 12_000, 1000)]
    dead = [*turn("c3", 14_000, 15_000), *reply("i3", 20_000, 1000)]
    found = scores(*slow, *dead, ended(21_200), instead_of=("call_ended",))
    assert list(found) == ["dead_air", "slow_tool"]
    assert detail("dead_air", *slow, *dead, ended(21_200), instead_of=("call_ended",)).endswith(": 5.0 s of silence")


@pytest.mark.parametrize(("ready_ms", "found"), [(SILENCE_MS, ["slow_session"]), (SILENCE_MS - 1, ["dead_air"])])
def test_a_session_that_is_opened_slowly(ready_ms: int, found: list[str]) -> None:
    """The caller hears nothing at the start; if the session was there soon, the greeting is late."""
    first = [note(ready_ms, "session_ready"), *reply("i0", 4000, 1000, latency=None)]
    gone = ("session_ready", "reply_started", "reply_said", "reply_heard", "reply_played", "response_started",
            "caller_spoke", "caller_paused", "caller_said", "call_ended")  # fmt: skip
    assert list(scores(*first, ended(5200), instead_of=gone)) == found


@pytest.mark.parametrize(("ms", "found"), [(SLOW_TRANSFER_MS - 1, []), (SLOW_TRANSFER_MS, ["slow_transfer"])])
def test_a_transfer_that_takes_long(ms: int, found: list[str]) -> None:
    """At the provider, from the last word on."""
    moved = [note(7520, "transfer_started", target="d"), note(7520 + ms, "transferred", target="d")]
    assert list(scores(*moved, ended(7520 + ms, "transferred"), instead_of=("call_ended",))) == found


@pytest.mark.parametrize(("late", "found"), [(LATE_FRAMES - 1, []), (LATE_FRAMES, ["late_frames"])])
def test_frames_that_came_late(late: int, found: list[str]) -> None:
    """By the count at the end of the call; in a record that breaks off, by its replies."""
    assert list(scores(ended(8500, late_frames=late), instead_of=("call_ended",))) == found
    assert list(scores(*reply("i2", 8000, 1000, late=late), instead_of=("call_ended",))) == found


@pytest.mark.parametrize(("lost", "found"), [(MARKS_LOST - 1, []), (MARKS_LOST, ["marks_lost"])])
def test_marks_that_did_not_come_back(lost: int, found: list[str]) -> None:
    """A few are lost in many calls."""
    assert list(scores(ended(8500, marks_lost=lost), instead_of=("call_ended",))) == found


@pytest.mark.parametrize(("paused_ms", "found"), [(PAUSED_MS - 1, []), (PAUSED_MS, ["phone_paused"])])
def test_a_phone_that_sent_nothing(paused_ms: int, found: list[str]) -> None:
    """For longer than a moment."""
    assert list(scores(note(8000, "stream_paused", paused_ms=paused_ms))) == found
