"""The notes of a call, and the page that documents them."""

import logging
import re
from typing import get_args, get_type_hints

import msgspec
import pytest

from gateway.call import notes
from gateway.call.ending import EndReason
from gateway.call.notes import Note
from gateway.routes.noting.call_log import level_of_note
from tests.documents import ROOT
from tests.notes import check_note

KINDS = sorted(Note.__subclasses__(), key=lambda kind: kind.event)
TABLE = (ROOT / "docs" / "operating.md").read_text("utf-8").partition("\n| event | level | fields | says |\n")[2]


def rows() -> list[tuple[list[str], str, set[str]]]:
    """The rows of the table of log events: events, level, fields."""
    found = []
    for row in TABLE.partition("\n\n")[0].splitlines()[1:]:
        _, events, level, fields, *_ = row.split("|")
        found.append((re.findall(r"`(\w+)`", events), level.strip(), set(re.findall(r"`(\w+)`", fields))))
    return found


def fields_of(kind: type[msgspec.Struct]) -> set[str]:
    """The fields of a note, and those of what is listed in one."""
    listed = [item for hint in get_type_hints(kind).values() for item in get_args(hint)]
    inner = [fields_of(item) for item in listed if isinstance(item, type) and issubclass(item, msgspec.Struct)]
    return set(kind.__struct_fields__).union(*inner)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.event)
def test_every_note_has_a_row(kind: type[Note]) -> None:
    """In the table of log events, once, with its level where nothing went wrong."""
    ((_, level, _),) = [row for row in rows() if kind.event in row[0]]
    fine = kind(*["ok"] * len(kind.__struct_fields__))
    assert level == logging.getLevelName(level_of_note(fine)).lower()


@pytest.mark.parametrize(
    ("events", "fields"), [(events, fields) for events, _, fields in rows()], ids=lambda names: "+".join(sorted(names))
)
def test_a_row_has_the_fields_of_its_notes(events: list[str], fields: set[str]) -> None:
    """All of them and no other; a row of several notes has what any of them has, and is of notes alone."""
    made = [kind for kind in KINDS if kind.event in events]
    if made:
        assert len(made) == len(events)
        assert fields == set().union(*map(fields_of, made))


def test_a_note_is_logged_under_the_name_of_its_class() -> None:
    """In lower case, its words apart."""
    assert notes.CallStarted.event == notes.CallStarted("", "", "").event == "call_started"
    assert notes.Transferred.event == "transferred"
    assert notes.HangUpCancelled.event == "hang_up_cancelled"
    assert len({kind.event for kind in KINDS}) == len(KINDS)


def test_the_fields_are_plain() -> None:
    """As JSON holds them: lists, objects and words."""
    cut = notes.BargeIn([notes.CutReply("i", 10, 20)], response_cancelled=False)
    replies = [{"item_id": "i", "heard_ms": 10, "received_ms": 20}]
    assert cut.fields() == {"replies": replies, "response_cancelled": False}
    end = notes.CallEnded(EndReason.FAULT, "gateway", "", "twilio", 1.0, turns=0)
    assert type(end.fields()["reason"]) is str
    assert notes.DigitsSent().fields() == {}


@pytest.mark.parametrize(
    "note",
    [
        notes.SilencePrompt(0),
        notes.SilencePrompt("1"),  # type: ignore[arg-type]  # as a caller without types would
        notes.DigitPressed(""),
        notes.ToolReturned("t", "c", "OK", 1),
        notes.ReplyStarted("i", -1),
        notes.TransferFailed("desk", ""),
    ],
)
def test_a_note_that_nobody_could_read_fails_a_story(note: Note) -> None:
    """A value of another type, none, or one that is none of those known."""
    with pytest.raises((AssertionError, msgspec.ValidationError)):
        check_note(note)
