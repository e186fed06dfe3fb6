"""Notes and rows of calls for the tests of the store."""

from datetime import UTC, datetime

from gateway.call import notes
from gateway.call.ending import EndReason
from gateway.call.notes import Note
from gateway.call.record import CallIdentity, TimedNote
from gateway.records.rows import CallRow, EventRow

CALLER, CALLED = "+14155550123", "+14255550100"
NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)


def identity(
    call_id: str = "CA1", started_at: float = 0.0, caller: str = CALLER, line: str = "support"
) -> CallIdentity:
    """Return the identity of a call."""
    return CallIdentity(call_id, "twilio", "support", caller, CALLED, "pcmu", started_at)


def call_row(key: str = "k", **values: object) -> CallRow:
    """Return the row of a call that runs."""
    fields: dict[str, object] = {"call_key": key, "call_id": f"CA-{key}", "provider": "twilio", "line": "support"}
    return CallRow(**{**fields, "started": NOON, **values})  # type: ignore[arg-type]  # each as its column


def event_row(n: int, key: str = "k", text: str = "Hello.") -> EventRow:
    """Return the row of an event."""
    return EventRow(call_key=key, n=n, at_ms=20.0 * n, kind="caller_said", fields={"item_id": f"i{n}", "text": text})


def story(of: CallIdentity, turns: int = 3, ends: bool = True) -> list[tuple[CallIdentity, TimedNote]]:
    """Return the notes of a short call: each turn a second, of the caller and the bot."""
    made: list[Note] = [notes.CallStarted(of.caller, of.called, "abc"), notes.SessionReady("s", "gpt-realtime")]
    for n in range(turns):
        made += [notes.CallerSaid(f"u{n}", f"Question {n}."), notes.ReplyStarted(f"b{n}", 400)]
        made += [notes.ReplyHeard(f"b{n}", 900, 900, f"Answer {n}.")]
    if ends:
        made.append(notes.CallEnded(EndReason.CALLER_HUNG_UP, "caller", "", "twilio", 12.0, turns, 0, 0))
    return [(of, TimedNote(of.started_at + n * 0.3, note)) for n, note in enumerate(made)]
