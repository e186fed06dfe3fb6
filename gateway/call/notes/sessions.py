"""The notes of a call's start and end, and of its Voice Live sessions. Pure."""

from gateway.call.ending import EndReason
from gateway.call.notes.note import Note


class CallStarted(Note, frozen=True):
    """Made when a stream has started and its line is known; ``generation`` is the version of the line."""

    caller: str
    called: str
    generation: str
    line_error: str = ""
    """The mistake that keeps a newer version of the line's file from being used; empty if there is none."""


class SessionReady(Note, frozen=True):
    """Made when Voice Live has accepted the settings of the session."""

    session_id: str
    model: str


class AnswerOverdue(Note, frozen=True):
    """Made when the caller hears a tone, because the session has brought nothing of what it owes."""

    waited_ms: int
    """Milliseconds that the caller has waited in silence."""


class SessionLost(Note, frozen=True):
    """Made when the session is lost and another one is sought."""

    cause: str
    """One of ``ending.CAUSES``."""
    detail: str
    close_code: int = 0
    """The code of the service's close frame; 0 where the connection broke, or is still there."""


class SessionRecovered(Note, frozen=True):
    """Made when another session goes on with a call whose session was lost."""

    cause: str
    """The cause of the loss, as in ``SessionLost``."""
    after_ms: int
    """Milliseconds since the loss."""
    tries: int
    """Sessions that were asked for, this one included."""
    covered_ms: int
    """Milliseconds of words and tones that the caller heard meanwhile."""
    session_id: str
    model: str
    seeded: int
    """Items of the conversation so far that the session was given."""


class SessionNotRecovered(Note, frozen=True):
    """Made when no other session was found; the call ends once the caller has heard what is left."""

    cause: str
    after_ms: int
    tries: int
    covered_ms: int
    detail: str
    """The end of the last try."""


class SessionRolledOver(Note, frozen=True):
    """Made when a session takes a call over before the one in use expires."""

    session_id: str
    model: str
    seeded: int
    forced: bool
    """``True`` if there was no moment at which nobody spoke."""


class StreamPaused(Note, frozen=True):
    """Made when audio of the caller comes again after a pause of a second or more: the phone sent none."""

    paused_ms: int


class TokensUsed(Note, frozen=True):
    """Made when the service reports the tokens of a response; those from the cache are part of those of their kind."""

    response_id: str
    model: str
    voice: str
    """The type of the session's voice, on which the price of its audio depends; empty if the service names none."""
    input_text: int
    input_audio: int
    input_image: int
    cached_text: int
    cached_audio: int
    cached_image: int
    output_text: int
    output_audio: int


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
    late_frames: int = 0
    """Frames of the bot's voice that reached the phone after their moment."""
    marks_lost: int = 0
    """Marks that the provider has not returned though they were due."""
    session_s: float = 0.0
    """Seconds in which there was a Voice Live session, to a tenth."""
    caller_audio_s: float = 0.0
    """Seconds of audio that came from the phone, to a tenth."""
