"""The times in which a call waited for somebody, and for whom. Pure."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from gateway.records.explain.events import Event, EventLog
from gateway.records.explain.speech import Reply
from gateway.report.explanation import Whose

UNDERRUN_MS = 2_500
"""A reply that is over so much later than its audio lasts was not delivered in time; a lost mark alone takes 2 s."""
FRAME_MS = 20
MOVING = "the provider was asked to transfer the caller"
_ANSWERED = ("reply_started", "caller_spoke", "tool_called", "mcp_called", "session_lost", "session_rolled_over")
"""The events that end a wait for the service."""
_OWES = {
    "caller_paused": "Voice Live owed an answer to the caller",
    "tool_returned": "Voice Live owed an answer to a tool's result",
    "mcp_returned": "Voice Live owed an answer to a tool's result",
    "digits_entered": "Voice Live owed an answer to keys",
    "silence_prompt": "Voice Live owed the words of a reminder",
    "session_recovered": "Voice Live owed an answer in its new session",
    "response_started": "Voice Live had begun a response and brought no sound",
}
_ORDER: Sequence[Whose] = ("recovery", "provider", "tool", "gateway", "service", "caller")


class Wait(Struct, frozen=True):
    """A time in which something was awaited; of several at once, the one with the least ``rank`` counts."""

    start_ms: float
    end_ms: float
    whose: Whose
    why: str
    rank: int


def waits_in(log: EventLog, replies: Sequence[Reply]) -> list[Wait]:
    """Return all times in which something was awaited; they may overlap."""
    return [
        Wait(start_ms, end_ms, whose, why, _ORDER.index(whose))
        for start_ms, end_ms, whose, why in (*_sessions(log), *_others(log), *_tools(log), *_replies(replies, log))
        if end_ms > start_ms
    ]


Found = tuple[float, float, Whose, str]


def _end_of(event: Event | None, log: EventLog) -> float:
    return log.end_ms if event is None else event.at_ms


def _sessions(log: EventLog) -> Iterator[Found]:
    for lost in log.all("session_lost"):
        back = log.after(lost, "session_recovered", "session_not_recovered")
        yield lost.at_ms, _end_of(back, log), "recovery", "the session was lost, and another one sought"
    ready = log.first("session_ready")
    yield 0.0, _end_of(ready, log), "service", "the session with Voice Live was being opened"
    if ready is not None:
        first = log.after(ready, *_ANSWERED)
        greets = first is not None and first.kind == "reply_started" and first.number("latency_ms") is None
        if greets or log.first("response_started"):
            yield ready.at_ms, _end_of(first, log), "service", "Voice Live owed the greeting"


def _others(log: EventLog) -> Iterator[Found]:
    for begun, end in log.pairs("secure_entry_started", "secure_entry_ended", "tool"):
        yield begun.at_ms, _end_of(end, log), "caller", "the caller was to key something in"
    for begun in log.all("transfer_started"):
        end = log.after(begun, "transferred", "transfer_failed")
        yield begun.at_ms, _end_of(end, log), "provider", MOVING
    for paused in log.all("stream_paused"):
        yield paused.at_ms - paused.ms("paused_ms"), paused.at_ms, "provider", "the phone sent no audio"
    for kind, why in _OWES.items():
        for event in log.all(kind):
            yield event.at_ms, _end_of(log.after(event, *_ANSWERED), log), "service", why


def _tools(log: EventLog) -> Iterator[Found]:
    for called, returned, name in tool_runs(log):
        start_ms = called.at_ms
        if returned is not None and (took := returned.number("took_ms")) is not None:
            start_ms = max(start_ms, returned.at_ms - took)  # it may have waited for what the caller had to key in
        yield start_ms, _end_of(returned, log), "tool", f"{name} was running"


def tool_runs(log: EventLog) -> Iterator[tuple[Event, Event | None, str]]:
    """Yield each run of a tool: its call, its return if there was one, and its name."""
    for called, returned in log.pairs("tool_called", "tool_returned", "call_id"):
        yield called, returned, called.text("tool")
    for called, returned in log.pairs("mcp_called", "mcp_returned", "item_id"):
        yield called, returned, f"{called.text('server')}/{called.text('tool')}"


def _replies(replies: Sequence[Reply], log: EventLog) -> Iterator[Found]:
    for reply in replies:
        if reply.heard_ms:
            yield reply.came_ms, reply.start_ms, "gateway", "audio was here and not yet heard"
        over_ms = log.end_ms if reply.over_ms is None else reply.over_ms
        missing_ms = over_ms - reply.end_ms
        if missing_ms > UNDERRUN_MS:
            is_ours = reply.late_frames * FRAME_MS * 2 >= missing_ms
            why = "the gateway sent audio late" if is_ours else "the rest of a reply was awaited"
            yield reply.end_ms, over_ms, "gateway" if is_ours else "service", why
