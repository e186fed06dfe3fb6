"""A call explained from its record."""

import random
from datetime import UTC, datetime
from typing import Literal

import msgspec
import pytest

from gateway.records.explain.events import Event
from gateway.records.explain.explaining import Subject, explain
from gateway.text import json_bytes
from tests.records.explain.made_calls import ended, healthy, note, reply, without

CALL = Subject(call="CA1", provider="twilio", line="support", started=datetime(2026, 11, 29, 21, 0, tzinfo=UTC))


def test_a_healthy_call_has_no_finding() -> None:
    """What there is to know is said all the same."""
    found = explain(CALL, healthy())
    assert (found.findings, found.silences, found.interruptions, found.unknown) == ([], [], [], [])
    assert found.ended == "The caller hung up after 8.5 s (caller_hung_up, by the caller)"
    assert dict(found.about) == {
        "Call": "CA1",
        "Started": "2026-11-29 21:00:00 UTC",
        "Provider": "twilio",
        "Line": "support, generation g1",
        "Model": "m",
        "Session": "s",
    }


def test_the_same_record_is_explained_alike() -> None:
    """In whatever order its events are read, unless they are of one moment; also as JSON."""
    more = [note(8000, "digit_ignored", digit="7"), note(8100, "speech_unreported"), note(8200, "transfer_failed")]
    events = [*healthy(), *more]
    first = json_bytes(explain(CALL, events))
    for seed in range(20):
        shuffled = random.Random(seed).sample(events, len(events))
        order = {id(event): place for place, event in enumerate(events)}
        shuffled.sort(key=lambda event: (event.at_ms, order[id(event)]))
        assert json_bytes(explain(CALL, shuffled)) == first


def test_findings_are_ranked() -> None:
    """The likeliest first."""
    events = [*healthy(), note(8000, "digit_ignored", digit="7"), note(8100, "transfer_failed", target="d", detail="x")]
    found = explain(CALL, events).findings
    assert [one.kind for one in found] == ["transfer_refused", "key_ignored"]
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("interrupted", "The process that had the call ended without a word: the record goes to 6.0 s"),
        ("running", "The call goes on: the record goes to 6.0 s"),
    ],
)
def test_a_record_that_breaks_off_says_what_is_unknown(state: Literal["interrupted", "running"], expected: str) -> None:
    """How it ended, and what was heard of the last reply."""
    events = [*without("call_ended", "reply_heard", "reply_played"), note(6000, "x")]
    found = explain(msgspec.structs.replace(CALL, state=state), events)
    assert found.ended == expected
    assert [text.partition(":")[0] for text in found.unknown] == [
        "The record breaks off after 6.0 s",
        "What was heard of the last reply is not known.",
    ]


def test_a_record_without_words_or_events_says_so() -> None:
    """Nobody can tell an echo then."""
    assert "records.words" in explain(msgspec.structs.replace(CALL, words_kept=False), healthy()).unknown[0]
    assert "transcript" in explain(CALL, without("caller_said")).unknown[0]
    assert "began to speak" in explain(CALL, without("caller_spoke")).unknown[0]
    assert explain(CALL, []).unknown == ["The record has no events: nothing can be said about the call."]


def test_the_cost_is_told_with_what_is_not_known_of_it() -> None:
    """Where the record has one."""
    priced = msgspec.structs.replace(CALL, cost="0.0123 USD")
    assert dict(explain(priced, healthy()).figures)["Cost"] == "0.0123 USD"
    unpriced = msgspec.structs.replace(CALL, cost_note="no price of m")
    assert dict(explain(unpriced, healthy()).figures)["Cost"] == "not known (no price of m)"


def test_any_record_is_explained() -> None:
    """Random events with fields of any shape raise nothing."""
    kinds = [
        "reply_started",
        "reply_heard",
        "reply_played",
        "caller_spoke",
        "caller_paused",
        "caller_said",
        "barge_in",
        "tool_called",
        "session_ready",
        "tool_returned",
        "session_lost",
        "session_recovered",
        "stream_paused",
        "call_ended",
        "digit_pressed",
        "secure_entry_started",
        "secure_entry_ended",
        "transfer_started",
    ]
    names = [
        "item_id",
        "call_id",
        "tool",
        "heard_ms",
        "received_ms",
        "took_ms",
        "paused_ms",
        "latency_ms",
        "replies",
        "reason",
        "detail",
        "after_ms",
        "text",
        "heard_after_ms",
    ]
    values: list[object] = [None, "", "a", "b", -5, 0, 3.5, 10_000, True, [], [{}], {"a": 1}]
    times = (0, 1, 500, 9_000, 90_000)
    for seed in range(300):
        dice = random.Random(seed)
        events = [
            Event(dice.choice(times), dice.choice(kinds), {name: dice.choice(values) for name in names})
            for _ in range(dice.randrange(30))
        ]
        found = explain(CALL, events)
        assert all(one.length_ms > 2000 - 1 for one in found.silences)


def test_a_call_whose_greeting_was_heard_is_no_finding() -> None:
    """Nor is a call without any speech that ended at once."""
    assert explain(CALL, [note(0, "call_started"), ended(900)]).findings == []
    assert explain(CALL, [note(0, "session_ready"), *reply("i", 100, 1000, latency=None), ended(1500)]).findings == []
