"""The commands to the voice leg (Voice Live API reference 2026-07-15, client events)."""

from collections.abc import Collection, Mapping
from typing import Any, Literal, final

from msgspec import Struct
from msgspec.structs import replace

Role = Literal["user", "assistant", "system"]


@final
class SendAudio(Struct, frozen=True, gc=False):
    """Append the caller's audio, in the call's format."""

    audio: bytes


class CommitTurn(Struct, frozen=True):
    """End the caller's turn by hand; a response follows only when asked for."""


class CreateResponse(Struct, frozen=True):
    """Let the model answer; ``instructions``, where given, replace the line's for this one response."""

    instructions: str = ""
    request_id: str = ""
    """The id that comes back with the response, and with an error that refuses it."""
    labelled: bool = True
    """``False`` leaves the id out of the response's metadata: it comes back with an error alone."""


class SayText(Struct, frozen=True):
    """Speak this text word for word, past the model, as a reply of its own."""

    text: str
    request_id: str = ""
    """The same as in ``CreateResponse``."""
    labelled: bool = True
    """The same as in ``CreateResponse``."""


def said_by_the_model(text: str, request_id: str = "") -> CreateResponse:
    """Return the request that has the model itself say a text, where nothing else speaks."""
    return CreateResponse(f"Say exactly this to the caller, word for word, and nothing else:\n{text}", request_id)


def without_members(request: CreateResponse | SayText, members: Collection[str]) -> CreateResponse | SayText:
    """Return a request without these members of its ``response``, which an older version of the API does not know."""
    if isinstance(request, SayText) and "pre_generated_assistant_message" in members:
        request = said_by_the_model(request.text, request.request_id)
    return replace(request, labelled=False) if "metadata" in members else request


class CancelResponse(Struct, frozen=True):
    """Stop the response that is being generated; an empty id means the one asked for but not yet begun."""

    response_id: str = ""


class TruncateReply(Struct, frozen=True):
    """Report to the model how much of a reply the caller heard."""

    item_id: str
    heard_ms: int


class DeleteItem(Struct, frozen=True):
    """Take an item out of the conversation, such as a turn that was an echo."""

    item_id: str


class SetTurnDetection(Struct, frozen=True):
    """Send the session's turn detection again, as the session has it."""

    turn_detection: Mapping[str, Any]


_TRUNCATION = "truncate-"


def truncation_id(item_id: str) -> str:
    """Return the ``event_id`` of the message that truncates a reply; an error that refuses it carries the id."""
    return f"{_TRUNCATION}{item_id}"


def truncated_by(event_id: str) -> str:
    """Return the item that the message with this id truncates; empty if it is another message."""
    return event_id.removeprefix(_TRUNCATION) if event_id.startswith(_TRUNCATION) else ""


class AddMessage(Struct, frozen=True):
    """Put a text into the conversation, as said by ``user``, ``assistant`` or ``system``; no response follows."""

    role: Role
    text: str


class AnswerApproval(Struct, frozen=True):
    """Allow or deny what an MCP server was asked to do (``mcp_approval_response``)."""

    request_id: str
    approved: bool


class ReturnToolOutput(Struct, frozen=True):
    """Hand a function call's result to the model."""

    call_id: str
    output: str


class SeedMessage(Struct, frozen=True):
    """Put into a new session what was said in the one before it; no response follows."""

    role: Role
    text: str


class SeedCall(Struct, frozen=True):
    """Put into a new session a function that the model called in the one before it; it is not called again."""

    call_id: str
    name: str
    arguments: str
    """JSON text, as the model wrote it."""


class SeedOutput(Struct, frozen=True):
    """Put into a new session the result of a ``SeedCall``, which must stand before it."""

    call_id: str
    output: str


SeedItem = SeedMessage | SeedCall | SeedOutput
"""The items of a call's history, with which a new session begins; the history does not take them up again."""

VoiceCommand = (
    SendAudio
    | CommitTurn
    | CreateResponse
    | SayText
    | CancelResponse
    | TruncateReply
    | DeleteItem
    | SetTurnDetection
    | AddMessage
    | AnswerApproval
    | ReturnToolOutput
    | SeedItem
)
