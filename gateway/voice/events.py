"""The events of the voice leg (Voice Live API reference 2026-07-15, server events)."""

import enum
from collections.abc import Mapping
from typing import Any

from msgspec import Struct


class SessionReady(Struct, frozen=True):
    """The service has accepted our session settings: the call can be answered."""

    session_id: str
    model: str
    lasts_s: float = 0.0
    """Seconds from now until the session expires, as the service reports it; 0 if it does not."""
    conversation_id: str = ""
    """The conversation of an agent, with which another session can go on; empty if the service names none."""
    voice: str = ""
    """The type of its voice, such as ``openai``, ``azure-standard`` or ``azure-custom``; empty if it names none."""
    turn_detection: Mapping[str, Any] | None = None
    """The session's turn detection, as it was sent and accepted; ``None`` if the caller's turns are ended by hand."""


class CallerSpoke(Struct, frozen=True):
    """The service detects that the caller starts to speak (``input_audio_buffer.speech_started``)."""

    item_id: str


class CallerPaused(Struct, frozen=True):
    """The service judges the caller's turn to be over (``input_audio_buffer.speech_stopped``)."""

    item_id: str


class TurnCommitted(Struct, frozen=True):
    """The caller's turn is part of the conversation (``input_audio_buffer.committed``)."""

    item_id: str


class CallerPartlySaid(Struct, frozen=True):
    """A piece of the caller's words, before the whole turn is transcribed (``….input_audio_transcription.delta``)."""

    item_id: str
    text: str
    """The words behind those that have come so far."""


class CallerSaid(Struct, frozen=True):
    """The caller's words, as transcribed; may come long after the turn, twice, empty, or never."""

    item_id: str
    text: str


class TranscriptionFailed(Struct, frozen=True):
    """A turn of the caller was not transcribed (``conversation.item.input_audio_transcription.failed``)."""

    item_id: str
    code: str = ""
    detail: str = ""


class ResponseStarted(Struct, frozen=True):
    """The service works on a response (``response.created``)."""

    response_id: str
    request_id: str = ""
    """The id of our request; empty for a response that the service began by itself."""


class ReplyAudio(Struct, frozen=True, gc=False):
    """A piece of a reply's voice, in the call's format; any length, and many times faster than real time."""

    response_id: str
    item_id: str
    audio: bytes


class ReplyText(Struct, frozen=True):
    """A piece of a reply's text (``response.audio_transcript.delta``); the text comes ahead of the audio."""

    response_id: str
    item_id: str
    text: str


class WordSpoken(Struct, frozen=True):
    """A word of a reply ends at this time of its audio (``response.audio_timestamp.delta``); Azure voices only."""

    response_id: str
    item_id: str
    word: str
    end_ms: int


class ReplySaid(Struct, frozen=True):
    """The whole text of a reply, complete before the caller has heard it."""

    response_id: str
    item_id: str
    text: str


WordEvent = ReplyText | WordSpoken | ReplySaid
"""The events that bring words of a reply."""


class ReplyComplete(Struct, frozen=True):
    """All audio of this reply has been delivered."""

    response_id: str
    item_id: str


class ToolCalled(Struct, frozen=True):
    """The model calls a function; ``arguments`` is JSON text as the model wrote it."""

    response_id: str
    call_id: str
    name: str
    arguments: str


class ToolsRequested(Struct, frozen=True):
    """The service asks an MCP server for its tools; ``item_id`` names the question, ``server`` is the label."""

    item_id: str
    server: str


class ToolsListed(Struct, frozen=True):
    """The question of ``ToolsRequested`` is answered; ``failed`` where the service got no tools."""

    item_id: str
    failed: bool = False


class McpCalled(Struct, frozen=True):
    """The service has a tool of an MCP server run; ``item_id`` names the call.

    The arguments are left out: they are what the caller said.
    """

    item_id: str
    server: str
    tool: str


class McpReturned(Struct, frozen=True):
    """A tool of an MCP server is done; may be reported twice, and after the response that called it has ended."""

    item_id: str
    failed: bool = False


class ApprovalRequested(Struct, frozen=True):
    """The service waits for an approval that an MCP server's tool may run (``mcp_approval_request``)."""

    request_id: str
    server: str
    tool: str


class ResponseStatus(enum.StrEnum):
    """The ways in which a response ends (``response.done``)."""

    COMPLETED = "completed"
    CANCELLED = "cancelled"
    INCOMPLETE = "incomplete"
    FAILED = "failed"


class Tokens(Struct, frozen=True):
    """The tokens of one response, by kind; those from the cache are part of those of their kind."""

    input_text: int = 0
    input_audio: int = 0
    input_image: int = 0
    cached_text: int = 0
    cached_audio: int = 0
    cached_image: int = 0
    output_text: int = 0
    output_audio: int = 0


class ResponseEnded(Struct, frozen=True):
    """The service has completed a response; the caller may hear it for a long time yet."""

    response_id: str
    status: ResponseStatus
    detail: str = ""
    """The service's reason, empty for a completed response."""
    tokens: Tokens | None = None
    """The response's tokens; ``None`` if the service does not report them."""


class ServiceError(Struct, frozen=True):
    """The service refused one of our messages; the session goes on."""

    code: str
    message: str
    event_id: str = ""
    """The id of the refused message, where we gave it one."""
    param: str = ""
    """The member that was refused, such as ``session.voice``."""


class ServiceWarning(Struct, frozen=True):
    """The service sent a warning for the operator; nothing was refused."""

    code: str
    message: str


class UnknownEvent(Struct, frozen=True):
    """A message of a kind that this version does not know; counted."""

    kind: str


class MalformedEvent(Struct, frozen=True):
    """A message that breaks the protocol; counted."""

    detail: str


class VoiceEnd(enum.StrEnum):
    """The ways in which the voice leg ends."""

    CLOSED = "closed"
    """We closed the session."""
    LOST = "lost"
    """The service closed it, or the connection broke."""
    STALLED = "stalled"
    """The service stopped reading what we sent."""
    UNREACHABLE = "unreachable"
    """No session was opened: no answer in time, or no connection."""
    REFUSED = "refused"
    """The service refused the connection (a wrong key, a missing role, a quota) or the session's settings."""


class VoiceClosed(Struct, frozen=True):
    """The closing event: the last of every voice leg, exactly once."""

    end: VoiceEnd
    detail: str = ""
    passes: bool = False
    """``True`` if a session that was not opened may be opened a moment later: a quota, the service's own trouble."""
    close_code: int = 0
    """The code of the service's close frame (``ConnectionClosed`` of the SDK); 0 without one: the connection broke, or
    there was none (``ConnectionError``)."""


VoiceEvent = (
    SessionReady
    | CallerSpoke
    | CallerPaused
    | TurnCommitted
    | CallerPartlySaid
    | CallerSaid
    | TranscriptionFailed
    | ResponseStarted
    | ReplyAudio
    | WordEvent
    | ReplyComplete
    | ToolCalled
    | ToolsRequested
    | ToolsListed
    | McpCalled
    | McpReturned
    | ApprovalRequested
    | ResponseEnded
    | ServiceError
    | ServiceWarning
    | UnknownEvent
    | MalformedEvent
    | VoiceClosed
)
