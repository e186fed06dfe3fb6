"""Translates between Voice Live's JSON text and events and commands (API reference 2026-07-15). Pure.

Client messages are made by the SDK's own models, except for the caller's audio: fifty times a second a model costs
more than the rest of the way. Server messages are read without models for the same reason, and because the service
sends members and kinds that the models do not know.
"""

from binascii import Error as Base64Error
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, assert_never

import msgspec
from azure.ai.voicelive import models
from pybase64 import b64decode, b64encode

from gateway.errors import WireError
from gateway.text import json_text
from gateway.voice.commands import (
    AddMessage,
    AnswerApproval,
    CancelResponse,
    CommitTurn,
    CreateResponse,
    DeleteItem,
    ReturnToolOutput,
    Role,
    SayText,
    SeedCall,
    SeedItem,
    SeedMessage,
    SeedOutput,
    SendAudio,
    SetTurnDetection,
    TruncateReply,
    VoiceCommand,
    truncation_id,
)
from gateway.voice.events import (
    ApprovalRequested,
    CallerPartlySaid,
    CallerPaused,
    CallerSaid,
    CallerSpoke,
    McpCalled,
    McpReturned,
    ReplyAudio,
    ReplyComplete,
    ReplySaid,
    ReplyText,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    ServiceError,
    ServiceWarning,
    SessionReady,
    Tokens,
    ToolCalled,
    ToolsListed,
    ToolsRequested,
    TranscriptionFailed,
    TurnCommitted,
    UnknownEvent,
    VoiceEvent,
    WordSpoken,
)

SESSION_UPDATE_ID = "session"
"""The ``event_id`` of our first ``session.update``; errors that refuse it carry it."""

TURN_DETECTION_ID = "turn_detection"
"""That of an update of the turn detection alone."""

REQUEST_KEY = "request_id"
"""The key of a response's metadata under which our request's id comes back."""

APPEND: Final = b'{"type":"input_audio_buffer.append","audio":"'
_base64: Final = b64encode  # compiled, a Final is found without a look into the module's dictionary
Message = Mapping[str, Any]


def encode(command: VoiceCommand) -> bytes:
    """Return the JSON text that carries the command, in UTF-8."""
    if isinstance(command, SendAudio):
        return append(command.audio)
    if isinstance(command, SetTurnDetection):  # the SDK's models refuse members that the service documents
        return session_update({"turn_detection": command.turn_detection}, TURN_DETECTION_ID).encode()
    return json_text(_model(command).as_dict()).encode()


def append(audio: bytes) -> bytes:
    """Return the JSON text that carries the caller's audio."""
    return APPEND + _base64(audio) + b'"}'


def session_update(session: Mapping[str, Any], event_id: str = SESSION_UPDATE_ID) -> str:
    """Return the JSON text of ``session.update`` with a complete session."""
    return json_text({"type": "session.update", "event_id": event_id, "session": dict(session)})


