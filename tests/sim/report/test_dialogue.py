"""A call as a dialogue."""

import pytest

from gateway.report.turns import BargeIn
from gateway.sim.caller.call import CallResult
from gateway.sim.caller.timeline import TimelineEvent
from gateway.sim.report.dialogue import dialogue


def test_the_gateway_s_words_join_what_was_heard(call: CallResult, notes: list[TimelineEvent]) -> None:
    """Turns stand where they were heard, not where the gateway sent or transcribed them."""
    assert [(turn.speaker, turn.start_ms, turn.text) for turn in dialogue(call, notes)] == [
        ("bot", 400, "Hello, this is <Contoso> & Sons."),
        ("caller", 2_500, "Where is my order?"),
        ("bot", 4_100, "It is on its way"),
        ("caller", 6_000, "Wait, not tomorrow."),
        ("bot", 7_500, "Of course."),
    ]


def test_an_interrupted_reply_tells_what_was_heard_of_it(call: CallResult, notes: list[TimelineEvent]) -> None:
    """By time and in words, as the gateway has noted both; the words over it carry the barge-in."""
    greeting, _, cut, over, last = dialogue(call, notes)
    assert (cut.interrupted, cut.heard_ms, cut.generated_ms) == (True, 2_000, 5_200)
    assert cut.end_ms == 6_100
    assert (cut.text, cut.unheard) == ("It is on its way", "and comes tomorrow at noon.")
    assert over.barge_in == BargeIn(6_000, 100)
    assert not greeting.interrupted
    assert not greeting.unheard
    assert not last.interrupted


def test_answers_carry_their_latency(call: CallResult, notes: list[TimelineEvent]) -> None:
    """From the end of the caller's speech to the first sound."""
    assert [turn.answered_after_ms for turn in dialogue(call, notes)] == [None, None, 600, None, 600]


def test_without_notes_the_turns_are_those_that_were_heard(call: CallResult) -> None:
    """A gateway elsewhere keeps its words; the recordings are known by name."""
    turns = dialogue(call, [])
    assert [(turn.speaker, turn.start_ms, turn.end_ms, turn.recording) for turn in turns] == [
        ("bot", 400, 1_600, ""),
        ("caller", 2_500, 3_500, "question.wav"),
        ("bot", 4_100, 6_100, ""),
        ("caller", 6_000, 6_900, "wait.wav"),
        ("bot", 7_500, 9_500, ""),
    ]
    assert not any(turn.text for turn in turns)


def test_a_barge_in_may_be_told_flat(call: CallResult) -> None:
    """One reply, its item_id and what was heard of it beside each other."""
    notes = [
        TimelineEvent(call.started_at + 4.1, "reply_started", {"item_id": "r2"}),
        TimelineEvent(call.started_at + 6.1, "barge_in", {"item_id": "r2", "heard_ms": 1_980}),
    ]
    (cut,) = [turn for turn in dialogue(call, notes) if turn.speaker == "bot"]
    assert (cut.interrupted, cut.heard_ms, cut.generated_ms) == (True, 1_980, None)


def test_two_replies_back_to_back_follow_each_other(call: CallResult) -> None:
    """The second arrives while the first still plays; it is heard behind it."""
    notes = [
        TimelineEvent(call.started_at + 7.5, "reply_started", {"item_id": "a"}),
        TimelineEvent(call.started_at + 7.6, "reply_started", {"item_id": "b"}),
        TimelineEvent(call.started_at + 9.5, "reply_heard", {"item_id": "a", "heard_ms": 900, "received_ms": 900}),
        TimelineEvent(call.started_at + 9.5, "reply_heard", {"item_id": "b", "heard_ms": 1_100, "received_ms": 1_100}),
    ]
    replies = [(turn.start_ms, turn.end_ms) for turn in dialogue(call, notes) if turn.speaker == "bot"]
    assert replies == [(7_500, 8_400), (8_400, 9_500)]


def test_several_transcripts_of_one_recording_are_one_turn(call: CallResult) -> None:
    """A recording with a pause in it is two turns for the service."""
    notes = [
        TimelineEvent(call.started_at + 3, "caller_said", {"text": "Good morning."}),
        TimelineEvent(call.started_at + 4, "caller_said", {"text": "Where is it?"}),
        TimelineEvent(call.started_at + 1, "caller_said", {"text": "(noise)"}),
    ]
    callers = [(turn.start_ms, turn.text) for turn in dialogue(call, notes) if turn.speaker == "caller"]
    assert callers == [(1_000, "(noise)"), (2_500, "Good morning. Where is it?"), (6_000, "")]


@pytest.mark.parametrize(
    ("heard_ms", "words"),
    [
        (50, ("one", "two three")),
        (0, ("", "one two three")),
        (100, ("one two three", "")),
        (120, ("one two three", "")),
    ],
)
def test_words_that_the_gateway_did_not_divide_are_cut_between_words(
    call: CallResult, heard_ms: int, words: tuple[str, str]
) -> None:
    """In proportion of the time, never inside one; a reply of which nothing was noted was heard."""
    notes = [
        TimelineEvent(call.started_at + 4.1, "reply_started", {"item_id": "r2"}),
        TimelineEvent(call.started_at + 4.2, "reply_said", {"item_id": "r2", "text": "one two three"}),
    ]
    assert [(turn.text, turn.unheard) for turn in dialogue(call, notes) if turn.speaker == "bot"] == [
        ("one two three", "")
    ]
    heard = {"item_id": "r2", "heard_ms": heard_ms, "received_ms": 100}
    notes.append(TimelineEvent(call.started_at + 6.1, "reply_heard", heard))
    assert [(turn.text, turn.unheard) for turn in dialogue(call, notes) if turn.speaker == "bot"] == [words]
