"""The meaning of the caller's keys on a line. Pure.

A key belongs, in this order, to what is keyed in confidence, to a question that a key answers, to the end of a manual
turn, to an action of its own where no digits came before it, and to the digits that the model is given. The first two
are ``tools``; the conversation asks there first.
"""

from gateway.call import notes
from gateway.call.history.entries import keys_text
from gateway.call.leaving import LeaveCall
from gateway.call.settings import CallSettings, KeyAction
from gateway.call.speaking.responses import ANSWER, Request
from gateway.voice.commands import AddMessage, CommitTurn

DIGITS_LIMIT = 64
"""More keys than anybody has to enter; then they are given to the model as they are."""

KeyCommand = CommitTurn | AddMessage | Request | LeaveCall | notes.DigitsEntered


class Keypad:
    """Follows the caller's keys. Times are in seconds."""

    def __init__(self, settings: CallSettings) -> None:
        self._settings = settings
        self._digits = ""
        self._by = 0.0

    @property
    def collecting(self) -> bool:
        """``True`` if the caller is in the middle of keying something in."""
        return bool(self._digits)

    def interrupts(self, digit: str) -> bool:
        """Return ``True`` if the key means something here, so that the bot falls silent for it."""
        if self.collecting:
            return True
        settings = self._settings
        is_digit = settings.digits is not None and not self.finishes(digit)
        return digit == settings.commit_on or digit in settings.on_key or is_digit

    def finishes(self, digit: str) -> bool:
        """Return ``True`` for the key that ends what is keyed in; without digits before it, it means nothing."""
        return self._settings.digits is not None and digit == self._settings.digits.finish_on

    def press(self, digit: str, now: float) -> list[KeyCommand]:
        """Take a key that answers nothing else."""
        if digit == self._settings.commit_on:
            return [CommitTurn()]
        if not self._digits and digit in self._settings.on_key:
            return self._act(self._settings.on_key[digit])
        return self._collect(digit, now)

    def next_deadline(self) -> float | None:
        """Return when ``on_deadline`` is due; ``None`` if nothing is."""
        return self._by if self._digits else None

    def on_deadline(self, now: float) -> list[KeyCommand]:
        """Give the model the digits if the pause after the last one is over."""
        return self._entered() if self._digits and now >= self._by else []

    def _act(self, action: KeyAction) -> list[KeyCommand]:
        if action.say is not None:
            return [action.say]
        return [LeaveCall(action.transfer), *([action.transfer.announce] if action.transfer else [])]

    def _collect(self, digit: str, now: float) -> list[KeyCommand]:
        rule = self._settings.digits
        if rule is None:
            return []
        if digit == rule.finish_on:
            return self._entered() if self._digits else []
        self._digits += digit
        self._by = now + rule.pause_s
        return self._entered() if len(self._digits) >= DIGITS_LIMIT else []

    def _entered(self) -> list[KeyCommand]:
        digits, self._digits = self._digits, ""
        return [notes.DigitsEntered(digits), AddMessage("user", keys_text(digits)), ANSWER]
