"""A call's record."""

from gateway.call import notes
from gateway.call.record import CallIdentity, CallRecord, TimedNote

CALL = CallIdentity("CA1", "twilio", "support", "+1", "+2", "pcmu/8000", 0.0)


def test_notes_are_told_as_they_are_made() -> None:
    """Every observer hears every note, with its call and its time."""
    told: list[tuple[CallIdentity, TimedNote]] = []
    kept = CallRecord(CALL, (lambda *note: told.append(note), lambda *note: told.append(note)))
    kept.add(1.0, notes.CallerPaused("u"))
    kept.add(2.0, notes.DigitPressed("3"))
    made = [TimedNote(1.0, notes.CallerPaused("u")), TimedNote(2.0, notes.DigitPressed("3"))]
    assert told == [(CALL, note) for note in made for _ in range(2)]
