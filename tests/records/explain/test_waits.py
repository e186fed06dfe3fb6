"""The times in which a call waited."""

import pytest

from gateway.records.explain.events import Event, EventLog
from gateway.records.explain.speech import replies_in
from gateway.records.explain.waits import UNDERRUN_MS, tool_runs, waits_in
from tests.records.explain.made_calls import ended, note, reply


def waited(*events: Event) -> list[tuple[float, float, str]]:
    """The waits behind the opening of the session."""
    log = EventLog([note(0, "session_ready"), *events])
    return [(wait.start_ms, wait.end_ms, wait.whose) for wait in waits_in(log, replies_in(log))]


LOST = note(1000, "session_lost", cause="lost", detail="")
BACK = note(3000, "session_recovered", after_ms=2000)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([LOST, BACK, ended(3000)], [(1000, 3000, "recovery")]),
        ([LOST, ended(9000)], [(1000, 9000, "recovery")]),
        ([note(1000, "transfer_started", target="d"), note(5000, "transfer_failed")], [(1000, 5000, "provider")]),
        ([note(5000, "stream_paused", paused_ms=3000)], [(2000, 5000, "provider")]),
        ([note(1000, "caller_paused"), note(4000, "tool_called", call_id="t", tool="t")], [(1000, 4000, "service")]),
        ([note(1000, "digits_entered"), *reply("i", 4000, 100, heard_after=0)], [(1000, 4000, "service")]),
        (
            [note(1000, "secure_entry_started", tool="t"), note(9000, "secure_entry_ended", tool="t")],
            [(1000, 9000, "caller")],
        ),
        (
            [
                note(1000, "tool_called", call_id="t", tool="pay"),
                note(9000, "tool_returned", call_id="t", tool="pay", took_ms=2000),
                ended(9500),
            ],
            [(9000, 9500, "service"), (7000, 9000, "tool")],
        ),
        ([*reply("i", 1000, 500, heard_after=300)], [(0, 1000, "service"), (1000, 1300, "gateway")][1:]),
    ],
)
def test_each_wait_is_somebody_s(events: list[Event], expected: list[tuple[float, float, str]]) -> None:
    """From where it begins to the next thing that is heard or done."""
    assert waited(*events) == expected


@pytest.mark.parametrize(("more_ms", "late", "whose"), [(-1, 0, None), (1, 0, "service"), (1, 100, "gateway")])
def test_a_reply_that_trickles_in(more_ms: int, late: int, whose: str | None) -> None:
    """The rest of it was awaited, or sent late; a mark that was lost is neither."""
    events = reply("i", 1000, 500, late=late, heard_after=0)
    over = note(1500 + UNDERRUN_MS + more_ms, "reply_heard", item_id="i", heard_ms=500, received_ms=500)
    found = waited(*(event for event in events if event.kind != "reply_heard"), over)
    assert [owner for start, _, owner in found if start == 1500] == ([whose] if whose else [])


def test_the_opening_of_the_session_is_the_service_s() -> None:
    """And the greeting that it owes; where nothing was asked for, nothing is owed."""
    log = EventLog([note(2000, "session_ready"), note(2100, "response_started"), *reply("i", 5000, 100, latency=None)])
    opening, greeting, *_ = waits_in(log, [])
    assert (opening.start_ms, opening.end_ms) == (0, 2000)
    assert (greeting.start_ms, greeting.end_ms) == (2000, 5000)
    log = EventLog([note(2000, "session_ready"), note(8000, "caller_spoke", item_id="c"), ended(9000)])
    assert len(waits_in(log, [])) == 1


def test_tools_of_servers_are_named_with_them() -> None:
    """As the report names them."""
    events = [note(1, "mcp_called", server="crm", tool="find", item_id="m")]
    events += [note(2, "tool_called", tool="t", call_id="c")]
    assert [(name, end) for _, end, name in tool_runs(EventLog(events))] == [("t", None), ("crm/find", None)]
