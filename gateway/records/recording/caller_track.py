"""The caller's audio on the call's clock: jitter taken out, pauses filled, the drift of the phone's clock followed.

A frame stands where it arrived; of one that is longer than 20 ms, the last 20 ms do. Frames that come one after the
other are put one behind the other, however their arrival varies. The one of them that was the least late says where
they all belong.
"""

import math

from gateway.audio.formats import AudioFormat
from gateway.records.recording.entries import HOLD_S
from gateway.records.recording.heard import Frames

TICK_S = 0.02
GAP_S = 0.4
"""Audio that comes later than this after its moment follows a pause; what is earlier by as much is let go."""
LOOK_S = 2.0
"""So often the drift of the phone's clock is looked at."""
SLACK_S = 0.005
"""A smaller drift is left alone."""


class CallerTrack:
    """Places what arrives; ``take`` returns it. Times are in samples since ``started_at``, which is in seconds."""

    def __init__(self, audio_format: AudioFormat, started_at: float = 0.0) -> None:
        self._started_at = started_at
        self._format = audio_format
        self._sample_bytes = audio_format.sample_bytes
        self._rate = rate = audio_format.rate_hz
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

    def add(self, heard: Frames) -> None:
        """Take frames, in the order of their arrival."""
        if self._add_run(heard):
            return
        started_at, rate, begin = self._started_at, self._rate, 0
        for at, size in zip(heard.at, heard.sizes, strict=True):
            self._add((at - started_at) * rate, heard.audio[begin : begin + size])
            begin += size

    def _add_run(self, heard: Frames) -> bool:
        """Do what ``_add`` does for each frame, at once, and return ``True``, if none of them is special."""
        end, gap, least, sample_bytes = self._end, self._gap, self._least, self._sample_bytes
        is_usual = self._runs_on and not self._too_much and max(heard.sizes) <= self._tick * sample_bytes
        if not is_usual or end + len(heard.audio) // sample_bytes >= self._look_at:
            return False
        started_at, rate = self._started_at, self._rate
        for at, size in zip(heard.at, heard.sizes, strict=True):
            late = (at - started_at) * rate - end
            if not -gap <= late <= gap:
                return False
            if late < least:
                least = late
            end += size // sample_bytes
        self._placed += heard.audio
        self._end, self._least = end, least
        return True

    def _add(self, at: float, audio: bytearray) -> None:
        size = len(audio) // self._sample_bytes
        at_begin = at if size <= self._tick else at - size + self._tick
        late = at_begin - self._end
        if not self._runs_on or late > self._gap:
            self._runs_on = False
            self._keep(at, at_begin, audio)
        elif late >= -self._gap:
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

    def take(self, upto: int) -> bytearray:
        """Return what comes next, up to ``upto``; silence where nothing was said."""
        if self._fresh and self._fresh_at < upto:
            self._place()
        if (missing := upto - self._end) > 0:
            self._placed += self._format.silence_of(missing)
            self._end = upto
            self._runs_on = False
        size = len(self._placed) - (self._end - upto) * self._sample_bytes
        taken = self._placed[:size]
        del self._placed[:size]
        return taken

    def _keep(self, at: float, at_begin: float, audio: bytearray) -> None:
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
