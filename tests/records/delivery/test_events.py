"""The deliveries of a call, of its notes."""

from datetime import UTC, datetime, timedelta

import msgspec

from gateway.call import notes
from gateway.call.ending import EndReason
from gateway.call.notes import Note
from gateway.call.record import TimedNote
from gateway.records.delivery.events import (
    AFTER_THE_CALL,
    CallDeliveries,
    Facts,
    interrupted,
    message_id,
    recording_stored,
)
from gateway.records.delivery.targets import Target
from gateway.records.rows import DeliveryRow
from tests.records.delivery.receiving import Server

START = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
EVERY = (
    *("call.started", "call.ended", "call.interrupted", "recording.stored"),
    *("transfer.started", "transfer.completed", "transfer.failed", "tool.failed"),
)
STARTED = notes.CallStarted(caller="+14255550111", called="+14255550100", generation="g1")
ENDED = notes.CallEnded(
    reason=EndReason.CALLER_HUNG_UP, by="caller", detail="", provider="twilio", duration_s=9.5, turns=2
)


def target(name: str, *events: str) -> Target:
    """A receiver of these events."""
    return Target(name, Server("http://a.example/").receiver(name=name, events=events))


def made(*story: Note, targets: tuple[Target, ...] = (target("crm", *EVERY),)) -> list[DeliveryRow]:
    """The deliveries of notes, of which each comes a second after the one before."""
    call = CallDeliveries("key", START, 100.0, targets)
    return [row for second, note in enumerate(story, 1) for row in call.add(TimedNote(100.0 + second, note))]


def facts(row: DeliveryRow) -> Facts:
    """The body of a row."""
    return msgspec.json.decode(row.body, type=Facts)


def test_each_note_of_interest_is_an_event_in_its_order() -> None:
    """With its time and what belongs to it alone; other notes are none."""
    story = (
        STARTED,
        notes.SilencePrompt(count=1),
        notes.ToolReturned(tool="order", call_id="t1", outcome="ok", took_ms=10),
        notes.ToolReturned(tool="order", call_id="t2", outcome="timeout", took_ms=5000),
        notes.McpReturned(server="shop", tool="find", item_id="i", outcome="error", took_ms=7),
        notes.DigitPressed(digit="7"),
        notes.TransferStarted(target="desk"),
        notes.TransferFailed(target="desk", detail="busy"),
        notes.TransferStarted(target="home"),
        notes.Transferred(target="home"),
        ENDED,
    )
    rows = made(*story)
    assert [(row.seq, row.event, facts(row).data) for row in rows] == [
        (1, "call.started", {}),
        (2, "tool.failed", {"tool": "order", "server": "", "outcome": "timeout", "took_ms": 5000}),
        (3, "tool.failed", {"tool": "find", "server": "shop", "outcome": "error", "took_ms": 7}),
        (4, "transfer.started", {"target": "desk"}),
        (5, "transfer.failed", {"target": "desk", "detail": "busy"}),
        (6, "transfer.started", {"target": "home"}),
        (7, "transfer.completed", {"target": "home"}),
        (8, "call.ended", {}),
    ]
    assert facts(rows[-1]).at == rows[-1].created == START + timedelta(seconds=11)


def test_each_receiver_gets_what_it_asked_for() -> None:
    """The place of an event does not depend on who else wants it, so that its id never changes."""
    crm, pager = target("crm", "call.ended"), target("support/pager", "call.started", "call.ended")
    rows = made(STARTED, ENDED, targets=(crm, pager))
    assert [(row.target, row.seq, row.event) for row in rows] == [
        ("support/pager", 1, "call.started"),
        ("crm", 2, "call.ended"),
        ("support/pager", 2, "call.ended"),
    ]
    (alone,) = made(STARTED, ENDED, targets=(crm,))
    assert alone.id == rows[1].id
    assert made(STARTED, ENDED, targets=()) == []


def test_an_id_belongs_to_one_event_of_one_call_for_one_receiver() -> None:
    """Whoever makes it again, after a crash or from the spool, makes the same; it has no dot, which separates."""
    ids = {
        message_id("key", "crm", 1, "call.started"),
        message_id("key2", "crm", 1, "call.started"),
        message_id("key", "crm2", 1, "call.started"),
        message_id("key", "crm", 2, "call.started"),
        message_id("key", "crm", 1, "call.ended"),
    }
    assert len(ids) == 5
    assert message_id("key", "crm", 1, "call.started") in ids
    assert not any("." in one for one in ids)


def test_what_happens_after_the_call_comes_after_its_notes() -> None:
    """Two processes that find the same call interrupted make one event."""
    targets = (target("crm", *EVERY),)
    (found,) = interrupted("key", START, targets)
    (again,) = interrupted("key", START + timedelta(seconds=5), targets)
    assert (found.event, found.seq, found.id) == ("call.interrupted", AFTER_THE_CALL, again.id)
    (stored,) = recording_stored("key", START, targets, {"url": "az://calls/key.wav"})
    assert stored.seq > found.seq
    assert facts(stored) == Facts(START, {"url": "az://calls/key.wav"})
    assert interrupted("key", START, (target("crm", "call.ended"),)) == []
