"""The caller's audio on the call's clock: jitter taken out, pauses filled, the drift of the phone's clock followed.

A frame stands where it arrived; of one that is longer than 20 ms, the last 20 ms do. Frames that come one after the
other are put one behind the other, however their arrival varies. The one of them that was the least late says where
they all belong.
"""

import math

from gateway.audio.formats import AudioFormat
from gateway.records.recording.entries import HOLD_S

TICK_S = 0.02
GAP_S = 0.4
"""Audio that comes later than this after its moment follows a pause; what is earlier by as much is let go."""
LOOK_S = 2.0
"""So often the drift of the phone's clock is looked at."""
SLACK_S = 0.005
"""A smaller drift is left alone."""


class CallerTrack:
    """Places what arrives; ``take`` returns it. Times are in samples since the start of the recording."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self._format = audio_format
        self._sample_bytes = audio_format.sample_bytes
        rate = audio_format.rate_hz
        self._tick, self._gap, self._hold = rate * TICK_S, rate * GAP_S, rate * HOLD_S
        self._look, self._slack = rate * LOOK_S, rate * SLACK_S
        self._placed = bytearray()
        """Audio that has its place and was not taken yet."""
        self._end = 0
        """The time at which it ends."""
        self._fresh = bytearray()
        """Audio after a pause, which has no place yet."""
        self._fresh_at = math.inf
        self._runs_on = False
        """``True`` if what comes next stands behind what was placed last."""
        self._least = math.inf
        self._look_at = math.inf
        self._too_much = 0
        """Samples that are left out because the phone's clock is ahead."""
        self._next_position = 0

    def add(self, at: float, position: int, audio: bytes) -> None:
        """Take audio that arrived at ``at``."""
        size = len(audio) // self._sample_bytes
        at_begin = at - max(0.0, size - self._tick)
        expected, self._next_position = self._next_position, position + size * self._sample_bytes
        if position != expected:
            lost = (position - expected) // self._sample_bytes
            audio = self._format.silence_of(lost) + audio
            at_begin, size = at_begin - lost, size + lost
        if self._runs_on:
            late = at_begin - self._end
            if late <= self._gap:
                if late >= -self._gap:
                    self._append(audio, size, late)
                return
            self._runs_on = False
        self._keep(at, at_begin, audio)

    def take(self, upto: int) -> bytes:
        """Return what comes next, up to ``upto``; silence where nothing was said."""
        if self._fresh and self._fresh_at < upto:
            self._place()
        if (missing := upto - self._end) > 0:
            self._placed += self._format.silence_of(missing)
            self._end = upto
            self._runs_on = False
        size = len(self._placed) - (self._end - upto) * self._sample_bytes
        taken = bytes(self._placed[:size])
        del self._placed[:size]
        return taken

    def _keep(self, at: float, at_begin: float, audio: bytes) -> None:
        """Keep audio after a pause: the frames that follow may show that it was late."""
        if self._fresh and at_begin > self._fresh_end + self._gap:
            self._place()
            self._runs_on = False
        if not self._fresh:
            self._fresh_at = at_begin
        self._fresh_at = min(self._fresh_at, at_begin - len(self._fresh) // self._sample_bytes)
        self._fresh += audio
        if at > self._fresh_at + self._hold:
            self._place()

    @property
    def _fresh_end(self) -> float:
        return self._fresh_at + len(self._fresh) // self._sample_bytes

    def _place(self) -> None:
        begin = round(self._fresh_at)
        if (pause := begin - self._end) > 0:
            self._placed += self._format.silence_of(pause)
            self._end = begin
        else:
            del self._fresh[: -pause * self._sample_bytes]
        self._placed += self._fresh
        self._end += len(self._fresh) // self._sample_bytes
        self._fresh = bytearray()
        self._fresh_at = math.inf
        self._runs_on = True
        self._least, self._look_at, self._too_much = math.inf, self._end + self._look, 0

    def _append(self, audio: bytes, size: int, late: float) -> None:
        if self._too_much:
            left_out = min(self._too_much, size)
            self._too_much -= left_out
            audio, size, late = audio[left_out * self._sample_bytes :], size - left_out, late + left_out
        if late < self._least:
            self._least = late
        self._placed += audio
        self._end += size
        if self._end >= self._look_at:
            self._follow_drift()

    def _follow_drift(self) -> None:
        """Add or leave out what the phone's clock is behind or ahead of ours."""
        drift = round(self._least)
        if drift > self._slack:
            self._placed += self._format.silence_of(drift) if drift > self._tick else self._last(drift)
            self._end += drift
        elif drift < -self._slack:
            self._too_much = -drift
        self._least, self._look_at = math.inf, self._end + self._look

    def _last(self, samples: int) -> bytes:
        """Return the last samples once more, which is heard less than silence between them."""
        again = bytes(self._placed[-samples * self._sample_bytes :])
        return again + self._format.silence_of(samples - len(again) // self._sample_bytes)
