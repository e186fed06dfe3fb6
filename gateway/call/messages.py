"""What a conversation is told and what it asks, of both legs and beside them. Pure."""

from typing import TypeGuard, get_args

from gateway.call.ending import EndCall, ShutDown
from gateway.call.errands import Errand, ErrandEvent
from gateway.call.notes import Note
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
_NOTES = frozenset(Note.__subclasses__())
_PHONE_COMMANDS, _VOICE_COMMANDS, _ERRANDS = map(frozenset, map(get_args, (PhoneCommand, VoiceCommand, Errand)))
SESSION_EVENTS = frozenset(
    {
        CallerSpoke,
        CallerPaused,
        TurnCommitted,
        CallerSaid,
        TranscriptionFailed,
        ResponseStarted,
        ReplyAudio,
        ReplySaid,
        ReplyComplete,
        ToolCalled,
        ToolsRequested,
        ToolsListed,
        McpCalled,
        McpReturned,
        ApprovalRequested,
        ResponseEnded,
        ServiceError,
    }
)
"""What means something only in a session; before there is one, nothing may be sent that would answer it."""


# By the type itself: ``isinstance`` asks each class of a union in turn, and a metaclass makes that slow.


def is_note(command: object) -> TypeGuard[Note]:
    """Tell whether it is for the record."""
    return type(command) in _NOTES


def is_phone_command(command: object) -> TypeGuard[PhoneCommand]:
    """Tell whether the phone leg carries it out."""
    return type(command) in _PHONE_COMMANDS


def is_voice_command(command: object) -> TypeGuard[VoiceCommand]:
    """Tell whether the voice leg carries it out."""
    return type(command) in _VOICE_COMMANDS


def is_errand(command: object) -> TypeGuard[Errand]:
    """Tell whether it is carried out beside the legs."""
    return type(command) in _ERRANDS
