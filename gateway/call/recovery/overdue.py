"""A service that keeps the caller waiting: a tone first, then words, before its session counts as lost. Pure."""

import math

from gateway.call import notes
from gateway.call.parts import Parts
from gateway.call.settings import CallSettings
from gateway.call.speaking.comfort import Comfort


class Overdue:
    """Covers the wait for a sound that the service owes. Times are in seconds.

    A tone is true of a slow model too; the words of trouble are said once a try was given up.
    """

    def __init__(self, parts: Parts, comfort: Comfort, settings: CallSettings) -> None:
        self._parts = parts
        self._comfort = comfort
        self._covers = settings.trouble.tries > 0 and not settings.closed
        self._since: float | None = None
        """When the caller began to wait in silence; ``None`` while they do not."""

    @property
    def due(self) -> float:
        """When ``on_deadline`` is due."""
        return math.inf if self._since is None or self._comfort.due is None else self._comfort.due

    def look(self, now: float) -> bool:
        """Begin to wait, or end it, by what the service owes now; ``True`` if that has changed."""
        parts = self._parts
        waits = self._covers and parts.bot.responses.owes_a_sound
        if waits:
            left = parts.recovering or parts.leaving.planned or parts.leaving.transferring
            waits = not (left or parts.tools.server_at_work)
        if waits == (self._since is not None):
            return False
        if waits:
            self._since = parts.bot.ends_at(now)
            self._comfort.wait(self._since)
        else:
            self._since = None
            if not parts.recovering:  # what covered the wait covers the loss that it ended in
                self._comfort.over()
        return True

    def on_deadline(self, now: float) -> None:
        """Let the caller hear what is due."""
        if now < self.due or self._since is None:
            return
        if not self._comfort.covered_s:
            self._parts.add([notes.AnswerOverdue(round((now - self._since) * 1000))])
        if piece := self._comfort.next(now, may_speak=self._parts.bot.responses.has_failed):
            audio, words = piece
            self._parts.add(self._parts.bot.cover.play(audio, now, words=words))
