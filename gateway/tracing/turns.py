"""The turns of one call as spans: from the end of the caller's speech until the last of its replies is over.

A turn has no span before something follows the pause: a tool, a reply, a failure. Its end is known late, because the
next sentence of the bot may follow a tool, so that a span is ended when the next turn begins, at the time of what
happened last in it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from opentelemetry.trace import Span, Status, StatusCode

from gateway.tracing.attributes import INTERRUPTED, LATENCY, Value

StartSpan = Callable[[str, float], Span]
"""Starts a span with a name, at a time of the call's clock."""


@dataclass
class Turn:
    """One turn, with its span. Times are seconds of the call's clock."""

    span: Span
    began_at: float
    last_at: float
    asked_at: float
    """When the model had all that it needed for its next response: the pause, or the output of a tool."""
    pending: set[str] = field(default_factory=set)
    """The replies and tools that are not over."""


class Turns:
    """Keeps the turns of one call that are not over. ``to_ns`` turns a time of the call's clock into Unix time."""

    def __init__(self, start: StartSpan, to_ns: Callable[[float], int]) -> None:
        self._start = start
        self._to_ns = to_ns
        self._paused_at: float | None = None
        self._said: Mapping[str, Value] = {}
        self._current: Turn | None = None
        self._earlier: list[Turn] = []
        """Turns whose replies or tools go on while the next turn has begun."""

    def paused(self, at: float) -> None:
        """Note the end of the caller's speech, which begins a turn as soon as something follows it."""
        self._paused_at = at
        self._said = {}

    def describe(self, attributes: Mapping[str, Value]) -> None:
        """Add attributes to the turn that the last pause begins, or has begun."""
        if self._paused_at is not None or self._current is None:
            self._said = {**self._said, **attributes}
        else:
            self._current.span.set_attributes(attributes)

    @property
    def current(self) -> Turn | None:
        """The turn in which something happened last."""
        return self._current

    def take(self, at: float) -> Turn:
        """Return the turn to which something belongs that happens at ``at``; begin it where a pause came before."""
        turn = self._current
        if turn is None or self._paused_at is not None:
            began_at = at if self._paused_at is None else self._paused_at
            self._retire()
            turn = self._current = Turn(self._start("turn", began_at), began_at, at, began_at)
            turn.span.set_attributes(self._said)
            self._paused_at, self._said = None, {}
        turn.last_at = max(turn.last_at, at)
        return turn

    def begin(self, key: str, at: float, latency_ms: int | None = None) -> Turn:
        """Note that a reply or tool begins in a turn; ``latency_ms`` is that of the turn's first reply."""
        turn = self.take(at)
        turn.pending.add(key)
        if latency_ms is not None:
            turn.span.set_attribute(LATENCY, latency_ms)
        return turn

    def of(self, key: str) -> Turn | None:
        """Return the turn of a reply or tool that is not over."""
        known = [*self._earlier, *([self._current] if self._current else [])]
        return next((turn for turn in known if key in turn.pending), None)

    def over(self, key: str, at: float) -> Turn | None:
        """Note that a reply or tool is over; return its turn."""
        turn = self.of(key)
        if turn is not None:
            turn.pending.discard(key)
            turn.last_at = max(turn.last_at, at)
            if turn in self._earlier and not turn.pending:
                self._earlier.remove(turn)
                self._end(turn)
        return turn

    def event(self, name: str, at: float, attributes: Mapping[str, Value], key: str = "") -> bool:
        """Add an event to the turn of ``key``, else to the current one; return ``False`` where none goes on."""
        turn = (self.of(key) if key else None) or self._current
        if turn is None or not (turn.pending or at <= turn.last_at):
            return False
        turn.last_at = max(turn.last_at, at)
        turn.span.add_event(name, attributes, timestamp=self._to_ns(at))
        return True

    def interrupted(self, at: float, attributes: Mapping[str, Value]) -> bool:
        """Note that the caller has interrupted the bot."""
        if self._current is None:
            return False
        self._current.span.set_attribute(INTERRUPTED, value=True)
        return self.event("barge_in", at, attributes)

    def failed(self, at: float, why: str) -> None:
        """Give the turn the status of an error."""
        self.take(at).span.set_status(Status(StatusCode.ERROR, why))

    def end(self) -> None:
        """End all spans, each at the time of what happened last in its turn."""
        self._retire()
        for turn in self._earlier:
            self._end(turn)
        self._earlier.clear()

    def _retire(self) -> None:
        turn, self._current = self._current, None
        if turn is None:
            return
        if turn.pending:
            self._earlier.append(turn)
        else:
            self._end(turn)

    def _end(self, turn: Turn) -> None:
        turn.span.end(self._to_ns(turn.last_at))
