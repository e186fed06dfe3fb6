"""A call's record."""

import re
from pathlib import Path

import msgspec
import pytest

from gateway.call.record import CallIdentity, CallRecord, Note, TimedNote
from tests.notes import KINDS, check_note

OPERATING = Path(__file__).parents[2] / "docs" / "operating.md"

CALL = CallIdentity("CA1", "twilio", "support", "+1", "+2", "pcmu/8000", 0.0)


def test_notes_are_told_as_they_are_made() -> None:
    """Every observer hears every note, with its call and its time."""
    told: list[tuple[CallIdentity, TimedNote]] = []
    kept = CallRecord(CALL, (lambda *note: told.append(note), lambda *note: told.append(note)))
    kept.add(1.0, Note("a"))
    kept.add(2.0, Note("b", {"c": 3}))
    notes = [TimedNote(1.0, "a", {}), TimedNote(2.0, "b", {"c": 3})]
    assert told == [(CALL, note) for note in notes for _ in range(2)]


def test_every_note_is_documented() -> None:
    """The table of the logs tells each kind, with all of its fields; those of the debug level by name."""
    rows = re.findall(
        r"^\| (`[a-z_`, ]+`) \| (debug|info|warning|error) \|(.*?)\| ", OPERATING.read_text("utf-8"), re.MULTILINE
    )
    told = {kind: (level, fields) for kinds, level, fields in rows for kind in re.findall(r"\w+", kinds)}
    assert set(KINDS) <= set(told)
    for kind, fields in KINDS.items():
        level, documented = told[kind]
        assert level == "debug" or set(fields) <= set(re.findall(r"`(\w+)`", documented)), kind


@pytest.mark.parametrize(
    "note",
    [
        Note("hung_up"),
        Note("silence_prompt"),
        Note("silence_prompt", {"count": 0}),
        Note("silence_prompt", {"count": 1, "more": 2}),
        Note("tool_returned", {"tool": "t", "call_id": "c", "outcome": "OK", "took_ms": 1}),
    ],
)
def test_a_note_that_nobody_could_read_fails_a_story(note: Note) -> None:
    """An unknown kind, a field that is missing, one too many, or a value that is none of those known."""
    with pytest.raises((AssertionError, msgspec.ValidationError)):
        check_note(note)
