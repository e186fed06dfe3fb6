import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.audio.formats import PCMU
from gateway.call import notes
from gateway.call.notes import Note
from gateway.call.record import CallIdentity, TimedNote
from gateway.phone.commands import AskForLife, PhoneCommand, PlayAudio, SendMark, StopPlayback
from gateway.phone.events import CallerAudio, DigitPressed, MarkReturned, PhoneClosed, PhoneEnd, PhoneEvent, Playout
from gateway.records.recording.entries import BOT, CALLER, MARK_RETURNED, MARK_SENT, PAUSED, RESUMED, STOPPED, Entry
from gateway.records.recording.places import FolderAlone
from gateway.records.recording.tap import Tap
from gateway.records.recording.writer import End, RecordingQueue, Writer
from gateway.records.rows import RecordingRow
from gateway.records.storing.pending import Waiting

IDENTITY = CallIdentity("CA1", "twilio", "support", "", "", "pcmu/8000", 0.0)
FRAME = b"\x22" * 160


class Unwritten(Writer):
    """A writer that writes nothing."""

    def __init__(self) -> None:
        super().__init__(lambda: 0.0, lambda _: None)
        self.opened: list[RecordingQueue] = []

    def open(self, queue: RecordingQueue) -> None:
        self.opened.append(queue)


class Phone:
    """A phone leg that tells what it is given."""

    def __init__(self, *events: PhoneEvent) -> None:
        self.events = events
        self.sent: list[PhoneCommand] = []
        self.closed = False

    async def run(self, tell: Callable[[PhoneEvent], None]) -> None:
        for event in self.events:
            tell(event)

    def send(self, command: PhoneCommand) -> None:
        self.sent.append(command)

    async def close(self) -> None:
        self.closed = True


class Tapped:
    """A tap with its clock."""

    def __init__(self) -> None:
        self.now = 10.0
        self.writer = Unwritten()
        about = Waiting("a", "support", datetime(2026, 11, 29, tzinfo=UTC))
        self.queue = RecordingQueue(FolderAlone(Path()), about, IDENTITY, PCMU)
        self.rows: list[RecordingRow] = []
        self.tap = Tap(self.writer, self.queue, Playout(), lambda: self.now, self.rows.append)

    def note(self, note: Note) -> None:
        """Let the tap see a note of the call."""
        self.tap.observe(IDENTITY, TimedNote(self.now, note))

    @property
    def entries(self) -> list[Entry]:
        """What waits to be written."""
        return list(self.queue.entries)


async def test_it_passes_everything_on() -> None:
    """In both directions, and the close."""
    held = Tapped()
    events = (CallerAudio(FRAME), MarkReturned("m"), DigitPressed("1"), PhoneClosed(PhoneEnd.HUNG_UP))
    commands = (PlayAudio(FRAME), SendMark("m"), StopPlayback(), AskForLife())
    phone, told = Phone(*events), list[PhoneEvent]()
    seen = held.tap.phone(phone)
    await seen.run(told.append)
    for command in commands:
        seen.send(command)
    await seen.close()
    assert tuple(told) == events
    assert tuple(phone.sent) == commands
    assert phone.closed


def test_it_notes_audio_marks_and_stops_with_their_times() -> None:
    """And where in the stream audio is."""
    held = Tapped()
    held.tap.begin(10.0)
    seen = held.tap.phone(Phone(CallerAudio(FRAME), MarkReturned("m"), DigitPressed("1"), CallerAudio(FRAME)))
    for command in (PlayAudio(FRAME), SendMark("m"), PlayAudio(FRAME * 2), StopPlayback(), AskForLife()):
        held.now += 1
        seen.send(command)
    asyncio.run(seen.run(lambda event: None))
    assert held.entries == [
        (BOT, 11.0, 0, FRAME, ""),
        (MARK_SENT, 12.0, 0, b"", "m"),
        (BOT, 13.0, 160, FRAME * 2, ""),
        (STOPPED, 14.0, 0, b"", ""),
        (CALLER, 15.0, 0, FRAME, ""),
        (MARK_RETURNED, 15.0, 0, b"", "m"),
        (CALLER, 15.0, 160, FRAME, ""),
    ]


def test_before_it_begins_nothing_waits() -> None:
    """But what was sent just now is heard in the recording: its note comes after it."""
    held = Tapped()
    seen = held.tap.phone(Phone())
    held.tap.received(FRAME)
    for number in range(100):
        held.now = 10 + number / 50
        seen.send(PlayAudio(FRAME))
    assert held.entries == []
    assert held.writer.opened == []
    held.note(notes.RecordingStarted(consented=True))
    assert held.writer.opened == [held.queue]
    assert [entry[2] for entry in held.entries] == [97 * 160, 98 * 160, 99 * 160]


def test_what_was_discarded_before_is_not_on_it() -> None:
    """The rest of the question that the key cuts off."""
    held = Tapped()
    seen = held.tap.phone(Phone())
    for command in (PlayAudio(FRAME), StopPlayback(), PlayAudio(FRAME)):
        seen.send(command)
    held.note(notes.RecordingStarted(consented=True))
    assert [entry[:3] for entry in held.entries] == [(STOPPED, 10.0, 0), (BOT, 10.0, 160)]


def test_a_call_that_is_not_recorded_leaves_nothing() -> None:
    """The caller declined."""
    held = Tapped()
    held.note(notes.RecordingDeclined("key"))
    held.note(notes.RecordingStarted(consented=True))
    held.tap.received(FRAME)
    held.tap.played(FRAME)
    assert held.entries == []
    assert held.writer.opened == []
    assert held.tap.over() == ()


def test_pauses_are_noted_and_never_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much waits."""
    monkeypatch.setattr("gateway.records.recording.writer.WAITING_LIMIT", 0)
    held = Tapped()
    held.tap.begin(10.0)
    held.note(notes.RecordingPaused("secret"))
    held.tap.received(FRAME)
    held.now = 12.0
    held.note(notes.RecordingContinued())
    assert held.entries == [(PAUSED, 10.0, 0, b"", ""), (RESUMED, 12.0, 0, b"", "")]
    assert held.queue.lost == 160


def test_its_end_is_told_once() -> None:
    """With its length, and what is missing; audio that comes later is not on it."""
    held = Tapped()
    held.tap.begin(10.0)
    held.now = 13.5
    assert held.tap.over() == (notes.RecordingStopped("a.wav", 3.5, 0.0),)
    held.tap.received(FRAME)
    held.now = 20.0
    assert held.tap.over() == (notes.RecordingStopped("a.wav", 3.5, 0.0),)
    assert held.queue.end == End(13.5, keeps=True)
    assert held.entries == []


def test_a_discarded_one_is_not_told() -> None:
    """There is nothing."""
    held = Tapped()
    held.tap.begin(10.0)
    held.note(notes.RecordingDiscarded("not announced"))
    assert held.queue.end == End(10.0, keeps=False)
    assert held.tap.seconds == 0
    assert held.tap.over() == ()


def test_its_row_comes_with_its_beginning_and_its_end() -> None:
    """So that a call that was cut has one; a discarded one says so."""
    kept, gone = Tapped(), Tapped()
    for held in (kept, gone):
        held.tap.begin(10.0)
        held.now = 12.5
    kept.tap.over()
    gone.note(notes.RecordingDiscarded("not announced"))
    begun = RecordingRow(call_key="a", url="", format="pcmu/8000 stereo")
    assert kept.rows == [begun, replace(begun, seconds=2.5)]
    assert gone.rows == [begun, replace(begun, seconds=2.5, state="deleted")]
