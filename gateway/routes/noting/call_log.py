"""Writes the notes of calls to the log, each at its level; makes the last one."""

import logging
from collections.abc import Mapping

import structlog

from gateway.call import notes
from gateway.call.conversation import Conversation
from gateway.call.ending import EndCall, level_of
from gateway.call.notes import Note
from gateway.call.record import CallIdentity, TimedNote

log = structlog.get_logger()


class Replies:
    """Counts the replies of one call."""

    def __init__(self) -> None:
        self.count = 0

    def observe(self, identity: CallIdentity, note: TimedNote) -> None:
        """Count each reply when it begins."""
        self.count += isinstance(note.note, notes.ReplyStarted)


def call_ended(
    identity: CallIdentity, end: EndCall, now: float, turns: int, conversation: Conversation | None
) -> notes.CallEnded:
    """Return the last note of a call: everything that an alert or a search needs, in one log line."""
    return notes.CallEnded(
        reason=end.reason,
        by=end.by,
        detail=end.detail,
        provider=identity.provider,
        duration_s=round(now - identity.started_at, 1),
        turns=turns,
        late_frames=conversation.late_frames if conversation else 0,
        marks_lost=conversation.marks_lost if conversation else 0,
        session_s=round(conversation.session_s(now), 1) if conversation else 0.0,
        caller_audio_s=round(conversation.caller_audio_s, 1) if conversation else 0.0,
    )


class CallLog:
    """Writes the notes of one call to the log. Its logger is made once: making one costs more than a line at debug."""

    def __init__(self) -> None:
        self._log = log.bind()

    def observe(self, identity: CallIdentity, note: TimedNote) -> None:
        """Write a note, as an event with the note's name and fields."""
        self._log.log(level_of_note(note.note), note.note.event, **note.note.fields())


LEVELS: Mapping[type[Note], int] = {
    **dict.fromkeys(
        (
            notes.ServiceError,
            notes.ServiceWarning,
            notes.TranscriptionFailed,
            notes.MalformedMessage,
            notes.ResponseCutShort,
            notes.TransferFailed,
            notes.SpeechUnreported,
            notes.CloseTimedOut,
            notes.AnswerOverdue,
            notes.SessionLost,
        ),
        logging.WARNING,
    ),
    notes.SessionNotRecovered: logging.ERROR,
    **dict.fromkeys(
        (
            notes.ReplySaid,
            notes.ReplyPlayed,
            notes.ResponseStarted,
            notes.PlaybackStopped,
            notes.CallerSpoke,
            notes.CallerPaused,
            notes.CallerPartlySaid,
            notes.TokensUsed,
            notes.UnknownMessage,
        ),
        logging.DEBUG,
    ),
}
"""The levels of notes that always have the same one, other than INFO."""


def level_of_note(note: Note) -> int:
    """Return the log level of a note, as ``logging`` numbers it."""
    if level := LEVELS.get(type(note)):
        return level
    match note:
        case notes.CallEnded(reason=reason):
            return logging.getLevelNamesMapping()[level_of(reason).upper()]
        case (
            notes.ToolReturned(outcome=outcome) | notes.McpListed(outcome=outcome) | notes.McpReturned(outcome=outcome)
        ):
            return logging.INFO if outcome == "ok" else logging.WARNING
        case _:
            return logging.INFO