def _model(
    command: CommitTurn
    | CreateResponse
    | SayText
    | CancelResponse
    | TruncateReply
    | DeleteItem
    | AddMessage
    | AnswerApproval
    | ReturnToolOutput
    | SeedItem,
) -> models.ClientEvent:
    match command:
        case CommitTurn():
            return models.ClientEventInputAudioBufferCommit()
        case CreateResponse(instructions=instructions):
            asked = models.ResponseCreateParams(instructions=instructions) if instructions else None
            return _response_create(asked, command)
        case SayText(text=text):
            said = models.AssistantMessageItem(content=[models.OutputTextContentPart(text=text)])
            return _response_create(models.ResponseCreateParams(pre_generated_assistant_message=said), command)
        case CancelResponse(response_id=response_id):
            return models.ClientEventResponseCancel(response_id=response_id or None)
        case TruncateReply(item_id=item_id, heard_ms=heard_ms):
            return models.ClientEventConversationItemTruncate(
                event_id=truncation_id(item_id), item_id=item_id, content_index=0, audio_end_ms=heard_ms
            )
        case DeleteItem(item_id=item_id):
            return models.ClientEventConversationItemDelete(item_id=item_id)
        case AddMessage(role=role, text=text) | SeedMessage(role=role, text=text):
            return models.ClientEventConversationItemCreate(item=_message(role, text))
        case AnswerApproval(request_id=request_id, approved=approved):
            return models.ClientEventConversationItemCreate(
                item=models.MCPApprovalResponseRequestItem(approval_request_id=request_id, approve=approved)
            )
        case SeedCall(call_id=call_id, name=name, arguments=arguments):
            return models.ClientEventConversationItemCreate(
                item=models.FunctionCallItem(call_id=call_id, name=name, arguments=arguments)
            )
        case ReturnToolOutput(call_id=call_id, output=output) | SeedOutput(call_id=call_id, output=output):
            return models.ClientEventConversationItemCreate(
                item=models.FunctionCallOutputItem(call_id=call_id, output=output)
            )
        case _:
            assert_never(command)


def _message(role: Role, text: str) -> models.MessageItem:
    match role:
        case "assistant":
            return models.AssistantMessageItem(content=[models.OutputTextContentPart(text=text)])
        case "system":
            return models.SystemMessageItem(content=[models.InputTextContentPart(text=text)])
        case "user":
            return models.UserMessageItem(content=[models.InputTextContentPart(text=text)])


def _response_create(
    asked: models.ResponseCreateParams | None, command: CreateResponse | SayText
) -> models.ClientEvent:
    """Return the message with the id in it twice: errors return the event's id, ``response.created`` the metadata."""
    if command.request_id and command.labelled:
        asked = asked or models.ResponseCreateParams()
        asked.metadata = {REQUEST_KEY: command.request_id}
    return models.ClientEventResponseCreate(event_id=command.request_id or None, response=asked)


def decode(text: str | bytes) -> Sequence[VoiceEvent]:
    """Return the events of a server message; raise ``WireError`` for no JSON object or a missing or wrong member."""
    return events_of(parse(text))


def parse(text: str | bytes) -> Message:
    """Return a server message. Raises ``WireError`` for what is no JSON object."""
    try:
        message = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise WireError(f"not JSON: {error}") from None
    if not isinstance(message, dict):
        raise WireError(f"expected a JSON object, got {type(message).__name__}")
    return message


def events_of(message: Message) -> Sequence[VoiceEvent]:
    """Return the events of a server message. Raises ``WireError`` for a missing or wrong member."""
    kind = message.get("type")
    if not isinstance(kind, str):
        raise WireError("a message without a type")
    read = _READERS.get(kind)
    if read is None:
        return () if kind in _UNREAD else (UnknownEvent(kind[:60]),)
    try:
        return read(message)
    except KeyError as error:
        raise WireError(f"{kind} lacks {error}") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise WireError(f"{kind}: {error}") from None


def _text(message: Message, key: str) -> str:
    value = message[key]
    if not isinstance(value, str):
        raise TypeError(f"{key} is {type(value).__name__}, expected text")
    return value


def _session_ready(message: Message) -> Sequence[VoiceEvent]:
    session = message["session"]
    named = str(session.get("id") or ""), str(session.get("model") or "")
    voice = _voice_type(session.get("voice"))
    return (SessionReady(*named, conversation_id=_conversation_of(session), voice=voice),)


def _voice_type(voice: object) -> str:
    """Return the type of a session's voice; a voice of OpenAI may be a name alone."""
    if isinstance(voice, Mapping):
        return str(voice.get("type") or "")
    return "openai" if isinstance(voice, str) and voice else ""


def _conversation_of(session: Message) -> str:
    """Return the conversation of the agent that answers; empty for a model, or where the service names none."""
    agent = session.get("agent")
    return str(agent.get("thread_id") or "") if isinstance(agent, Mapping) else ""


