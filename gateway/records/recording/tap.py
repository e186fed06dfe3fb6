"""The phone of a recorded call: passes everything on, and notes audio and times for the writer."""

from collections import deque
from collections.abc import Callable

from gateway.call import notes
from gateway.call.call import Phone
from gateway.call.record import CallIdentity, TimedNote
from gateway.phone.commands import PhoneCommand, PlayAudio, SendMark, StopPlayback
from gateway.phone.events import CallerAudio, MarkReturned, PhoneEvent, Playout
from gateway.records.recording.entries import (
    BOT,
    CALLER,
    MARK_RETURNED,
    MARK_SENT,
    PAUSED,
    RESUMED,
    STOPPED,
    Entry,
    Kind,
)
from gateway.records.recording.timeline import Timeline
from gateway.records.recording.writer import End, RecordingQueue, Writer
from gateway.records.rows import RecordingRow

AHEAD_S = 0.05
"""Audio that was sent so shortly before the recording begins is on it: the note of the beginning comes after it."""


class Tap:
    """Records one call, as its notes say when. ``clock`` is the call's.

    ``observe`` gets the notes of the call, ``phone`` stands before its phone; ``end`` must be called in any case.
    """

    def __init__(
        self,
        writer: Writer,
        queue: RecordingQueue,
        playout: Playout,
        clock: Callable[[], float],
        put: Callable[[RecordingRow], None] = lambda _: None,
    ) -> None:
        self._put = put
        self._writer = writer
        self._queue = queue
        self._playout = playout
        self._clock = clock
        self._is_on = self._is_over = False
        self._began_at = self._ended_at = 0.0
        self._received = 0
        self._sent = 0
        self._ahead: deque[Entry] = deque()
        """The entries of just now, while the recording has not begun."""

    @property
    def is_kept(self) -> bool:
        """``True`` if the recording has begun, and was not discarded."""
        return self._queue.timeline is not None and (self._queue.end is None or self._queue.end.keeps)

    @property
    def seconds(self) -> float:
        """The length of the recording so far; 0 if there is none."""
        return ((self._clock() if self._is_on else self._ended_at) - self._began_at) if self.is_kept else 0.0

    def phone(self, phone: Phone) -> "RecordedPhone":
        """Return what is to stand before the phone leg of the call."""
        return RecordedPhone(phone, self)

    def observe(self, identity: CallIdentity, timed: TimedNote) -> None:
        """Follow the call's notes about its recording."""
        match timed.note:
            case notes.RecordingStarted():
                self.begin(timed.at)
            case notes.RecordingPaused() if self._is_on:
                self._note_always(PAUSED, timed.at)
            case notes.RecordingContinued() if self._is_on:
                self._note_always(RESUMED, timed.at)
            case notes.RecordingDeclined():
                self.end()
            case notes.RecordingDiscarded():
                self.end(keeps=False)

    def begin(self, at: float) -> None:
        """Begin the recording at ``at``, unless it has begun or is over."""
        if self._is_on or self._is_over:
            return
        self._is_on, self._began_at = True, at
        self._queue.timeline = Timeline(self._queue.audio_format, self._playout, self._queue.channels, at)
        self._queue.entries.extend(entry for entry in self._ahead if entry[1] >= at - AHEAD_S)
        self._ahead.clear()
        self._writer.open(self._queue)
        self._put(self._row())

    def end(self, *, keeps: bool = True) -> None:
        """End the recording, and let none begin; without ``keeps`` nothing of it remains. Safe to call twice."""
        if self._is_on:
            self._is_on, self._ended_at = False, self._clock()
            self._writer.end(self._queue, End(self._ended_at, keeps))
            self._put(self._row())
        self._is_over = True
        self._ahead.clear()

    def over(self) -> tuple[notes.RecordingStopped, ...]:
        """End the recording with the call; return the note of it, if there is one."""
        self.end()
        if not self.is_kept:
            return ()
        seconds, lost_s = round(self.seconds, 3), round(self._queue.lost_s, 3)
        return (notes.RecordingStopped(self._queue.name, seconds, lost_s),)

    def _row(self) -> RecordingRow:
        about = self._queue.about
        return RecordingRow(
            call_key=about.call_key,
            url="",
            format=f"{self._queue.audio_format} {self._queue.channels}",
            seconds=None if self._is_on else round(self._ended_at - self._began_at, 3),
            state="local" if self.is_kept else "deleted",
            keep_until=about.keep_until,
        )

    # The audio path

    def received(self, audio: bytes) -> None:
        """Note audio of the caller."""
        if self._is_on:
            position, size = self._received, len(audio)
            self._received = position + size
            self._writer.add(self._queue, (CALLER, self._clock(), position, audio, ""), size)

    def played(self, audio: bytes) -> None:
        """Note audio that was sent to the phone."""
        position, size = self._sent, len(audio)
        self._sent = position + size
        self._note(BOT, position, audio)

    def note(self, kind: Kind, name: str = "") -> None:
        """Note a mark, or that the phone discards what it has not played."""
        if kind is STOPPED:
            self._ahead.clear()
        self._note(kind, 0, b"", name)

    def _note(self, kind: Kind, position: int, audio: bytes, name: str = "") -> None:
        entry = (kind, self._clock(), position, audio, name)
        if self._is_on:
            self._writer.add(self._queue, entry, len(audio))
        elif not self._is_over:
            self._ahead.append(entry)
            while self._ahead[0][1] < entry[1] - AHEAD_S:
                self._ahead.popleft()

    def _note_always(self, kind: Kind, at: float) -> None:
        self._writer.add_always(self._queue, (kind, at, 0, b"", ""))


class RecordedPhone:
    """A phone leg whose audio is noted by a tap."""

    def __init__(self, phone: Phone, tap: Tap) -> None:
        self._phone = phone
        self._tap = tap
        self.close = phone.close

    async def run(self, tell: Callable[[PhoneEvent], None]) -> None:
        """Pass every event to ``tell`` as it arrives."""
        received, note = self._tap.received, self._tap.note

        def passed_on(event: PhoneEvent) -> None:
            if type(event) is CallerAudio:
                received(event.audio)
            elif type(event) is MarkReturned:
                note(MARK_RETURNED, event.name)
            tell(event)

        await self._phone.run(passed_on)

    def send(self, command: PhoneCommand) -> None:
        """Carry out at once, and note what is heard of it."""
        if type(command) is PlayAudio:
            self._tap.played(command.audio)
        elif type(command) is SendMark:
            self._tap.note(MARK_SENT, command.name)
        elif type(command) is StopPlayback:
            self._tap.note(STOPPED)
        self._phone.send(command)
