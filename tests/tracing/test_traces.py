"""The traces of webhooks and calls, and those of others that they go on with."""

import pytest

from gateway.audio.formats import PCMU
from gateway.call import notes
from gateway.call.ending import EndReason
from gateway.call.record import CallIdentity, TimedNote
from gateway.phone.events import CallStarted, Playout
from gateway.tracing.attributes import Privacy
from gateway.tracing.call_trace import CallTrace
from gateway.tracing.traces import HEADER, Traces
from tests.tracing.spans import Kept, id_of, parent_of

TRACE, OTHER = "0af7651916cd43dd8448eb211c80319c", "1bf7651916cd43dd8448eb211c80319d"
SPAN = "b7ad6b7169203331"
GIVEN = f"00-{TRACE}-{SPAN}-01"
IDENTITY = CallIdentity("CA1", "twilio", "support", "", "", "pcmu/8000", 100.0)


def started(**parameters: str) -> CallStarted:
    """The start of a stream."""
    return CallStarted("CA1", "MZ1", PCMU, Playout(), parameters=parameters)


@pytest.fixture
def kept() -> Kept:
    """The spans that have ended."""
    return Kept()


@pytest.fixture
def traces(kept: Kept) -> Traces:
    """Traces of calls whose clock says 100 s when it is 2001."""
    made = Traces(Privacy(), lambda: 100.0, lambda: 1_000_000_000_000_000_000)
    made.tracer = kept.tracer
    return made


def end(trace: CallTrace, at: float) -> None:
    """End a call."""
    note = notes.CallEnded(EndReason.CALLER_HUNG_UP, "caller", "", "twilio", 1.0, turns=0)
    trace.observe(IDENTITY, TimedNote(at, note))


def test_the_times_of_a_call_are_those_of_its_clock(kept: Kept, traces: Traces) -> None:
    """Unix time is read once a call."""
    end(traces.call("twilio", "support", started(), {}), 107.5)
    assert kept.times(kept.one("call")) == (1_000_000_000.0, 1_000_000_007.5)
    assert kept.one("call").attributes == {
        "gateway.provider": "twilio",
        "gateway.line": "support",
        "gateway.call.id": "CA1",
        "gateway.end.reason": "caller_hung_up",
        "gateway.end.by": "caller",
        "gateway.turns": 0,
    }


@pytest.mark.parametrize(
    ("parameters", "headers", "granted", "trace_id"),
    [
        ({}, {}, GIVEN, TRACE),
        ({}, {HEADER: GIVEN}, f"00-{OTHER}-{SPAN}-01", TRACE),
        ({"Traceparent": GIVEN}, {HEADER: f"00-{OTHER}-{SPAN}-01"}, "", TRACE),
        ({HEADER: ""}, {HEADER: ""}, GIVEN, TRACE),
    ],
)
def test_a_call_goes_on_with_a_trace_that_it_is_told(
    kept: Kept, traces: Traces, parameters: dict[str, str], headers: dict[str, str], granted: str, trace_id: str
) -> None:
    """A parameter of the stream counts most, then its request, then the webhook that announced it."""
    trace = traces.call("twilio", "support", started(**parameters), headers, granted)
    end(trace, 101.0)
    assert trace.ids["trace_id"] == trace_id
    assert parent_of(kept.one("call")) == int(SPAN, 16)


@pytest.mark.parametrize("broken", ["", "00-0-0-01", f"ff-{TRACE}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01", "x" * 5000])
def test_what_names_no_trace_begins_one(kept: Kept, traces: Traces, broken: str) -> None:
    """A peer that writes nonsense harms nothing."""
    end(traces.call("twilio", "support", started(), {HEADER: broken}), 101.0)
    assert parent_of(kept.one("call")) == 0


def test_a_webhook_is_the_parent_of_its_call(kept: Kept, traces: Traces) -> None:
    """It goes on with the trace of the provider's request, and the call with it."""
    assert traces.traceparent() == ""
    with traces.webhook("twilio", {HEADER: GIVEN, "other": "header"}):
        granted = traces.traceparent()
    assert traces.traceparent() == ""
    end(traces.call("twilio", "support", started(), {}, granted), 101.0)
    webhook, call = kept.one("webhook"), kept.one("call")
    assert parent_of(webhook) == int(SPAN, 16)
    assert parent_of(call) == id_of(webhook)
    assert webhook.attributes == {"gateway.provider": "twilio"}
    assert kept.times(webhook) == (1_000_000_000.0, 1_000_000_000.0)


def test_a_webhook_that_fails_has_a_span_all_the_same(kept: Kept, traces: Traces) -> None:
    """Its exception goes on."""
    with pytest.raises(ValueError, match="a bug"), traces.webhook("twilio", {}):
        raise ValueError("a bug")
    assert kept.one("webhook").name == "webhook"
    assert traces.traceparent() == ""
