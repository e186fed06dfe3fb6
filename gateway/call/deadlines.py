"""When a call has something due, computed again only for what may have changed. Pure."""

import math

from gateway.call.parts import Parts
from gateway.call.recovery.sessions import Sessions


class Deadlines:
    """The deadlines of a call; times in seconds. ``ends_at`` is that of its longest duration.

    Each event may change any of them, and then all are forgotten. The caller's audio, marks and more of a reply come
    many times a second and change no more than what is played: they leave the others as they are.
    """

    def __init__(self, parts: Parts, sessions: Sessions, ends_at: float) -> None:
        self._parts = parts
        self._sessions = sessions
        self.ends_at = ends_at
        self._due: float | None = None
        """The deadline of all but audio; ``None`` if it is to be computed, as below."""
        self._plays_on_at: float | None = math.inf
        """When more audio is to be sent to the phone."""
        self._caller_due: float | None = None
        """When the caller's audio is looked after, at the earliest: audio that comes puts it off."""

    @property
    def are_forgotten(self) -> bool:
        """``True`` if something happened that may have changed any of them."""
        return self._due is None

    def forget(self) -> None:
        """Compute all anew, because something has happened that may change any of them."""
        self._due = self._plays_on_at = self._caller_due = None

    def forget_playback(self) -> None:
        """Compute anew when more audio is to be sent to the phone, and nothing else."""
        self._plays_on_at = None

    def next(self) -> float:
        """Return the next deadline, or an earlier time, at which nothing is due."""
        if self._plays_on_at is None:
            at = self._parts.bot.plays_on_at()
            self._plays_on_at = math.inf if at is None else at
        if self._caller_due is None:
            self._caller_due = self._parts.caller_audio.next_deadline()
        return min(self._of_the_rest(), self._plays_on_at, self._caller_due)

    def is_due(self, now: float) -> bool:
        """Return ``True`` if anything is due; usually a pause of the stream was looked for, and frames have come."""
        self._caller_due = None
        return now >= self.next()

    def is_playback_alone(self, now: float) -> bool:
        """Return ``True`` if, of what is due, there is nothing but audio for the phone."""
        return now < self._of_the_rest() and now < self._parts.caller_audio.next_deadline()

    def _of_the_rest(self) -> float:
        if self._due is None:
            self._due = min(self.ends_at, self._parts.next_deadline(), self._sessions.due)
        return self._due
