"""What a conversation is told and what it asks, of both legs and beside them. Pure."""

from gateway.call.ending import EndCall, ShutDown
from gateway.call.errands import Errand, ErrandEvent
from gateway.call.record import Note
from gateway.phone.commands import PhoneCommand
from gateway.phone.events import PhoneEvent
from gateway.voice.commands import VoiceCommand
from gateway.voice.events import (
    ApprovalRequested,
    CallerPaused,
    CallerSaid,
    CallerSpoke,
    McpCalled,
    McpReturned,
    ReplyAudio,
    ReplyComplete,
    ReplySaid,
    ResponseEnded,
    ResponseStarted,
    ServiceError,
    ToolCalled,
    ToolsListed,
    ToolsRequested,
    TranscriptionFailed,
    TurnCommitted,
    VoiceEvent,
)

Command = PhoneCommand | VoiceCommand | Errand | Note | EndCall
Event = PhoneEvent | VoiceEvent | ErrandEvent | ShutDown
SessionEvent = (
    CallerSpoke
    | CallerPaused
    | TurnCommitted
    | CallerSaid
    | TranscriptionFailed
    | ResponseStarted
    | ReplyAudio
    | ReplySaid
    | ReplyComplete
    | ToolCalled
    | ToolsRequested
    | ToolsListed
    | McpCalled
    | McpReturned
    | ApprovalRequested
    | ResponseEnded
    | ServiceError
)
"""What means something only in a session; before there is one, nothing may be sent that would answer it."""
