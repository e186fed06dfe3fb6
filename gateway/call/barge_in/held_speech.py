"""Speech that does not interrupt yet: too short so far, or over the protected beginning of a reply. Pure."""

from collections.abc import Sequence

from gateway.call.notes import SpeechIgnored
from gateway.call.settings import BargeInRules


class HeldSpeech:
    """Decides when speech of the caller interrupts a reply. Times are in seconds.

    ``reply_began`` is the time at which the caller began to hear the reply, ``None`` where nothing is heard.
    """

    def __init__(self, rules: BargeInRules) -> None:
        self._protect_s = rules.protect_ms / 1000
        self._min_speech_s = rules.min_speech_ms / 1000
        self._item_id: str | None = None
        self._long_at = 0.0
        """The time at which the speech is long enough."""
        self._due = 0.0

    @property
    def is_held(self) -> bool:
        """``True`` while the caller speaks and does not interrupt."""
        return self._item_id is not None

    def begin(self, item_id: str, now: float, reply_began: float | None, *, speaks: bool) -> bool:
        """Note that the caller begins to speak; return ``True`` if that interrupts at once.

        Where the bot neither speaks nor is about to, nothing is held.
        """
        self._item_id = None
        self._long_at = now + self._min_speech_s if speaks else now
        self._due = self._due_at(reply_began)
        if self._due > now:
            self._item_id = item_id
        return self._item_id is None

    def over(self, item_id: str, now: float) -> Sequence[SpeechIgnored]:
        """Note that the caller's speech is over: if it is held still, it does not interrupt."""
        if item_id != self._item_id:
            return ()
        self._item_id = None
        return (SpeechIgnored(item_id, "protected" if now >= self._long_at else "short"),)

    def session_lost(self) -> None:
        """Hold nothing: nobody will say when this speech is over."""
        self._item_id = None

    def next_deadline(self) -> float | None:
        """Return when ``on_deadline`` is due; ``None`` if nothing is held."""
        return None if self._item_id is None else self._due

    def on_deadline(self, now: float, reply_began: float | None) -> bool:
        """Return ``True`` if the speech that was held interrupts now."""
        if self._item_id is None or now < self._due:
            return False
        self._due = self._due_at(reply_began)  # another reply may have begun meanwhile
        if self._due > now:
            return False
        self._item_id = None
        return True

    def _due_at(self, reply_began: float | None) -> float:
        return self._long_at if reply_began is None else max(self._long_at, reply_began + self._protect_s)
