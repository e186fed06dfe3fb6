"""The figures of a call."""

from gateway.records.explain.figures import figures_of
from tests.records.explain.made_calls import case, healthy, note, reply


def test_the_figures_of_a_call() -> None:
    """Each that is known, in the same order each time."""
    tool = [note(8000, "tool_called", tool="t", call_id="x")]
    tool += [note(8100, "mcp_called", server="s", tool="m", item_id="y")]
    returned = note(8200, "tool_returned", tool="t", call_id="x", outcome="ok", took_ms=200)
    stopped = [note(8300, "playback_stopped", after_ms=1.6), note(8310, "playback_stopped", after_ms=0.2)]
    found = figures_of(case(*healthy(), *tool, returned, *stopped, *reply("i2", 8350, 10, latency=900)))
    assert found == [
        ("Turns", "1 turn of the caller, 3 replies of the bot"),
        ("Session ready", "after 0.1 s"),
        ("Greeting", "came after 0.5 s, heard after 0.5 s"),
        ("Answers", "median 700 ms, p95 900 ms, slowest 900 ms"),
        ("Fell silent", "at most 2 ms after speech was reported"),
        ("Tool t", "ok after 200 ms"),
        ("Tool s/m", "had not returned when the call ended"),
        ("Late frames", "0"),
        ("Marks lost", "0"),
    ]


def test_sessions_are_counted() -> None:
    """Those that were lost, with the tries, and those that were replaced in time."""
    events = [
        note(1, "session_lost", cause="lost"),
        note(2, "session_recovered", tries=2, after_ms=1),
        note(3, "session_rolled_over", forced=True),
        note(4, "session_rolled_over", forced=False),
        note(5, "response_cut_short", status="given_up"),
        note(6, "tokens_used", input_text=10, input_audio=200, output_text=3, output_audio=40, cached_text=5),
        note(7, "tokens_used", input_text=1),
    ]
    found = dict(figures_of(case(*events)))
    assert found["Lost sessions"] == "1, 1 recovered, 2 tries"
    assert found["Roll-overs"] == "2, 1 of them forced"
    assert found["Responses given up"] == "1"
    assert found["Tokens"] == "211 in, 43 out, in 2 responses"


def test_nothing_is_made_up() -> None:
    """A record without events has the number of its turns."""
    assert figures_of(case()) == [("Turns", "0 turns of the caller, 0 replies of the bot")]
