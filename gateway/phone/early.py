"""Counts the events that a stream brings before its start message, by kind. Pure."""

from collections import Counter

from gateway.phone.events import (
    CallerAudio,
    DigitPressed,
    MalformedMessage,
    MarkReturned,
    PhoneEvent,
    UnknownMessage,
)

KINDS_LIMIT = 10
"""Kinds that are counted apart: a peer chooses the names of unknown ones."""
OTHERS = "others"


class Early:
    """The events that were ignored because no start had come. ``str()`` gives the number of each kind."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def __bool__(self) -> bool:
        return bool(self._counts)

    def __str__(self) -> str:
        return ", ".join(f"{count} × {kind}" for kind, count in self._counts.items())

    def add(self, event: PhoneEvent | None) -> None:
        """Count an event, or with ``None`` an empty message; no content is kept, a key least of all."""
        kind = _kind(event)
        self._counts[kind if kind in self._counts or len(self._counts) < KINDS_LIMIT else OTHERS] += 1


def _kind(event: PhoneEvent | None) -> str:
    match event:
        case None:
            return "an empty message"
        case CallerAudio():
            return "audio"
        case DigitPressed():
            return "a key"
        case MarkReturned():
            return "a mark"
        case UnknownMessage(kind=kind):
            return kind
        case MalformedMessage(detail=detail):
            return detail
        case _:
            return OTHERS
