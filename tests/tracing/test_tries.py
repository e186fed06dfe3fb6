"""The tries at a session as spans."""

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, StatusCode

from gateway.tracing.attributes import Privacy
from gateway.tracing.tries import add_try
from gateway.voice.endpoints.tries import Tried
from tests.tracing.spans import Kept, to_ns


def test_a_try_ends_when_it_is_told() -> None:
    """It began as long before as it took; one that failed says why."""
    kept = Kept()
    add_try(kept.tracer, Context(), Tried("west", "gpt-realtime", 0.5), Privacy(), to_ns(10.0))
    add_try(kept.tracer, Context(), Tried("east", "gpt-realtime", 2.0, "answered with 503"), Privacy(), to_ns(12.0))
    fine, failed = kept.spans
    assert [(one.name, kept.times(one), one.kind) for one in (fine, failed)] == [
        ("open_session west", (9.5, 10.0), SpanKind.CLIENT),
        ("open_session east", (10.0, 12.0), SpanKind.CLIENT),
    ]
    assert fine.attributes == {
        "gateway.endpoint": "west",
        "gen_ai.provider.name": "microsoft.foundry",
        "gen_ai.request.model": "gpt-realtime",
    }
    assert fine.status.status_code is StatusCode.UNSET
    assert failed.status.description == "answered with 503"
