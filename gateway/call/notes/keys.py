"""The notes of the caller's keys. Pure."""

from typing import Literal

from gateway.call.notes.note import Note


class DigitPressed(Note, frozen=True):
    """Made when the caller presses a key that is not secret."""

    digit: str


class DigitIgnored(Note, frozen=True):
    """Made behind ``DigitPressed`` for a key that means nothing on the line."""

    digit: str


class DigitsEntered(Note, frozen=True):
    """Made when keys are sent to the model as one message."""

    digits: str


class DigitsSent(Note, frozen=True):
    """Made when the provider has dialled the digits of ``send_digits``."""


class SecureEntryStarted(Note, frozen=True):
    """Made when the caller is to key in a secret parameter of a function."""

    tool: str
    parameter: str


class SecureEntryEnded(Note, frozen=True):
    """Made when that parameter is complete, when the caller keyed nothing in time, or when the call ends before."""

    tool: str
    parameter: str
    outcome: Literal["entered", "nothing", "abandoned"]
