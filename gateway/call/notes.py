"""The notes of a call: one class for each kind of thing that happens, in the order of docs/operating.md. Pure.

A note is logged under the name of its class in lower case (``BargeIn`` is ``barge_in``), with its fields as they are
named here. So a class or a field that gets another name is another log event.
"""

import re
from typing import Any, ClassVar, Literal

import msgspec
from msgspec import Struct

from gateway.call.ending import EndReason

Leg = Literal["phone", "voice"]


class Note(Struct, frozen=True):
    """Something that happened in a call."""

    event: ClassVar[str] = ""
    """The name of the log event."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.event = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def fields(self) -> dict[str, object]:
        """Return the fields as JSON would hold them, by name."""
        plain: dict[str, object] = msgspec.to_builtins(self)
        return plain


# The call


class CallStarted(Note, frozen=True):
    """Made when a stream has started and its line is known; ``generation`` is the version of the line."""

    caller: str
    called: str
    generation: str


class SessionReady(Note, frozen=True):
    """Made when Voice Live has accepted the settings of the session."""

    session_id: str
    model: str


class CloseTimedOut(Note, frozen=True):
    """Made when a leg did not close in time and is dropped."""

    limit_s: float


class CallEnded(Note, frozen=True):
    """Made last, when both legs are closed; ``turns`` counts the replies that the bot began."""

    reason: EndReason
    by: str
    """One of those in ``EndCall``."""
    detail: str
    provider: str
    duration_s: float
    """Seconds since the start message, to a tenth."""
    turns: int


# What is said


class CallerPaused(Note, frozen=True):
    """Made when the service reports the end of the caller's speech."""


class CallerSaid(Note, frozen=True):
    """Made when the transcript of a turn has come, once a turn; ``item_id`` is the service's id of the turn."""

    item_id: str
    text: str


class TranscriptionFailed(Note, frozen=True):
    """Made when the service could not transcribe a turn of the caller."""

    item_id: str
    code: str
    detail: str


class ReplyStarted(Note, frozen=True):
    """Made at the first audio of a reply."""

    item_id: str
    latency_ms: int | None
    """Milliseconds since the caller paused; ``None`` if nobody had spoken before."""


class ReplySaid(Note, frozen=True):
    """Made when the transcript of a reply has come; the reply may still wait to be played."""

    item_id: str
    text: str


class ReplyHeard(Note, frozen=True):
    """Made when a reply is over, to its end or not; the caller heard ``heard_ms`` of the ``received_ms`` there were."""

    item_id: str
    heard_ms: int
    received_ms: int


class CutReply(Struct, frozen=True):
    """A reply in ``BargeIn``; the fields are those of ``ReplyHeard``."""

    item_id: str
    heard_ms: int
    received_ms: int


class BargeIn(Note, frozen=True):
    """Made when the caller interrupts: replies that were cut short, or a response that is cancelled, or both."""

    replies: list[CutReply]
    response_cancelled: bool


class SpeechIgnored(Note, frozen=True):
    """Made when speech of the caller is over and has not interrupted the bot, by the line's rules."""

    item_id: str
    reason: Literal["short", "protected"]


class PlaybackStopped(Note, frozen=True):
    """Made when the stop that follows speech of the caller has been written to the phone."""

    after_ms: float
    """Milliseconds since the service reported the speech."""


class GreetingPlayed(Note, frozen=True):
    """Made when a recorded greeting begins."""

    item_id: str


class ClosedLine(Note, frozen=True):
    """Made at the start of a call outside the hours of its line."""


class SilencePrompt(Note, frozen=True):
    """Made when a silent caller is reminded; ``count`` is the number of reminders since the caller last spoke."""

    count: int


class ResponseCutShort(Note, frozen=True):
    """Made when a response has failed, is incomplete, or was given up."""

    status: str
    """As the service reports it: ``failed``, ``incomplete`` or ``cancelled``; or our own ``given_up``."""
    detail: str


# Keys


class DigitPressed(Note, frozen=True):
    """Made when the caller presses a key that is not secret."""

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


# Tools


class ToolCalled(Note, frozen=True):
    """Made when the model calls a tool; ``call_id`` is the model's id of the call."""

    tool: str
    call_id: str


class ToolReturned(Note, frozen=True):
    """Made when the output of a call is known, and goes to the model."""

    tool: str
    call_id: str
    outcome: str
    """``ok``, ``error``, ``timeout`` or ``refused``."""
    took_ms: int


class McpListed(Note, frozen=True):
    """Made when an MCP server has listed its tools to the service, or has failed to."""

    server: str
    outcome: Literal["ok", "error"]


class McpCalled(Note, frozen=True):
    """Made when the service runs a tool of an MCP server."""

    server: str
    tool: str
    item_id: str


class McpReturned(Note, frozen=True):
    """Made when that tool is done, or is not waited for any longer; no ``item_id`` if the service never began it."""

    server: str
    tool: str
    item_id: str
    outcome: Literal["ok", "error", "timeout"]
    took_ms: int


class ApprovalAsked(Note, frozen=True):
    """Made when the caller is to be asked whether an MCP server may run a tool."""

    server: str
    tool: str


class ApprovalGiven(Note, frozen=True):
    """Made when that question is answered, for or against."""

    server: str
    tool: str
    approved: bool
    how: Literal["key", "words", "no answer", "not understood", "not asked", "limit"]


class ApprovalNotUnderstood(Note, frozen=True):
    """Made when the turn that should answer has no words."""

    server: str
    tool: str
    asked_again: bool


# Leaving


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
    """Made when the bot was about to leave the call and stays."""


class ShutDownAnnounced(Note, frozen=True):
    """Made when the gateway stops and the call leaves: after words of the bot, and to a target of the line.

    ``target`` is ``None`` where the call ends.
    """

    says: bool
    target: str | None


# Messages that are wrong


class ServiceError(Note, frozen=True):
    """Made for each error event of Voice Live."""

    code: str
    detail: str


class ServiceWarning(Note, frozen=True):
    """Made for each warning of Voice Live."""

    code: str
    detail: str


class MalformedMessage(Note, frozen=True):
    """Made for a message that breaks a protocol."""

    leg: Leg
    detail: str


class OddMessage(Note, frozen=True):
    """Made for a harmless deviation of a provider from its documentation, once a call for each."""

    leg: Leg
    detail: str


class UnknownMessage(Note, frozen=True):
    """Made for a message of an unknown kind, or of a session that is not ready."""

    leg: Leg
    message_kind: str
