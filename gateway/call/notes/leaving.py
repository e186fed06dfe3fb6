"""The notes of transfers, and of a call that is about to end. Pure."""

from typing import Literal

from gateway.call.notes.note import Note


class TransferStarted(Note, frozen=True):
    """Made when the provider is asked to transfer the caller; ``target`` is the name of a target of the line."""

    target: str


class Transferred(Note, frozen=True):
    """Made when the provider has taken the caller over."""

    target: str


class TransferFailed(Note, frozen=True):
    """Made when the provider could not transfer the caller."""

    target: str
    detail: str


class HangUpCancelled(Note, frozen=True):
    """Made when the bot was about to leave the call and stays.

    ``target`` is the name of a target of the line, ``None`` where the call was to end.
    """

    target: str | None
    asked_by: Literal["model", "key"]


class ShutDownAnnounced(Note, frozen=True):
    """Made when the gateway stops and the call leaves: after words of the bot, and to a target of the line.

    ``target`` is ``None`` where the call ends.
    """

    says: bool
    target: str | None


class OperatorActed(Note, frozen=True):
    """Made when somebody ends the call in the console, or transfers it to a target of the line.

    ``target`` is ``None`` where the call ends.
    """

    target: str | None
