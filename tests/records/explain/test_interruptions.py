"""The interruptions of a call: true, or an echo, or noise."""

import pytest

from gateway.records.explain.events import Event
from gateway.records.explain.interruptions import NOT_YET_HEARD, SHORT_MS
from tests.records.explain.made_calls import case, note, reply, turn

CUT = [{"item_id": "i", "heard_ms": 700, "received_ms": 3000}]
BOT = "Your parcel is on its way to you"


def judged(words: str, length_ms: int = 1000, *, transcribes: bool = True) -> str:
    """The kind of an interruption by speech with these words."""
    other = turn("other", 9000, 9500, "Other words") if transcribes else []
    cut = note(2000, "barge_in", replies=CUT, response_cancelled=False)
    spoken = [*reply("i", 1000, 700, text=BOT), *turn("c", 2000, 2000 + length_ms, words)]
    (found,) = case(*spoken, cut, *other).interruptions
    assert (found.at_ms, found.speech_ms, found.unheard_ms) == (2000, length_ms, 2300)
    return found.kind


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("No, the other one", "true"),
        ("Your parcel IS on its way.", "echo"),
        ("your parcel is late", "echo"),
        ("is your way on parcel", "true"),
        ("your parcel got lost somewhere", "true"),
        ("Parcel", "true"),
        ("Is it on the way to you", "true"),
        ("", "noise"),
    ],
)
def test_words_tell_an_echo_from_an_interruption(words: str, kind: str) -> None:
    """Most of them are the bot's own, in the order in which it said them; callers take up single words."""
    assert judged(words) == kind


@pytest.mark.parametrize(("length_ms", "kind"), [(SHORT_MS - 1, "noise"), (SHORT_MS, "unknown")])
def test_a_call_without_transcripts_is_judged_by_time(length_ms: int, kind: str) -> None:
    """Nobody knows what was said in longer speech."""
    assert judged("", length_ms, transcribes=False) == kind


def test_a_key_interrupts_too() -> None:
    """And a response that is cancelled before it is heard cuts nothing short."""
    events = [*reply("i", 1000, 700), note(2000, "digit_pressed", digit="1")]
    cut: Event = note(2000, "barge_in", replies=CUT, response_cancelled=False)
    assert [one.kind for one in case(*events, cut).interruptions] == ["key"]
    assert [one.kind for one in case(*reply("i", 1000, 700), cut).interruptions] == ["unknown"]
    nothing = note(2000, "barge_in", replies=[], response_cancelled=True)
    assert case(*events, nothing).interruptions == []


def test_speech_that_did_not_interrupt_is_told() -> None:
    """With the rule of the line that kept it from doing so."""
    (found,) = case(note(100, "speech_ignored", item_id="c", reason="echo")).interruptions
    assert (found.kind, found.evidence) == ("ignored", "an echo, by barge_in.echo_gate")


@pytest.mark.parametrize("replies", ["no list", [1, "x"], [{"heard_ms": "x", "received_ms": None}]])
def test_a_cut_of_an_odd_shape_is_read(replies: object) -> None:
    """A record may hold anything."""
    (found,) = case(note(100, "barge_in", replies=replies)).interruptions
    assert found.unheard_ms == 0


@pytest.mark.parametrize(("ahead", "kind"), [(NOT_YET_HEARD, "echo"), (2 * NOT_YET_HEARD, "true")])
def test_words_that_nobody_has_heard_make_no_echo(ahead: int, kind: str) -> None:
    """Only a few behind those that were heard: how far that was is an estimate."""
    unheard = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    fields = {"item_id": "i", "heard_ms": 700, "received_ms": 3000, "text": "Hello", "unheard": " ".join(unheard)}
    cut = note(2000, "barge_in", replies=CUT, response_cancelled=False)
    said = turn("c", 2000, 3000, " ".join(unheard[:ahead]))
    (found,) = case(
        note(1000, "reply_started", item_id="i"), note(1700, "reply_heard", **fields), *said, cut
    ).interruptions
    assert found.kind == kind
