"""How long nobody may speak on a line, counted from the last word that was heard. Pure."""

from gateway.call import notes
from gateway.call.ending import EndCall, EndReason
from gateway.call.notes import Note
from gateway.call.settings import CallSettings
from gateway.call.speaking.responses import Request, Responses


class SilenceTimer:
    """Minds the silence of both sides. Times are in seconds."""

    def __init__(self, settings: CallSettings, responses: Responses) -> None:
        self._rule = settings.silence
        self._responses = responses
        self._quiet_since: float | None = None
        self._prompts = 0

    def quiet(self, now: float) -> bool:
        """Nobody speaks, is heard, or is about to; ``True`` where that is new."""
        if self._quiet_since is not None:
            return False
        self._quiet_since = now
        return True

    def interrupted(self) -> None:
        """Somebody speaks, or something is awaited."""
        self._quiet_since = None

    def caller_spoke(self, item_id: str, now: float) -> None:
        """The caller begins a turn: the prompts are counted anew."""
        self._begin_again()

    def caller_pressed(self) -> None:
        """The caller presses a key, which tells as much."""
        self._begin_again()

    def _begin_again(self) -> None:
        self._quiet_since = None
        self._prompts = 0

    def next_deadline(self) -> float | None:
        """When ``on_deadline`` wants to be called."""
        if self._rule is None or self._quiet_since is None:
            return None
        return self._quiet_since + self._rule.after_s

    def on_deadline(self, now: float) -> list[Request | EndCall | Note]:
        """Speak up into the silence; where that was done often enough, end the call."""
        due = self.next_deadline()
        if self._rule is None or due is None or now < due:
            return []
        if self._prompts == self._rule.times:
            return [EndCall(EndReason.SILENCE, "caller")]
        self._prompts += 1
        self._quiet_since = None
        return [notes.SilencePrompt(self._prompts), *self._responses.want(self._rule.say, now)]
