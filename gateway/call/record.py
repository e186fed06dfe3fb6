"""What happened on a call, in order: the notes of the conversation, each with its time. Pure."""

from collections.abc import Callable

from msgspec import Struct


class Note(Struct, frozen=True):
    """Something for the call's record: what happened, and its facts."""

    kind: str
    fields: dict[str, object] = {}


class CallIdentity(Struct, frozen=True):
    """Whose call it is."""

    call_id: str
    provider: str
    line: str
    caller: str
    called: str
    audio_format: str
    started_at: float
    """When the stream began, on the call's clock."""


class TimedNote(Struct, frozen=True):
    """A note and when it was made, in seconds of the call's clock (``time.monotonic``)."""

    at: float
    kind: str
    fields: dict[str, object]


Observer = Callable[[CallIdentity, TimedNote], None]
"""Is told every note as it is made; must return at once."""


class CallRecord(Struct, frozen=True):
    """The notes of one call, told to the observers as they are made; whoever wants to keep them does."""

    identity: CallIdentity
    observers: tuple[Observer, ...] = ()

    def add(self, at: float, note: Note) -> None:
        """Record a note made at ``at``."""
        timed = TimedNote(at, note.kind, note.fields)
        for observer in self.observers:
            observer(self.identity, timed)
