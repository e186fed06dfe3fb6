"""The record of a call: its notes, each with its time, passed to observers. Pure."""

from collections.abc import Callable

from msgspec import Struct

from gateway.call.notes import Note


class CallIdentity(Struct, frozen=True):
    """The call to which a note belongs."""

    call_id: str
    provider: str
    line: str
    caller: str
    called: str
    audio_format: str
    started_at: float
    """The beginning of the stream, on the call's clock."""
    trace_id: str = ""
    """The call's trace in OpenTelemetry, in hexadecimal digits; empty where none is made."""


class TimedNote(Struct, frozen=True):
    """A note and when it was made, in seconds of the call's clock (``time.monotonic``)."""

    at: float
    note: Note


Observer = Callable[[CallIdentity, TimedNote], None]
"""Is called with every note as it is made; must return at once."""


class CallRecord(Struct, frozen=True):
    """Passes the notes of one call to its observers as they are made, and keeps none."""

    identity: CallIdentity
    observers: tuple[Observer, ...] = ()

    def add(self, at: float, note: Note) -> None:
        """Record a note made at ``at``."""
        timed = TimedNote(at, note)
        for observer in self.observers:
            observer(self.identity, timed)
