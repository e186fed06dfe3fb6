"""The phone's playout buffer: what the gateway sent waits here until the caller hears it, 20 ms at a time.

Source: Twilio Media Streams, WebSocket messages (media, mark and clear sent to Twilio); error 31931.
"""

from collections import deque
from dataclasses import dataclass

from gateway.audio.formats import AudioFormat

FRAME_MS = 20
LIMIT_MS = 600_000
"""Twilio discards audio beyond ten minutes of it in the buffer (31931)."""


@dataclass(frozen=True)
class Heard:
    """One tick: ``audio`` is a whole frame, of which ``size`` bytes came from the gateway and the rest is silence.

    ``marks`` are those whose preceding audio has now been played, in the order in which they were set.
    """

    audio: bytes
    size: int
    marks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cleared:
    """The effect of a clear, in bytes of audio; positions count all audio that was ever added.

    ``run_bytes``: really played since the buffer was last idle or cleared. ``position``: up to here everything
    was played or discarded earlier. ``discarded_bytes``: thrown away now. ``marks`` are returned.
    """

    run_bytes: int
    position: int
    discarded_bytes: int
    marks: tuple[str, ...]


class Playout:
    """A queue of audio and marks that plays one frame per :meth:`tick`.

    With ``drops_silence``, silence that comes while nothing waits is not queued: it fills a pause that may not be.
    """

    def __init__(self, audio_format: AudioFormat, *, limit_ms: int = LIMIT_MS, drops_silence: bool = False) -> None:
        self._format = audio_format
        self._drops_silence = drops_silence
        self._frame_bytes = audio_format.bytes_for(FRAME_MS)
        self._silence = audio_format.silence(FRAME_MS)
        self._limit_bytes = audio_format.bytes_for(limit_ms)
        self._queue = bytearray()
        self._marks: deque[tuple[int, str]] = deque()
        self._run_bytes = 0
        self.paused = False
        """``True`` while playback is held: the caller hears silence, and what is queued stays queued."""
        self.added_bytes = 0
        """All audio ever taken into the buffer."""
        self.played_bytes = 0
        """All audio that the caller has heard; silence in between is not counted."""

    @property
    def queued_bytes(self) -> int:
        """The number of bytes that wait to be played."""
        return len(self._queue)

    @property
    def idle(self) -> bool:
        """True if nothing is left to play."""
        return not self._queue

    def add(self, audio: bytes) -> bool:
        """Queue audio of any length; false, and nothing queued, where the buffer would hold too much."""
        if len(self._queue) + len(audio) > self._limit_bytes:
            return False
        if self._drops_silence and not self._queue and audio == self._format.silence_for(audio):
            return True
        if audio and not self._queue:
            self._run_bytes = 0
        self._queue += audio
        self.added_bytes += len(audio)
        return True

    def mark(self, name: str) -> bool:
        """Set a mark after the audio added so far; true where there is none to wait for: it returns at once."""
        if not self._queue:
            return True
        self._marks.append((self.added_bytes, name))
        return False

    def clear(self) -> Cleared:
        """Throw away what has not been played, and return all marks."""
        cleared = Cleared(
            run_bytes=self._run_bytes,
            position=self.added_bytes - len(self._queue),
            discarded_bytes=len(self._queue),
            marks=tuple(name for _, name in self._marks),
        )
        self._queue.clear()
        self._marks.clear()
        self._run_bytes = 0
        return cleared

    def tick(self) -> Heard:
        """Play the next 20 ms: queued audio, then silence."""
        if not self._queue or self.paused:
            return Heard(self._silence, 0)
        audio = bytes(self._queue[: self._frame_bytes])
        del self._queue[: len(audio)]
        self.played_bytes += len(audio)
        self._run_bytes += len(audio)
        position = self.added_bytes - len(self._queue)
        marks = []
        while self._marks and self._marks[0][0] <= position:
            marks.append(self._marks.popleft()[1])
        return Heard(audio + self._silence[len(audio) :], len(audio), tuple(marks))
