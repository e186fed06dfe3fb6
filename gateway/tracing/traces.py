"""The traces of one process: its webhooks and calls, and the traces of others that they go on with."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from opentelemetry.context import Context
from opentelemetry.trace import NoOpTracer, SpanKind, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gateway.phone.events import CallStarted
from gateway.tracing import attributes as names
from gateway.tracing.attributes import Privacy
from gateway.tracing.call_trace import CallTrace, attached
from gateway.tracing.tries import add_try
from gateway.voice.endpoints.tries import Tried, listening

HEADER = "traceparent"
"""W3C Trace Context, as a header of a request and as a parameter of a stream."""
_W3C = TraceContextTextMapPropagator()


class Traces:
    """Begins the traces of calls. ``clock`` is that of calls, in seconds; ``wall_ns`` is Unix time in nanoseconds."""

    def __init__(self, privacy: Privacy, clock: Callable[[], float], wall_ns: Callable[[], int] = time.time_ns) -> None:
        self._privacy = privacy
        self._clock = clock
        self._wall_ns = wall_ns
        self.tracer: Tracer = NoOpTracer()
        """Starts spans; set while they are exported."""

    @contextmanager
    def webhook(self, provider: str, headers: Mapping[str, str]) -> Iterator[None]:
        """Make a span for a webhook that announces a call; it goes on with the trace that its ``headers`` name."""
        parent = _W3C.extract(_carrier(headers), Context())
        attributes = {names.PROVIDER: provider}
        span = self.tracer.start_span(
            "webhook", parent, kind=SpanKind.SERVER, attributes=attributes, start_time=self._wall_ns()
        )
        try:
            context = set_span_in_context(span, parent)
            with attached(context), listening(partial(self._tried_ahead, context)):
                yield
        finally:
            span.end(self._wall_ns())

    def _tried_ahead(self, webhook: Context, tried: Tried) -> None:
        """Add a try at a session that is opened before the stream of its call is there."""
        add_try(self.tracer, webhook, tried, self._privacy, self._wall_ns())

    def traceparent(self) -> str:
        """Return the current span as a ``traceparent``; empty without one."""
        carrier: dict[str, str] = {}
        _W3C.inject(carrier)
        return carrier.get(HEADER, "")

    def call(
        self, provider: str, line: str, started: CallStarted, headers: Mapping[str, str], traceparent: str = ""
    ) -> CallTrace:
        """Begin the trace of a call.

        It goes on with the trace that a parameter of its stream names, else one of the ``headers`` of the stream's
        request, else ``traceparent``, the span of the webhook that announced it.
        """
        parameters = {name.lower(): value for name, value in started.parameters.items()}
        carriers = (parameters, headers, {HEADER: traceparent})
        carrier = next((one for one in carriers if one.get(HEADER)), {})
        parent = _W3C.extract(_carrier(carrier), Context())
        attributes = {names.PROVIDER: provider, names.LINE: line, names.CALL_ID: started.call_id}
        offset_ns = self._wall_ns() - round(self._clock() * 1e9)

        def to_ns(at: float) -> int:
            return offset_ns + round(at * 1e9)

        return CallTrace(self.tracer, parent, self._privacy, self._clock, to_ns, attributes)


def _carrier(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return the headers that name a trace."""
    return {name: headers[name] for name in (HEADER, "tracestate") if headers.get(name)}
