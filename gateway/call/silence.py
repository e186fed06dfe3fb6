"""The limit of silence on a line, counted from the last word that the caller heard. Pure."""

from gateway.call import notes
from gateway.call.ending import EndCall, EndReason
from gateway.call.notes import Note
from gateway.call.settings import CallSettings
from gateway.call.speaking.responses import Request


class SilenceTimer:
    """Minds the silence of both sides. Times are in seconds."""

    def __init__(self, settings: CallSettings) -> None:
        self._rule = settings.silence
        self._quiet_since: float | None = None
        self._prompts = 0

    def quiet(self, now: float) -> bool:
        """Note that nobody speaks, is heard, or is about to; return ``True`` if that is new."""
        if self._quiet_since is not None:
            return False
        self._quiet_since = now
        return True

    def interrupted(self) -> None:
        """Note that somebody speaks, or that something is awaited."""
        self._quiet_since = None

    def caller_spoke(self, item_id: str, now: float) -> None:
        """Count the prompts anew, because the caller begins a turn."""
        self._begin_again()

    def caller_pressed(self) -> None:
        """Count the prompts anew, because the caller presses a key."""
        self._begin_again()

    def _begin_again(self) -> None:
        self._quiet_since = None
        self._prompts = 0

    def next_deadline(self) -> float | None:
        """Return when ``on_deadline`` is due; ``None`` if nothing is."""
        if self._rule is None or self._quiet_since is None:
            return None
        return self._quiet_since + self._rule.after_s

    def on_deadline(self, now: float) -> list[Request | EndCall | Note]:
        """Ask for the prompt; end the call if it was said often enough."""
        due = self.next_deadline()
        if self._rule is None or due is None or now < due:
            return []
        if self._prompts == self._rule.times:
            return [EndCall(EndReason.SILENCE, "caller")]
        self._prompts += 1
        self._quiet_since = None
        return [notes.SilencePrompt(self._prompts), self._rule.say]
