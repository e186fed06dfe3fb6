"""The bot's audio when the caller hears it, as far as the provider confirms it; without marks, by the clock.

Audio that finds the phone silent is heard at once, and what is sent meanwhile is heard behind it: a run. A mark that
returns says by when the audio before it was heard. Marks are late by jitter but never early, so of those behind a piece
of audio the earliest counts. What the phone was asked to discard is not heard. See ``gateway.call.speaking.playback``,
which reckons the same without hindsight.
"""

from collections import deque
from dataclasses import dataclass, field

from gateway.audio.formats import AudioFormat
from gateway.phone.events import Playout
from gateway.records.recording.entries import HOLD_S

RTT_LIMIT_S = 0.5
"""A mark without audio before it that takes longer measures something else than the way there and back."""


@dataclass(slots=True)
class _Run:
    """Audio that is heard without a pause: from a position on, ``behind`` samples later than its position says."""

    start: int
    behind: float
    confirmed: deque[tuple[int, float]] = field(default_factory=deque)
    """Positions, and how much later they were heard."""
    is_over: bool = False

    def behind_at(self, position: int) -> float:
        """Return how much later than its position says a sample is heard."""
        ahead = [behind for confirmed, behind in self.confirmed if confirmed > position]
        if ahead:
            return min(ahead)
        return self.confirmed[-1][1] if self.confirmed else self.behind

    def forget(self, position: int) -> None:
        """Forget what was confirmed up to a position that has its place."""
        while len(self.confirmed) > 1 and self.confirmed[0][0] <= position:
            self.confirmed.popleft()


class BotTrack:
    """Places what is sent; ``take`` returns it. Times and positions are in samples."""

    def __init__(self, audio_format: AudioFormat, playout: Playout) -> None:
        self._format = audio_format
        self._sample_bytes = audio_format.sample_bytes
        rate = audio_format.rate_hz
        self._tick = rate * playout.tick_ms / 1000
        self._later = self._tick / 2
        """A phone plays in whole ticks: on average half of one later than it could."""
        self._hold, self._rtt_limit = round(rate * HOLD_S), rate * RTT_LIMIT_S
        self._placed = bytearray()
        self._end = 0
        """The time up to which audio has its place."""
        self._pieces: deque[tuple[int, bytes]] = deque()
        self._runs: deque[_Run] = deque()
        self._sent = 0
        self._next = -1
        """The position that is heard without a pause after what was placed; -1 after silence."""
        self._marks: dict[str, int] = {}
        self._probes: dict[str, float] = {}
        self._rtt = 0.0

    def sent(self, at: float, position: int, audio: bytes) -> None:
        """Take audio that was sent; ``position`` is that of its first sample."""
        if not audio:
            return
        self._settle(at)
        if self._is_silent(at):
            self._runs.append(_Run(position, at - position))
        self._pieces.append((position, audio))
        self._sent = position + len(audio) // self._sample_bytes

    def mark_sent(self, at: float, name: str) -> None:
        """Take a mark that was sent: behind audio, or to measure the way to the phone and back."""
        if self._is_silent(at):
            self._probes[name] = at
        else:
            self._marks[name] = self._sent

    def mark_returned(self, at: float, name: str) -> None:
        """Take a mark that came back."""
        self._settle(at)
        if (asked_at := self._probes.pop(name, None)) is not None:
            if (rtt := at - asked_at) <= self._rtt_limit:
                self._rtt = min(rtt, self._rtt) if self._rtt else rtt
            return
        position = self._marks.pop(name, None)
        run = next((run for run in reversed(self._runs) if position is not None and run.start < position), None)
        if position is None or run is None or run.is_over:
            return
        if at - position >= run.behind - self._tick:  # audio cannot be heard faster than it lasts
            run.confirmed.append((position, at - position))

    def stopped(self, at: float) -> None:
        """Leave out what the phone has not played; what was on the way there and back still was."""
        self._settle(at)
        self._marks.clear()
        self._probes.clear()
        if not self._runs:
            return
        run = self._runs[-1]
        upto = round(at + self._rtt - run.behind_at(self._sent))  # a tick that was begun is played to its end
        while self._pieces and self._pieces[-1][0] >= max(upto, run.start):
            self._pieces.pop()
        if self._pieces:
            position, audio = self._pieces[-1]
            self._pieces[-1] = (position, audio[: max(0, upto - position) * self._sample_bytes])
        run.is_over = True

    def take(self, upto: int) -> bytearray:
        """Return what comes next, up to ``upto``."""
        self._place(upto)
        size = len(self._placed) - (self._end - upto) * self._sample_bytes
        taken = self._placed[:size]
        del self._placed[:size]
        return taken

    def _settle(self, now: float) -> None:
        """Place what nothing corrects any more, by what is known before something new is taken."""
        self._place(int(now) - self._hold)

    def _is_silent(self, at: float) -> bool:
        """Return ``True`` if the caller hears nothing more of what was sent."""
        if not self._runs or self._runs[-1].is_over:
            return True
        return at >= self._sent + self._runs[-1].behind_at(self._sent)

    def _place(self, upto: int) -> None:
        while self._end < upto:
            if not self._pieces:
                self._silence(upto - self._end)
                return
            position, audio = self._pieces[0]
            while len(self._runs) > 1 and position >= self._runs[1].start:
                self._runs.popleft()
            self._runs[0].forget(position)
            early = position + self._runs[0].behind_at(position) + self._later - self._end
            if self._next == position and abs(early) <= self._tick:
                early = 0.0  # marks say no more than the tick, and audio that is joined has no click
            if early >= 1:
                self._silence(min(int(early), upto - self._end))
                continue
            size = len(audio) // self._sample_bytes
            begin = min(int(-early), size) if early <= -1 else 0
            end = min(size, begin + upto - self._end)
            self._placed += audio[begin * self._sample_bytes : end * self._sample_bytes]
            self._end += end - begin
            self._next = position + end
            if end == size:
                self._pieces.popleft()
            else:
                self._pieces[0] = (position + end, audio[end * self._sample_bytes :])

    def _silence(self, samples: int) -> None:
        self._placed += self._format.silence_of(samples)
        self._end += samples
        self._next = -1
