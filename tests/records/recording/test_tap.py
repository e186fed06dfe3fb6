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
from gateway.records.recording import writer as module
from gateway.records.recording.entries import BOT, MARK_RETURNED, MARK_SENT, PAUSED, RESUMED, STOPPED, Entry
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

    def send(self, *commands: PhoneCommand) -> None:
        self.sent.extend(commands)

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

    def hear(self, *audio: bytes) -> None:
        """Let the caller be heard."""
        asyncio.run(self.tap.phone(Phone(*map(CallerAudio, audio))).run(lambda event: None))

    def play(self, audio: bytes) -> None:
        """Let the bot speak."""
        self.tap.phone(Phone()).send(PlayAudio(audio))

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
    seen = held.tap.phone(Phone(CallerAudio(FRAME), MarkReturned("m"), DigitPressed("1"), CallerAudio(FRAME[:80])))
    for command in (PlayAudio(FRAME), SendMark("m"), PlayAudio(FRAME * 2), StopPlayback(), AskForLife()):
        held.now += 1
        seen.send(command)
    asyncio.run(seen.run(lambda event: None))
    heard = held.queue.heard.take()
    assert (list(heard.at), list(heard.sizes)) == ([15.0, 15.0], [160, 80])
    assert heard.audio == FRAME + FRAME[:80]
    assert held.entries == [
        (BOT, 11.0, 0, FRAME, ""),
        (MARK_SENT, 12.0, 0, b"", "m"),
        (BOT, 13.0, 160, FRAME * 2, ""),
        (STOPPED, 14.0, 0, b"", ""),
        (MARK_RETURNED, 15.0, 0, b"", "m"),
    ]


def test_before_it_begins_nothing_waits() -> None:
    """But what was sent just now is heard in the recording: its note comes after it."""
    held = Tapped()
    seen = held.tap.phone(Phone())
    held.hear(FRAME)
    for number in range(100):
        held.now = 10 + number / 50
        seen.send(PlayAudio(FRAME))
    assert held.entries == []
    assert held.writer.opened == []
    assert len(held.tap._ahead) == 3
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
    held.hear(FRAME)
    held.play(FRAME)
    assert held.entries == []
    assert held.writer.opened == []
    assert held.tap.over() == ()


def test_pauses_are_noted_and_never_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much waits."""
    monkeypatch.setattr(module, "WAITING_LIMIT", 0)
    held = Tapped()
    held.tap.begin(10.0)
    held.note(notes.RecordingPaused("secret"))
    held.hear(FRAME)
    held.now = 12.0
    held.note(notes.RecordingContinued())
    assert held.entries == [(PAUSED, 10.0, 0, b"", ""), (RESUMED, 12.0, 0, b"", "")]
    assert held.queue.lost == 160


def test_silence_stands_for_what_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the next frame, so that this one has its place; of a longer gap, half a second of it."""
    for lost in (3, 40):
        held = Tapped()
        held.tap.begin(10.0)
        monkeypatch.setattr(module, "WAITING_LIMIT", 0)
        held.hear(*[FRAME] * lost)
        monkeypatch.undo()
        held.hear(FRAME, FRAME)
        silence = min(lost * 160, 4000)
        heard = held.queue.heard.take()
        assert list(heard.sizes) == [silence + 160, 160]
        assert heard.audio == b"\xff" * silence + FRAME * 2
        assert held.queue.lost == lost * 160


def test_what_was_granted_and_is_not_needed_is_given_back(tmp_path: Path) -> None:
    """Once all is written nothing counts as waiting, whatever a call had: audio, marks, pauses, losses."""
    writer = Unwritten()
    about = Waiting("a", "support", datetime(2026, 11, 29, tzinfo=UTC))
    queue = RecordingQueue(FolderAlone(tmp_path), about, IDENTITY, PCMU)
    tap = Tap(writer, queue, Playout(), lambda: 0.0)
    phone = tap.phone(Phone(*[CallerAudio(FRAME)] * 200, CallerAudio(b"\x22" * 100_000), MarkReturned("m")))
    phone.send(PlayAudio(FRAME))
    tap.begin(0.0)
    phone.send(PlayAudio(b"\x22" * 100_000))
    phone.send(SendMark("m"))
    tap.observe(IDENTITY, TimedNote(0.0, notes.RecordingPaused("secret")))
    asyncio.run(phone.run(lambda event: None))
    assert writer.waiting > 200_000
    tap.over()
    Writer.open(writer, queue)  # only now: what waits is looked at before
    writer.close()
    assert writer.waiting == 0


def test_its_end_is_told_once() -> None:
    """With its length, and what is missing; audio that comes later is not on it."""
    held = Tapped()
    held.tap.begin(10.0)
    held.now = 13.5
    assert held.tap.over() == (notes.RecordingStopped("a.wav", 3.5, 0.0),)
    held.hear(FRAME)
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
