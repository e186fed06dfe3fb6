"""Playback that keeps what was played lately, with the time at which the caller heard it. Pure."""

from collections import deque

from gateway.audio.formats import AudioFormat
from gateway.call.speaking.playback import Playback
from gateway.call.speaking.replies import HeardReply
from gateway.phone.commands import PhoneCommand
from gateway.phone.events import Playout

KEPT_S = 3.0
"""Audio that was heard so long ago is forgotten."""


class Played:
    """The audio that the caller heard lately, or will hear next. Times are in seconds."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self._format = audio_format
        self._bytes_per_s = audio_format.bytes_per_ms * 1000
        self._pieces: deque[tuple[float, bytes]] = deque()

    def add(self, at: float, audio: bytes) -> None:
        """Note audio that is heard from ``at`` on."""
        while self._pieces and self._pieces[0][0] < at - KEPT_S:
            self._pieces.popleft()
        self._pieces.append((at, audio))

    def cut(self, at: float) -> None:
        """Forget what would have been heard after ``at``: it was discarded."""
        while self._pieces and self._pieces[-1][0] >= at:
            self._pieces.pop()
        if self._pieces:
            begun, audio = self._pieces[-1]
            self._pieces[-1] = (begun, audio[: self._size(at - begun)])

    def between(self, start: float, end: float) -> bytes:
        """Return what was heard between two times, with silence where nothing was."""
        whole = self._size(end - start)
        heard = bytearray(self._format.silence_of(whole // self._format.sample_bytes))
        for at, audio in self._pieces:
            offset = self._size(at - start)
            first, last = max(0, offset), min(whole, offset + len(audio))
            if first < last:
                heard[first:last] = audio[first - offset : last - offset]
        return bytes(heard)

    def _size(self, seconds: float) -> int:
        """Return the bytes of so many seconds, in whole samples."""
        size = round(seconds * self._bytes_per_s)
        return size - size % self._format.sample_bytes


class KeptPlayback(Playback):
    """A ``Playback`` that notes what it sends in ``played``."""

    def __init__(self, audio_format: AudioFormat, playout: Playout) -> None:
        super().__init__(audio_format, playout)
        self.played = Played(audio_format)

    def stop(self, now: float) -> tuple[list[PhoneCommand], list[HeardReply]]:
        """Do as ``Playback`` does, and forget what is not heard any more."""
        stopped = super().stop(now)
        if self._playout.clears:
            self.played.cut(now + self._rtt_s)
        return stopped

    def _take(self, size: int) -> bytes:
        piece = super()._take(size)
        self.played.add(self._time_at(self._sent), piece)
        return piece
