"""The responses of the model as spans."""

from opentelemetry.trace import Span, StatusCode, set_span_in_context

from gateway.tracing.attributes import Value
from gateway.tracing.responses import Responses
from gateway.tracing.turns import Turn
from tests.tracing.spans import Kept, id_of, parent_of, to_ns


def test_a_response_lasts_from_its_question_until_it_is_done() -> None:
    """The first follows the pause, the next the tool's output; without an end, it lasts until it was seen last."""
    kept = Kept()

    def start(name: str, at: float, attributes: dict[str, Value], parent: Span) -> Span:
        context = set_span_in_context(parent)
        return kept.tracer.start_span(name, context, attributes=attributes, start_time=to_ns(at))

    turn = Turn(kept.tracer.start_span("turn", start_time=0), 1.0, 1.0, asked_at=1.0)
    responses = Responses(start, to_ns)
    responses.done(0.5)
    responses.describe("resp_0", {"nobody": 1}, 0.5)
    responses.begun(turn, "gpt-realtime", "resp_1", 1.4)
    responses.describe("resp_0", {"gen_ai.usage.input_tokens": 7}, 9.0)
    responses.describe("resp_1", {"gen_ai.usage.input_tokens": 12}, 1.9)
    responses.done(2.0)
    turn.asked_at = 3.0
    responses.begun(turn, "", "resp_2", 3.5)
    responses.seen(3.8)
    responses.begun(turn, "gpt-realtime", "resp_3", 4.0)
    responses.done(5.0, "failed")
    turn.span.end()
    first, second, third, turned = kept.spans
    assert [kept.times(one) for one in (first, second, third)] == [(1.0, 2.0), (3.0, 3.8), (3.8, 5.0)]
    assert [one.name for one in (first, second)] == ["chat gpt-realtime", "chat"]
    assert first.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "microsoft.foundry",
        "gen_ai.response.id": "resp_1",
        "gen_ai.request.model": "gpt-realtime",
        "gen_ai.usage.input_tokens": 12,
    }
    assert [(event.name, event.timestamp) for event in first.events] == [("response_started", to_ns(1.4))]
    assert all(parent_of(one) == id_of(turned) for one in (first, second, third))
    assert (third.status.status_code, third.status.description) == (StatusCode.ERROR, "failed")
    responses.end()
    responses.seen(6.0)
    assert len(kept.spans) == 4
