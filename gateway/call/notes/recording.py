"""The notes of the recording of a call. Pure."""

from typing import Literal

from gateway.call.notes.note import Note


class RecordingStarted(Note, frozen=True):
    """Made when the recording begins; ``consented`` is ``True`` if the caller has agreed to it by a key."""

    consented: bool


class RecordingPaused(Note, frozen=True):
    """Made when both sides become silence in the recording."""

    cause: Literal["secret"]
    """``secret``: the caller keys in digits in confidence."""


class RecordingContinued(Note, frozen=True):
    """Made when that is over."""


class RecordingDeclined(Note, frozen=True):
    """Made when the caller was asked and has not agreed: another key, no key in time, or the question was not heard."""

    how: Literal["key", "no answer", "not asked"]


class RecordingDiscarded(Note, frozen=True):
    """Made when nothing of the recording may remain."""

    cause: Literal["not announced"]
    """``not announced``: the caller has not heard the announcement to its end."""


class RecordingStopped(Note, frozen=True):
    """Made at the end of a call of which there is a recording."""

    file: str
    """The name of the file on this machine, without its folder."""
    seconds: float
    lost_s: float
    """Seconds of it that could not be written; silence stands in their place."""
