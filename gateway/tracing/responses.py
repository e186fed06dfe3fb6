"""The responses of the model as spans, with its name and tokens: from all that it needed until it was done."""

from collections.abc import Callable
from dataclasses import dataclass

from opentelemetry.trace import Span, Status, StatusCode

from gateway.tracing import attributes as names
from gateway.tracing.attributes import Value
from gateway.tracing.turns import Turn

StartChild = Callable[[str, float, dict[str, Value], Span], Span]
"""Starts a span with a name, at a time of the call's clock, with attributes, in another span."""


@dataclass
class _Response:
    response_id: str
    span: Span
    last_at: float
    """When something of it was seen last."""


class Responses:
    """Keeps the span of the response that is being made. Times are seconds of the call's clock."""

    def __init__(self, start: StartChild, to_ns: Callable[[float], int]) -> None:
        self._start = start
        self._to_ns = to_ns
        self._current: _Response | None = None
        self._done_at = 0.0

    def begun(self, turn: Turn, model: str, response_id: str, at: float) -> None:
        """Note that the service begins a response; it was asked for when the turn had all that it needed."""
        self.end()
        attributes: dict[str, Value] = {
            names.OPERATION: "chat",
            names.GEN_AI_PROVIDER: names.FOUNDRY,
            names.RESPONSE_ID: response_id,
        }
        if model:
            attributes[names.REQUEST_MODEL] = model
        span = self._start(f"chat {model}".strip(), max(turn.asked_at, self._done_at), attributes, turn.span)
        span.add_event("response_started", timestamp=self._to_ns(at))
        self._current = _Response(response_id, span, at)

    def describe(self, response_id: str, attributes: dict[str, Value], at: float) -> None:
        """Add what is known of a response in its end."""
        if self._current is not None and self._current.response_id == response_id:
            self._current.span.set_attributes(attributes)
            self._current.last_at = at

    def seen(self, at: float) -> None:
        """Note that something of the response has come."""
        if self._current is not None:
            self._current.last_at = at

    def end(self) -> None:
        """End a response of which nothing more comes, where it was seen last."""
        if self._current is not None:
            self.done(self._current.last_at)

    def done(self, at: float, error: str = "") -> None:
        """Note that the response is done."""
        current, self._current = self._current, None
        if current is None:
            return
        if error:
            current.span.set_status(Status(StatusCode.ERROR, error))
            current.span.set_attribute(names.ERROR_TYPE, error)
        self._done_at = at
        current.span.end(self._to_ns(at))
