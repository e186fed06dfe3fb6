"""A call's record."""

import pytest

from gateway.call import record
from gateway.call.record import CallIdentity, CallRecord, Note, TimedNote

CALL = CallIdentity("CA1", "twilio", "support", "+1", "+2", "pcmu/8000")


def test_notes_are_kept_in_order_and_told_as_they_are_made() -> None:
    """Every observer hears every note, with its call and its time."""
    told: list[tuple[CallIdentity, TimedNote]] = []
    kept = CallRecord(CALL, (lambda *note: told.append(note), lambda *note: told.append(note)))
    kept.add(1.0, Note("a"))
    kept.add(2.0, Note("b", {"c": 3}))
    assert kept.notes == [TimedNote(1.0, "a", {}), TimedNote(2.0, "b", {"c": 3})]
    assert told == [(CALL, note) for note in kept.notes for _ in range(2)]


def test_a_record_stops_growing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that makes notes without end does not eat the memory; observers still hear them."""
    monkeypatch.setattr(record, "NOTES_LIMIT", 3)
    told: list[TimedNote] = []
    kept = CallRecord(CALL, (lambda _, note: told.append(note),))
    for number in range(5):
        kept.add(number, Note("again"))
    assert (len(kept.notes), kept.dropped, len(told)) == (3, 2, 5)
