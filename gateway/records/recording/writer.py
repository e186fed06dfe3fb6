"""Writes the recordings of a process in one thread: the audio path only appends to bounded lists."""

import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import structlog

from gateway.audio.formats import AudioFormat
from gateway.call.record import CallIdentity
from gateway.records.recording.entries import Entry
from gateway.records.recording.heard import Heard
from gateway.records.recording.places import Places
from gateway.records.recording.timeline import Channels, Timeline
from gateway.records.recording.wav_file import WavFile
from gateway.records.storing.names import file_stem
from gateway.records.storing.pending import Place, Waiting

log = structlog.get_logger()

WAITING_LIMIT = 64 * 1024 * 1024
"""Bytes of all calls that wait to be written; audio that comes then is lost and counted."""
WAKE_AT = WAITING_LIMIT // 2
"""Bytes that wait, above which all recordings are written at once."""
GRANT = 8 * 1024
"""The bytes that a recording may add before it asks for more room: it need not ask for each frame."""
ENTRY_COST = 250
CYCLE_S = 0.45
"""So often each recording is written."""
AT_ONCE = 10
"""So many recordings are written, then comes a pause: where the event loop and this thread share a processor, what
arrives meanwhile waits for it."""
END_LIMIT_S = 10.0
COUNTS = {"stereo": 2, "mono": 1}


class End(NamedTuple):
    """The end of a recording, on the call's clock; ``keeps`` is ``False`` where nothing of it may remain."""

    at: float
    keeps: bool


class RecordingQueue:
    """The entries of one recording that wait, and its file.

    The event loop appends and ends; the thread takes and writes.
    """

    def __init__(
        self,
        places: Places,
        about: Waiting,
        identity: CallIdentity,
        audio_format: AudioFormat,
        channels: Channels = "stereo",
    ) -> None:
        self.about, self.identity = about, identity
        self.audio_format, self.channels = audio_format, channels
        self._places = places
        self.place: Place | None = None
        """The place of the file, once it is begun."""
        self.file = WavFile(self._begin, audio_format, COUNTS[channels])
        self.timeline: Timeline | None = None
        """Set when the recording begins."""
        self.heard = Heard()
        self.entries: deque[Entry] = deque()
        self.end: End | None = None
        self.is_broken = False
        """``True`` after a bug: what comes then is let go."""
        self.lost = 0
        """Bytes of audio for which there was no room; counted by the event loop."""
        self.told_failure = False

    @property
    def name(self) -> str:
        """The name of the file, without its folder."""
        return f"{file_stem(self.about.call_key)}{self.about.suffix}"

    def _begin(self) -> Path:
        if self.place is None:
            self.place = self._places.begin(self.about)
        return self.place.path

    def close(self, *, keeps: bool) -> None:
        """Close the file, and let go of its place. Raises ``OSError`` where it cannot be removed."""
        self.file.close()
        if self.place is not None:
            try:
                if not keeps:
                    self.place.remove()
            finally:
                self.place.release()
            self._places.ended()

    @property
    def lost_s(self) -> float:
        """The length of what is not in the file, at most."""
        return self.file.lost_s + self.lost / (self.audio_format.bytes_per_ms * 1000)


