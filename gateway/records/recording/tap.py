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
    MARK_RETURNED,
    MARK_SENT,
    PAUSED,
    RESUMED,
    STOPPED,
    Entry,
    Kind,
)
from gateway.records.recording.heard import FRAME_COST
from gateway.records.recording.timeline import Timeline
from gateway.records.recording.writer import ENTRY_COST, End, RecordingQueue, Writer
from gateway.records.rows import RecordingRow

LONGEST_SILENCE_MS = 500
"""Silence stands for so much lost audio before the next frame; after a longer gap, the frame's time says its place."""
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
        self._sent = 0
        self._room = self._heard_room = 0
        """Bytes that may be added before the writer is asked for more room: by entries, and by the caller's audio."""
        self._unheard = 0
        """Bytes of the caller's audio that were lost last, for which silence is to stand."""
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
        for entry in self._ahead:
            if entry[1] >= at - AHEAD_S:
                self._add(entry)
        self._ahead.clear()
        self._writer.open(self._queue)
        self._put(self._row())

    def end(self, *, keeps: bool = True) -> None:
        """End the recording, and let none begin; without ``keeps`` nothing of it remains. Safe to call twice."""
        if self._is_on:
            self._is_on, self._ended_at = False, self._clock()
            self._writer.end(self._queue, End(self._ended_at, keeps))
            self._writer.give_back(self._room + self._heard_room)
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

    def passing_on(self, tell: Callable[[PhoneEvent], None]) -> Callable[[PhoneEvent], None]:
        """Return what notes the caller's audio and marks that come back, and passes every event to ``tell``."""
        clock, heard = self._clock, self._queue.heard
        add, add_size, add_at = heard.audio.extend, heard.sizes.append, heard.at.append

        def passed_on(event: PhoneEvent) -> None:
            if type(event) is CallerAudio:
                if self._is_on:
                    audio = event.audio
                    self._heard_room -= len(audio) + FRAME_COST
                    if self._heard_room >= 0 or (audio := self._in_more_room(audio)):
                        add(audio)
                        add_size(len(audio))
                        add_at(clock())
            elif type(event) is MarkReturned:
                self._note(MARK_RETURNED, name=event.name)
            tell(event)

        return passed_on

    def sent(self, command: PhoneCommand) -> None:
        """Note what is heard of a command to the phone."""
        if type(command) is PlayAudio:
            position, self._sent = self._sent, self._sent + len(command.audio)
            self._note(BOT, position, command.audio)
        elif type(command) is SendMark:
            self._note(MARK_SENT, name=command.name)
        elif type(command) is StopPlayback:
            self._ahead.clear()
            self._note(STOPPED)

    def _note(self, kind: Kind, position: int = 0, audio: bytes = b"", name: str = "") -> None:
        entry = (kind, self._clock(), position, audio, name)
        if self._is_on:
            self._add(entry)
        elif not self._is_over:
            self._ahead.append(entry)
            while self._ahead[0][1] < entry[1] - AHEAD_S:
                self._ahead.popleft()

    def _in_more_room(self, audio: bytes) -> bytes:
        """Ask for room for a frame; return it, behind silence for what was lost, or nothing if it is lost too."""
        silence = self._queue.audio_format.silence(LONGEST_SILENCE_MS)[: self._unheard]
        lacking = len(silence) - self._heard_room
        granted = self._writer.grant(lacking)
        if not granted:
            self._writer.give_back(self._heard_room + len(audio) + FRAME_COST)
            self._heard_room = 0
            self._unheard += len(audio)
            self._queue.lost += len(audio)
            return b""
        self._heard_room = granted - lacking
        self._unheard = 0
        return silence + audio

    def _add(self, entry: Entry) -> None:
        size = len(entry[3])
        self._room -= size + ENTRY_COST
        if self._room < 0:
            granted = self._writer.grant(-self._room)
            if not granted:
                self._room += size + ENTRY_COST
                self._queue.lost += size
                return
            self._room += granted
        self._queue.entries.append(entry)

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
        await self._phone.run(self._tap.passing_on(tell))

    def send(self, *commands: PhoneCommand) -> None:
        """Carry out at once, and note what is heard of it."""
        for command in commands:
            self._tap.sent(command)
        self._phone.send(*commands)
