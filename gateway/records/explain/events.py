"""The events of a call as its record holds them, to be searched. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from msgspec import Struct

LAST = "call_ended"


class Event(Struct, frozen=True):
    """A note of a call, ``at_ms`` milliseconds after the start of its stream."""

    at_ms: float
    kind: str
    fields: Mapping[str, object] = {}

    def text(self, name: str) -> str:
        """Return a field as a text; empty where there is none."""
        value = self.fields.get(name)
        return "" if value is None else str(value)

    def number(self, name: str) -> float | None:
        """Return a field that is a number; ``None`` where it is none."""
        value = self.fields.get(name)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None

    def ms(self, name: str) -> int:
        """Return a field as whole milliseconds, or as a count; 0 where it is no number."""
        return round(self.number(name) or 0)


class EventLog:
    """The events of one call in the order of time."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = sorted(events, key=lambda event: event.at_ms)
        self._by_kind: dict[str, list[Event]] = {}
        self._places = {id(event): place for place, event in enumerate(self.events)}
        for event in self.events:
            self._by_kind.setdefault(event.kind, []).append(event)

    @property
    def end(self) -> Event | None:
        """The last note of a call that came to its end; ``None`` where the record breaks off."""
        return self.first(LAST)

    @property
    def end_ms(self) -> float:
        """The end of the call, or of its record."""
        if self.end is not None:
            return self.end.at_ms
        return self.events[-1].at_ms if self.events else 0.0

    def all(self, *kinds: str) -> list[Event]:
        """Return the events of these kinds."""
        if len(kinds) == 1:
            return self._by_kind.get(kinds[0], [])
        return [event for event in self.events if event.kind in kinds]

    def first(self, kind: str) -> Event | None:
        """Return the first event of a kind."""
        return next(iter(self.all(kind)), None)

    def after(self, event: Event, *kinds: str) -> Event | None:
        """Return the next event of these kinds behind ``event``, which is one of the call's own."""
        behind = islice(self.events, self._places[id(event)] + 1, None)
        return next((one for one in behind if one.kind in kinds), None)

    def by(self, kind: str, name: str) -> dict[str, Event]:
        """Return the events of a kind by a field, the last of each."""
        return {event.text(name): event for event in self.all(kind)}

    def pairs(self, begins: str, ends: str, name: str) -> Iterator[tuple[Event, Event | None]]:
        """Yield each event of a kind with the one that ends it, by a field that both have."""
        left = list(self.all(ends))
        for begun in self.all(begins):
            found = next((end for end in left if end.at_ms >= begun.at_ms and end.text(name) == begun.text(name)), None)
            if found is not None:
                left.remove(found)
            yield begun, found
