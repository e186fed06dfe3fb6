"""An explanation as text for a terminal."""

import unicodedata

from gateway.records.explain.explaining import Subject, explain
from gateway.records.explain.terminal import as_text, clock
from tests.records.explain.made_calls import ended, healthy, note, reply, turn

HOSTILE = "\x1b[31mred\x07 \u202eright\nto left\x9b2J"


def test_a_healthy_call_on_a_page() -> None:
    """Short, and without empty parts."""
    text = as_text(explain(Subject(call="CA1"), healthy()))
    assert text.splitlines()[0] == "The caller hung up after 8.5 s (caller_hung_up, by the caller)."
    assert "Findings: none." in text
    assert "Silences" not in text
    assert "Interruptions" not in text
    assert "Not known" not in text


def test_the_whole_page() -> None:
    """Findings in their order with figures, moments, advice, settings and the page that tells more."""
    replies = [{"item_id": "i2", "heard_ms": 500, "received_ms": 4000}]
    cut = [note(9500, "barge_in", replies=replies, response_cancelled=False)]
    events = [event for event in healthy() if event.kind != "call_ended"]
    events += [*reply("i2", 9000, 500, of=4000), *cut, *turn("c2", 9500, 10_000, "")]
    events += [*reply("i3", 16_000, 1000), ended(17_100)]
    lines = as_text(explain(Subject(call="CA1"), events)).splitlines()
    assert "Findings, the likeliest first" in lines
    assert "  1. Voice Live kept the caller waiting" in lines
    assert "     at 0:10.0" in lines
    assert any(line.strip().startswith("settings: barge_in.min_speech_ms") for line in lines)
    assert "  0:10.0    6.0 s  service   Voice Live owed an answer to the caller" in lines
    assert "  0:09.5  noise    no words in it, 0.5 s of speech, 3.5 s of the bot unheard" in lines
    assert all(len(line) <= 100 for line in lines)


def test_nothing_controls_the_terminal() -> None:
    """Whatever a service, a provider or a caller has said."""
    events = [
        note(0, "call_started", caller=HOSTILE, generation=HOSTILE, line_error=HOSTILE),
        note(100, "session_ready", session_id=HOSTILE, model=HOSTILE),
        note(200, "tool_called", tool=HOSTILE, call_id="x"),
        note(300, "tool_returned", tool=HOSTILE, call_id="x", outcome="error", took_ms=100),
        note(400, "transfer_failed", target=HOSTILE, detail=HOSTILE),
        note(500, "digit_ignored", digit=HOSTILE),
        note(600, "speech_ignored", reason=HOSTILE),
        ended(9000, HOSTILE, HOSTILE, HOSTILE),
    ]
    text = as_text(explain(Subject(call=HOSTILE, line=HOSTILE, provider=HOSTILE, caller=HOSTILE, cost=HOSTILE), events))
    controls = {character for character in text if unicodedata.category(character) in ("Cc", "Cf")}
    assert controls == {"\n"}
    assert "to left" in text


def test_a_long_call_has_its_minutes() -> None:
    """To a tenth of a second."""
    assert (clock(0), clock(61_240), clock(3_600_000)) == ("0:00.0", "1:01.2", "60:00.0")
