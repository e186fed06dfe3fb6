"""Remembers how calls ended, for any worker that a provider asks what follows a call's stream."""

from gateway.call.ending import EndCall, EndReason
from gateway.fleet.ends import Ends

_REASONS = tuple(EndReason)


class Outcomes:
    """Keeps the end reasons of calls in a table that all workers share.

    A provider asks within seconds, so the table's 65,536 places lose almost no entry. A call that is not found counts
    as failed.
    """

    def __init__(self, ends: Ends) -> None:
        self._ends = ends

    def note_end(self, key: tuple[str, str], end: EndCall) -> None:
        """Remember how a call ended; ``key`` is the provider's name and the call's id there."""
        self._ends.note(key, _REASONS.index(end.reason))

    def find(self, key: tuple[str, str]) -> EndReason | None:
        """Return how a call ended; ``None`` while it is running, or if its process died before the end was noted."""
        end = self._ends.find(key)
        return None if end is None else _REASONS[end]
