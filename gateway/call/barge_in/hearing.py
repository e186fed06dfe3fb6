"""The gateway's own hearing: the caller's latest audio, beside what was played to the caller. Pure."""

from collections import deque

import numpy as np

from gateway.audio import g711
from gateway.audio.formats import AudioFormat
from gateway.call.barge_in.echo import likeness
from gateway.call.speaking.kept_playback import Played

WINDOW_MS = 800
"""The caller's latest audio that is compared: the speech that was reported, and what was before it."""
DELAY_LIMIT_MS = 800
"""The longest delay of an echo: the way to the phone and back, and the phone's own buffer."""
AHEAD_MS = 100
"""The caller may hear audio this much earlier than the clock of playback has it."""
ECHO_LIKENESS = 0.8
"""Audio that is more alike than this is an echo; ``python -m bench --echo`` measures what that misses and takes."""
NEWEST_MS = 200
LOUD_RMS = 184.0
"""-45 dBFS: what is quieter than this is no speech; comfort noise is well below."""


class Hearing:
    """Keeps the caller's latest audio, and compares it with what was played. Times are in seconds."""

    def __init__(self, audio_format: AudioFormat, played: Played) -> None:
        self._format = audio_format
        self._played = played
        self._limit = audio_format.bytes_for(WINDOW_MS)
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._last_at = 0.0

    def take(self, audio: bytes, now: float) -> None:
        """Keep a piece of the caller's audio."""
        self._pieces.append(audio)
        self._size += len(audio)
        self._last_at = now
        while self._size - len(self._pieces[0]) >= self._limit:
            self._size -= len(self._pieces.popleft())

    def newest(self, duration_ms: int) -> bytes:
        """Return the last milliseconds of the caller's audio, after silence where there are fewer."""
        size = self._format.bytes_for(duration_ms)
        audio = b"".join(self._pieces)[-size:]
        return self._format.silence_of((size - len(audio)) // self._format.sample_bytes) + audio

    def is_loud(self) -> bool:
        """``True`` if the newest audio is as loud as speech."""
        newest = g711.decode(self.newest(NEWEST_MS), self._format).astype(np.float64)
        return float(np.sqrt(np.mean(newest * newest))) >= LOUD_RMS

    def is_echo(self) -> bool:
        """``True`` if the caller's latest audio is an echo of what was played."""
        return self.likeness() > ECHO_LIKENESS

    def likeness(self) -> float:
        """Return how alike the caller's latest audio is to what was played: 1 for an echo."""
        end = self._last_at + AHEAD_MS / 1000
        start = self._last_at - (WINDOW_MS + DELAY_LIMIT_MS) / 1000
        heard = g711.decode(self.newest(WINDOW_MS), self._format)
        return likeness(heard, g711.decode(self._played.between(start, end), self._format), self._format.rate_hz)