def expires_at(session: Message) -> float:
    """Return the Unix time at which a session expires, as ``session.updated`` has it; 0 where it has none."""
    value = session.get("expires_at")
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def _transcription_failed(message: Message) -> Sequence[VoiceEvent]:
    error = message.get("error") or {}
    code, detail = str(error.get("code") or error.get("type") or ""), str(error.get("message") or "")
    return (TranscriptionFailed(_text(message, "item_id"), code, detail),)


def _audio(message: Message) -> Sequence[VoiceEvent]:
    try:
        audio = b64decode(_text(message, "delta"), validate=True)
    except Base64Error as error:
        raise ValueError(f"delta is not base64: {error}") from None
    return (ReplyAudio(_text(message, "response_id"), _text(message, "item_id"), audio),)


def _word_spoken(message: Message) -> Sequence[VoiceEvent]:
    end_ms = message["audio_offset_ms"] + message["audio_duration_ms"]
    if not isinstance(end_ms, int):
        raise TypeError(f"the end of a word is {type(end_ms).__name__}, expected whole milliseconds")
    return (WordSpoken(_text(message, "response_id"), _text(message, "item_id"), _text(message, "text"), end_ms),)


def _tool_called(message: Message) -> Sequence[VoiceEvent]:
    item = message["item"]
    if item.get("type") != "function_call" or item.get("status") == "incomplete":
        return ()
    return (
        ToolCalled(
            _text(message, "response_id"), _text(item, "call_id"), _text(item, "name"), str(item.get("arguments") or "")
        ),
    )


def _item_created(message: Message) -> Sequence[VoiceEvent]:
    """Return the events of an item of an MCP server; every other item has an event of its own."""
    item = message["item"]
    match item.get("type"):
        case "mcp_list_tools":
            return (ToolsRequested(_text(item, "id"), _text(item, "server_label")),)
        case "mcp_call":
            return (McpCalled(_text(item, "id"), _text(item, "server_label"), _text(item, "name")),)
        case "mcp_approval_request":
            return (ApprovalRequested(_text(item, "id"), _text(item, "server_label"), _text(item, "name")),)
    return ()


def _response_ended(message: Message) -> Sequence[VoiceEvent]:
    response = message["response"]
    details = response.get("status_details") or {}
    error = details.get("error") or {}
    detail = error.get("message") or error.get("code") or details.get("reason") or ""
    try:
        status = ResponseStatus(response["status"])
    except ValueError:  # a status that this version does not know: the response is over all the same
        status, detail = ResponseStatus.FAILED, f"status {response['status']}: {detail}"
    response_id = _text(response, "id")
    try:
        return (ResponseEnded(response_id, status, str(detail), tokens_of(response.get("usage"))),)
    except TypeError:  # the response is over all the same
        return ResponseEnded(response_id, status, str(detail)), UnknownEvent("usage of a response")


def tokens_of(usage: object) -> Tokens | None:
    """Return the tokens that the service reports; ``None`` if it reports none at all.

    Tokens whose kind it does not say are text, which is the cheapest: a model of text alone has no kinds. Raises
    ``TypeError`` for a report of another shape.
    """
    if not usage:
        return None
    report = _details(usage)
    came, went = _details(report.get("input_token_details")), _details(report.get("output_token_details"))
    cached = _details(came.get("cached_tokens_details"))
    audio, image = _count(came, "audio_tokens"), _count(came, "image_tokens")
    cached_audio, cached_image = _count(cached, "audio_tokens"), _count(cached, "image_tokens")
    spoken = _count(went, "audio_tokens")
    found = Tokens(
        input_text=max(_count(report, "input_tokens") - audio - image, _count(came, "text_tokens")),
        input_audio=audio,
        input_image=image,
        cached_text=max(_count(came, "cached_tokens") - cached_audio - cached_image, _count(cached, "text_tokens")),
        cached_audio=cached_audio,
        cached_image=cached_image,
        output_text=max(_count(report, "output_tokens") - spoken, _count(went, "text_tokens")),
        output_audio=spoken,
    )
    return found if found != Tokens() else None


