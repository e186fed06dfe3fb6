"""The tries at a session as spans, one for each endpoint that was asked."""

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer

from gateway.tracing import attributes as names
from gateway.tracing.attributes import Privacy
from gateway.voice.endpoints.tries import Tried


def add_try(tracer: Tracer, parent: Context, tried: Tried, privacy: Privacy, end_ns: int) -> None:
    """Add a try that is over since ``end_ns``, in nanoseconds of Unix time."""
    attributes = {
        names.ENDPOINT: tried.endpoint,
        names.GEN_AI_PROVIDER: names.FOUNDRY,
        names.REQUEST_MODEL: tried.answering,
    }
    start_ns = end_ns - round(tried.took_s * 1e9)
    name = f"open_session {tried.endpoint}"
    span = tracer.start_span(name, parent, kind=SpanKind.CLIENT, attributes=attributes, start_time=start_ns)
    if tried.failure:
        span.set_status(Status(StatusCode.ERROR, privacy.detail(tried.failure)))
    span.end(end_ns)