class Writer:
    """The thread and its queues. ``clock`` is that of calls; ``done`` and ``lost`` are called in the thread.

    ``done`` gets a recording that has ended, ``lost`` the seconds that could not be written.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        done: Callable[[RecordingQueue], None],
        lost: Callable[[float], object] = lambda _: None,
    ) -> None:
        self._clock = clock
        self._done = done
        self._lost = lost
        self._granted = 0
        self._taken = 0
        self._opened: deque[RecordingQueue] = deque()
        self._writing: deque[RecordingQueue] = deque()
        self._wake = threading.Event()
        self._is_over = False
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        """The bytes that wait to be written, or have been granted to what may come."""
        return self._granted - self._taken

    def open(self, queue: RecordingQueue) -> None:
        """Begin to write a recording whose timeline is set."""
        self._opened.append(queue)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="recordings", daemon=True)
            self._thread.start()
        self._wake.set()

    def grant(self, least: int) -> int:
        """Return how many bytes more may wait, ``least`` or more; 0 where there is no room. Waits for nothing."""
        waiting = self.waiting
        if waiting + least > WAITING_LIMIT:
            return 0
        granted = max(least, min(GRANT, WAITING_LIMIT - waiting))
        self._granted += granted
        if waiting > WAKE_AT and not self._wake.is_set():
            self._wake.set()
        return granted

    def give_back(self, room: int) -> None:
        """Take back what was granted and is not needed."""
        self._granted -= room

    def add_always(self, queue: RecordingQueue, entry: Entry) -> None:
        """Take an entry without audio that must not be lost; there are few of them."""
        queue.entries.append(entry)
        self._granted += ENTRY_COST

    def end(self, queue: RecordingQueue, end: End) -> None:
        """Finish a recording; that is done when its turn comes."""
        queue.end = end

    def close(self, limit_s: float = END_LIMIT_S) -> None:
        """Write what waits, in limited time, and end the thread. Blocks."""
        self._is_over = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(limit_s)
            if self._thread.is_alive():
                log.error("recording_failed", file="", detail=f"recordings were not written within {limit_s:g} s")

    def _run(self) -> None:
        while True:
            self._wake.wait(self._pause_s())
            is_over = self._is_over
            self._wake.clear()
            while self._opened:
                self._writing.append(self._opened.popleft())
            is_all_due = is_over or self.waiting > WAKE_AT
            for _ in range(len(self._writing) if is_all_due else min(AT_ONCE, len(self._writing))):
                queue = self._writing.popleft()
                if self._write(queue):
                    self._writing.append(queue)
            if is_over and not self._opened:
                break
        for queue in self._writing:  # of calls that have not ended: what is there stays
            queue.close(keeps=True)

    def _pause_s(self) -> float | None:
        """Return the seconds until the next recordings have their turn, unless the thread is woken."""
        return CYCLE_S * min(1.0, AT_ONCE / len(self._writing)) if self._writing else None

    def _write(self, queue: RecordingQueue) -> bool:
        """Write what is due of a recording; return ``True`` if more will come."""
        try:
            is_done = self._advance(queue)
        except Exception:  # a bug, which must not end the other recordings
            log.exception("recording_failed", **_about(queue))
            queue.file.failure = "a bug: see recording_failed"
            queue.is_broken = True
            is_done = queue.end is not None
        if is_done:
            try:
                queue.close(keeps=queue.end is None or queue.end.keeps)
            except OSError as error:
                queue.file.failure = error.strerror or str(error)
                self._tell_failure(queue)
            self._done(queue)
        return not is_done

    def _advance(self, queue: RecordingQueue) -> bool:
        now, end, timeline = self._clock(), queue.end, queue.timeline
        heard = queue.heard.take()  # before the entries: a pause in which a frame arrived was noted before the frame
        self._taken += heard.cost
        if queue.is_broken or (end is not None and not end.keeps):
            timeline = None
        while queue.entries:
            entry = queue.entries.popleft()
            self._taken += len(entry[3]) + ENTRY_COST
            if timeline is not None:
                timeline.take_in(entry)
        if timeline is None:
            return end is not None
        if heard.at:
            timeline.hear(heard)
        for block in timeline.blocks(now) if end is None else timeline.rest(end.at):
            before = queue.file.lost_s
            if not queue.file.write(block):
                self._tell_failure(queue)
                self._lost(queue.file.lost_s - before)
        return end is not None

    def _tell_failure(self, queue: RecordingQueue) -> None:
        if not queue.told_failure:
            queue.told_failure = True
            log.error("recording_failed", detail=queue.file.failure, **_about(queue))


def _about(queue: RecordingQueue) -> dict[str, str]:
    return {"file": queue.name, "call": queue.identity.call_id, "line": queue.identity.line}
