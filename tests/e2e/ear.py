"""What a simulated phone really played, remembered; and whether it kept time while it did."""

from collections import deque

from gateway.audio.formats import AudioFormat
from gateway.sim.playout import LIMIT_MS, Playout


class KeepingPlayout(Playout):
    """A playout buffer that remembers every byte that it was ever given."""

    def __init__(self, audio_format: AudioFormat, *, limit_ms: int = LIMIT_MS) -> None:
        super().__init__(audio_format, limit_ms=limit_ms)
        self.stream = bytearray()

    def add(self, audio: bytes) -> bool:
        taken = super().add(audio)
        if taken:
            self.stream += audio
        return taken


class Punctuality:
    """How late the frames of all phones were lately.

    A loop that stood still makes the phones late, and their count of what was played is no measure then.
    """

    def __init__(self) -> None:
        self._ticks: deque[tuple[float, float]] = deque()
        self.excused = 0

    def ticked(self, at: float, late_s: float) -> None:
        """Take note of a frame of any phone."""
        self._ticks.append((at, late_s))
        while self._ticks[0][0] < at - 10.0:
            self._ticks.popleft()

    def worst_ms(self, since: float) -> float:
        """By how much the latest frame since then was late."""
        return 1000 * max((late_s for at, late_s in self._ticks if at >= since), default=0.0)

    def kept(self, since: float) -> bool:
        """Whether no frame was late since then, by as much as would be seen in the measure."""
        kept = all(late_s < 0.008 for at, late_s in self._ticks if at >= since)
        self.excused += not kept
        return kept
