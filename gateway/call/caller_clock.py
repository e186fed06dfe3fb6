"""The caller's audio on the call's clock: pauses filled, late audio let go, and no more of it than real time. Pure.

A phone that is muted, on hold or suppresses silence sends no frames, and the service ends a turn only by silence that
it receives. So the time that a pause takes is filled with silence. What comes late all the same, in a burst after the
pause, has its time already: it is let go as far as silence stands in its place, and no time is counted twice.
"""

from gateway.audio.formats import AudioFormat

JITTER_S = 0.4
"""Audio may be this late or early: a shorter gap is the network's, and the audio that made it comes after it."""
STEP_S = 0.1
"""A pause is filled in pieces of this length, once it is longer than the jitter."""
FILL_LIMIT_S = 2.0
"""No piece is longer: what is missing beyond it, because the process stood still, is not made up."""
LATENESS_S = 0.05
"""A deadline that is met later than this says that the process stood still: frames that wait are to be read first."""
BURST_S = 1.0
"""Audio that has come in time for so long after a pause is not late any more."""
TOLD_PAUSE_S = 1.0
"""A pause of the stream that is worth a note; a shorter one is the network's."""
AHEAD_LIMIT_S = 10.0
"""A caller's audio may be this much more than real time; nobody speaks faster."""
PIECE_MS = 2
"""A piece of audio counts for no less: each of them is a message to the service."""
KEY_S = 0.05
"""The least time that a key takes (ITU-T Q.24: 40 ms of tone, and a pause)."""


class CallerClock:
    """Counts the audio of one caller. Times are in seconds, sizes in bytes.

    ``count`` is called fifty times a second: while audio comes in time it compares, and calculates nothing.
    """

    def __init__(self, audio_format: AudioFormat, now: float) -> None:
        self._format = audio_format
        self._bytes_per_s = audio_format.bytes_per_ms * 1000
        self._started_at = now
        self._base = now
        self._received = 0
        self._short = 0
        self._least = audio_format.bytes_for(PIECE_MS)
        self._last_size = 0
        self._look_at = 0
        self._filled_s = 0.0
        self._resumed_at = now
        self._pause_of: float | None = None
        self.paused_s = 0.0
        """The length of the last long pause that is over; whoever notes it sets it back to 0."""
        self._due = 0.0
        self._was_late = False
        self._keys = 0
        self.last_at = now
        """The time at which audio came last."""
        self.is_flooded = False
        """Set once more audio or keys came than anybody can say or press."""

    def count(self, size: int, now: float) -> bool:
        """Count audio that has come; ``False`` where it is to be let go."""
        self.last_at = now
        self._last_size = size
        self._received += size
        return (self._received < self._look_at and size >= self._least) or self._look(size, now)

    @property
    def received_s(self) -> float:
        """Seconds of audio that came, whether or not it was let go."""
        return self._received / self._bytes_per_s

    def count_key(self, now: float) -> None:
        """Count a key."""
        self._keys += 1
        if self._keys > round((now - self._started_at + AHEAD_LIMIT_S) / KEY_S):
            self.is_flooded = True

    def next_deadline(self) -> float:
        """Return when ``on_deadline`` is due: once a gap is a pause, and then for each piece of it.

        The next piece of audio may be as long as the last one, and takes as long to come.
        """
        if self._pause_of == self.last_at:
            return self._due
        return self.last_at + self._last_size / self._bytes_per_s + JITTER_S

    def on_deadline(self, now: float) -> bytes:
        """Return the silence that is missing by ``now``."""
        due = self.next_deadline()
        if now < due:
            return b""
        if now > due + LATENESS_S and not self._was_late:
            self._was_late = True
            self._begin_pause()
            self._due = now + STEP_S / 10
            return b""
        self._was_late = False
        self._begin_pause()
        missing_s = now - self._reached
        if missing_s > FILL_LIMIT_S:
            self._base += missing_s - FILL_LIMIT_S
            missing_s = FILL_LIMIT_S
        self._due = now + STEP_S
        samples = int(missing_s * self._format.rate_hz + 0.01)
        if samples <= 0:
            return b""
        self._base += samples / self._format.rate_hz
        self._filled_s += samples / self._format.rate_hz
        self._look_at = 0
        return self._format.silence_of(samples)

    @property
    def _reached(self) -> float:
        """The time up to which there is audio, the caller's or silence."""
        return self._base + self._received / self._bytes_per_s

    def _begin_pause(self) -> None:
        """Believe a phone whose clock is not quite ours: its frames came in time until now."""
        if self._pause_of != self.last_at:
            self._pause_of = self.last_at
            reached = self._reached
            self._base += min(max(reached, self.last_at - JITTER_S), self.last_at + JITTER_S) - reached

    def _look(self, size: int, now: float) -> bool:
        """Look closely, because silence was filled in or as much came as may have come when it was looked at last."""
        allowed = int((now - self._started_at + AHEAD_LIMIT_S) * self._bytes_per_s)
        self._short += max(0, self._least - size)
        allowed -= self._short
        if self._received > allowed:
            self.is_flooded = True
            return False
        if self._pause_of is not None:
            if now - self._pause_of >= TOLD_PAUSE_S:
                self.paused_s = now - self._pause_of
            self._pause_of, self._resumed_at = None, now
        lasts_s = size / self._bytes_per_s  # so long it took to come: silence stands there already
        if self._filled_s > 0 and self._reached > now + lasts_s + JITTER_S:
            self._resumed_at = now
            self._base -= lasts_s
            self._filled_s -= lasts_s
            return False
        if self._filled_s <= 0 or now > self._resumed_at + BURST_S:
            self._filled_s, self._look_at = 0.0, allowed
        return True
