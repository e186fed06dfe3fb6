"""Writes the notes of calls to the log, each at its level."""

import logging

import structlog

from gateway.call import notes
from gateway.call.ending import level_of
from gateway.call.notes import Note
from gateway.call.record import CallIdentity, TimedNote

log = structlog.get_logger()


def log_note(identity: CallIdentity, note: TimedNote) -> None:
    """Write a note to the log, as an event with the note's name and fields."""
    log.log(level_of_note(note.note), note.note.event, **note.note.fields())


def level_of_note(note: Note) -> int:
    """Return the log level of a note, as ``logging`` numbers it."""
    match note:
        case notes.CallEnded(reason=reason):
            return logging.getLevelNamesMapping()[level_of(reason).upper()]
        case (
            notes.ToolReturned(outcome=outcome) | notes.McpListed(outcome=outcome) | notes.McpReturned(outcome=outcome)
        ):
            return logging.INFO if outcome == "ok" else logging.WARNING
        case (
            notes.ServiceError()
            | notes.ServiceWarning()
            | notes.TranscriptionFailed()
            | notes.MalformedMessage()
            | notes.ResponseCutShort()
            | notes.TransferFailed()
            | notes.SpeechUnreported()
            | notes.CloseTimedOut()
            | notes.SessionLost()
        ):
            return logging.WARNING
        case notes.SessionNotRecovered():
            return logging.ERROR
        case (
            notes.ReplySaid()
            | notes.ReplyPlayed()
            | notes.ResponseStarted()
            | notes.PlaybackStopped()
            | notes.CallerSpoke()
            | notes.CallerPaused()
            | notes.TokensUsed()
            | notes.UnknownMessage()
        ):
            return logging.DEBUG
        case _:
            return logging.INFO