def _details(value: object) -> Message:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise TypeError(f"tokens are {type(value).__name__}, expected an object")
    return value


def _count(report: Message, name: str) -> int:
    value = report.get(name)
    if value is None:
        return 0
    if type(value) is not int or value < 0:
        raise TypeError(f"{name} is {value!r:.40}, expected a number of tokens")
    return value


def _error(message: Message) -> Sequence[VoiceEvent]:
    error = message["error"]
    return (
        ServiceError(
            str(error.get("code") or error.get("type") or ""),
            str(error.get("message") or ""),
            str(error.get("event_id") or ""),
            str(error.get("param") or ""),
        ),
    )


_READERS: dict[str, Callable[[Message], Sequence[VoiceEvent]]] = {
    "session.updated": _session_ready,
    "input_audio_buffer.speech_started": lambda m: (CallerSpoke(_text(m, "item_id")),),
    "input_audio_buffer.speech_stopped": lambda m: (CallerPaused(_text(m, "item_id")),),
    "input_audio_buffer.committed": lambda m: (TurnCommitted(_text(m, "item_id")),),
    "conversation.item.input_audio_transcription.delta": lambda m: (
        CallerPartlySaid(_text(m, "item_id"), _text(m, "delta")),
    ),
    "conversation.item.input_audio_transcription.completed": lambda m: (
        CallerSaid(_text(m, "item_id"), str(m.get("transcript") or "")),
    ),
    "conversation.item.input_audio_transcription.failed": _transcription_failed,
    "response.created": lambda m: (
        ResponseStarted(_text(m["response"], "id"), str((m["response"].get("metadata") or {}).get(REQUEST_KEY) or "")),
    ),
    "response.audio.delta": _audio,
    "response.audio_transcript.delta": lambda m: (
        ReplyText(_text(m, "response_id"), _text(m, "item_id"), _text(m, "delta")),
    ),
    "response.audio_timestamp.delta": _word_spoken,
    "response.audio_transcript.done": lambda m: (
        ReplySaid(_text(m, "response_id"), _text(m, "item_id"), str(m.get("transcript") or "")),
    ),
    "response.audio.done": lambda m: (ReplyComplete(_text(m, "response_id"), _text(m, "item_id")),),
    "response.output_item.done": _tool_called,
    "conversation.item.created": _item_created,
    "mcp_list_tools.completed": lambda m: (ToolsListed(_text(m, "item_id")),),
    "mcp_list_tools.failed": lambda m: (ToolsListed(_text(m, "item_id"), failed=True),),
    "response.mcp_call.completed": lambda m: (McpReturned(_text(m, "item_id")),),
    "response.mcp_call.failed": lambda m: (McpReturned(_text(m, "item_id"), failed=True),),
    "response.done": _response_ended,
    "error": _error,
    "warning": lambda m: (ServiceWarning(str(m["warning"].get("code") or ""), str(m["warning"].get("message") or "")),),
}

_NEWER_NAMES = {
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
    "conversation.item.added": "conversation.item.created",
}
"""OpenAI's names since its general availability, which a later version of Voice Live may speak."""
_READERS |= {newer: _READERS[name] for newer, name in _NEWER_NAMES.items()}

_ELSEWHERE = (
    *("conversation.item.done", "response.output_text.delta", "response.output_text.done"),
    *("output_audio_buffer.started", "output_audio_buffer.stopped"),
)
"""Kinds beside those of the SDK: of the newer names, of previews, and of documents. A phone knows what it plays."""
_UNREAD = frozenset((*(str(kind.value) for kind in models.ServerEventType), *_ELSEWHERE)).difference(_READERS)
"""Kinds of the protocol on which this gateway does not act."""
