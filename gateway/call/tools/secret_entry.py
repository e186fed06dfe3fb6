"""Digits that the caller keys in confidence: they reach the function that needs them, and nobody else. Pure."""

from collections.abc import Sequence
from typing import Literal

from gateway.call import notes
from gateway.call.errands import KeyedDigits
from gateway.call.settings import Secret
from gateway.call.speaking.responses import Request
from gateway.voice.events import ToolCalled

DIGITS = frozenset("0123456789")
MOST_DIGITS = 64
"""So many end a parameter for which no length was set, and no length is greater."""


class SecretEntry:
    """Collects the secret parameters of one function call, one after the other. Times are in seconds."""

    def __init__(self, call: ToolCalled, secrets: Sequence[Secret], now: float) -> None:
        self.call = call
        self.values: dict[str, KeyedDigits] = {}
        """The digits so far, by parameter."""
        self._left = list(secrets)
        self._digits = ""
        self._prompted = False
        self._by = 0.0
        self.wait(now)

    @property
    def secret(self) -> Secret:
        """The parameter that is being keyed in."""
        return self._left[0]

    def started_note(self) -> notes.SecureEntryStarted:
        """Note that the parameter is to be keyed in."""
        return notes.SecureEntryStarted(self.call.name, self.secret.digits.parameter)

    def ended_note(self, outcome: Literal["entered", "nothing", "abandoned"]) -> notes.SecureEntryEnded:
        """Note what became of the parameter, without a digit of it."""
        return notes.SecureEntryEnded(self.call.name, self.secret.digits.parameter, outcome)

    @property
    def complete(self) -> bool:
        """``True`` if nothing is left to key in."""
        return not self._left

    def next_deadline(self) -> float:
        """Return when the entry ends by itself."""
        return self._by

    @property
    def begun(self) -> bool:
        """``True`` if there is a digit of the parameter."""
        return bool(self._digits)

    def prompt(self) -> Request | None:
        """Return the prompt, once, and not for a caller who has begun."""
        if self._prompted or self._digits:
            return None
        self._prompted = True
        return self.secret.prompt

    def wait(self, now: float) -> None:
        """Give the caller all the time again to begin: the bot was still asking."""
        self._by = now + self.secret.digits.timeout_s

    def counts(self, digit: str) -> bool:
        """``True`` if a key is part of the entry, or ends it."""
        return digit in DIGITS or (digit == self.secret.digits.finish_on and self.begun)

    def unsaid(self) -> None:
        """Say the prompt again, because it was not heard."""
        self._prompted = False

    def press(self, digit: str, now: float) -> bool:
        """Take a key; return ``True`` if it completes the parameter."""
        rule = self.secret.digits
        if digit == rule.finish_on:
            return bool(self._digits)
        if digit in DIGITS:
            self._digits += digit
            self._by = now + rule.pause_s
        return len(self._digits) >= (rule.length or MOST_DIGITS)

    def keep(self, now: float) -> None:
        """Keep what was keyed in, and go on to the next parameter."""
        self.values[self.secret.digits.parameter] = KeyedDigits(self._digits)
        self._digits, self._prompted = "", False
        del self._left[0]
        if self._left:
            self.wait(now)
