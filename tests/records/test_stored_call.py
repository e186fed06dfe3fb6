"""A stored call, and the document that it is told as."""

import json

import pytest

from gateway.records.rows import RecordingRow, TurnRow
from gateway.records.stored_call import document, event_document, stored_call
from tests.records.kept import rows_of


def test_a_row_that_comes_again_replaces_the_one_before() -> None:
    """Turns are in the order in which they began, whatever their numbers are."""
    stored = stored_call(rows_of())
    assert (stored.call.state, stored.call.reason, stored.call.turns) == ("ended", "transferred", 2)
    assert [(turn.who, turn.words, turn.unheard) for turn in stored.turns] == [
        ("bot", "Welcome to Contoso.", ""),
        ("caller", "Where is my order?", ""),
        ("bot", "It is on", "its way to you."),
    ]
    assert [event.n for event in stored.events] == list(range(19))
    assert [(tool.tool, tool.outcome) for tool in stored.tools] == [("order_status", "error")]
    assert [(one.target, one.outcome) for one in stored.transfers] == [("desk", "transferred")]
    assert [key.digit for key in stored.keys] == ["3"]
    assert [usage.output_audio for usage in stored.usage] == [40]


def test_turns_are_in_the_order_in_which_they_began() -> None:
    """A transcript may come after the answer to it."""
    late = TurnRow(call_key="k1", n=9, who="caller", item_id="u0", started_ms=100, words="Hello?")
    assert [turn.item_id for turn in stored_call([*rows_of(), late]).turns] == ["u0", "i1", "u1", "i2"]


def test_without_its_call_there_is_nothing() -> None:
    """Rows of other tables alone are no record."""
    with pytest.raises(ValueError, match="no row of a call"):
        stored_call([])


def test_the_document_has_the_names_of_call_json() -> None:
    """As docs/records.md has them, and as JSON takes them."""
    recording = RecordingRow(call_key="k1", url="file:///a.wav", format="wav", seconds=9.5)
    told = json.loads(json.dumps(document(stored_call([*rows_of(), recording]))))
    assert (told["call_key"], told["call_id"], told["line"], told["caller"]) == (
        "k1",
        "CA-k1",
        "support",
        "+14155550100",
    )
    assert (told["started"], told["finished"]) == ("2026-11-29T09:00:00.000+00:00", "2026-11-29T09:00:09.500+00:00")
    assert (told["duration_ms"], told["ended"]) == (9500, {"by": "bot", "reason": "transferred", "detail": ""})
    assert told["turns"][2] == {
        "speaker": "bot",
        "start_ms": 6100,
        "end_ms": 7000,
        "text": "It is on",
        "item_id": "i2",
        "unheard": "its way to you.",
        "heard_ms": 900,
        "generated_ms": 2400,
        "interrupted": True,
        "answered_after_ms": 900,
    }
    assert told["tools"] == [{"name": "order_status", "outcome": "error", "took_ms": 480, "at_ms": 5400, "server": ""}]
    assert told["keys"] == [{"at_ms": 7100, "digit": "3"}]
    assert told["transfers"] == [{"target": "desk", "outcome": "transferred", "at_ms": 8000, "detail": ""}]
    assert (told["usage"][0]["input_text"], told["usage"][0]["voice"]) == (100, "openai")
    assert (told["cost"], told["recordings"][0]["url"]) == (None, "file:///a.wav")


def test_an_event_is_a_line_of_events_jsonl() -> None:
    """Its fields beside its time and its kind."""
    assert event_document(stored_call(rows_of()).events[1]) == {
        "at_ms": 400,
        "source": "gateway",
        "kind": "session_ready",
        "session_id": "sess_1",
        "model": "gpt-realtime",
    }
