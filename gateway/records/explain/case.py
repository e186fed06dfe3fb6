"""All that is known of a call, for the rules that look for findings. Pure."""

from collections.abc import Sequence

from gateway.records.explain.events import Event, EventLog
from gateway.records.explain.interruptions import interruptions_in
from gateway.records.explain.silences import silences_in
from gateway.records.explain.speech import greeting_of, replies_in, turns_in
from gateway.records.explain.waits import waits_in


class Case:
    """The events of a call, and what follows from them."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.log = log = EventLog(events)
        self.replies = replies_in(log)
        self.turns = turns_in(log)
        self.waits = waits_in(log, self.replies)
        self.silences = silences_in(log, self.replies, self.turns, self.waits)
        self.interruptions = interruptions_in(log, self.replies, self.turns)
        self.greeting = greeting_of(self.replies, self.turns)

    @property
    def reason(self) -> str:
        """The end reason; empty where the record breaks off."""
        return self.log.end.text("reason") if self.log.end is not None else ""

    @property
    def length_ms(self) -> float:
        """The length of the call, as far as the record goes."""
        return self.log.end_ms


def seconds(milliseconds: float) -> str:
    """Write a time, such as ``2.4 s``."""
    return f"{milliseconds / 1000:.1f} s"


def counted(count: int, what: str) -> str:
    """Write a number of things, such as ``1 reply`` or ``3 replies``."""
    plural = f"{what[:-1]}ies" if what.endswith("y") and what[-2:-1] not in "aeiou" else f"{what}s"
    return f"{count} {what if count == 1 else plural}"
