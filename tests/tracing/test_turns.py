"""The turns of a call as spans."""

import pytest
from opentelemetry.trace import Span, StatusCode

from gateway.tracing.turns import Turns
from tests.tracing.spans import Kept, to_ns


@pytest.fixture
def kept() -> Kept:
    """The spans that have ended."""
    return Kept()


@pytest.fixture
def turns(kept: Kept) -> Turns:
    """The turns of a call."""

    def start(name: str, at: float) -> Span:
        return kept.tracer.start_span(name, start_time=to_ns(at))

    return Turns(start, to_ns)


def test_a_turn_lasts_from_the_pause_to_the_end_of_its_reply(kept: Kept, turns: Turns) -> None:
    """It is known to be over when the next one begins."""
    turns.paused(10.0)
    turns.begin("r1", 11.0, 1000)
    assert turns.event("reply_heard", 14.0, {}, "r1")
    turns.over("r1", 14.0)
    assert kept.spans == []
    turns.paused(20.0)
    assert kept.spans == [], "nothing has followed the pause yet"
    turns.begin("r2", 20.5)
    (first,) = kept.spans
    assert kept.times(first) == (10.0, 14.0)
    assert first.attributes == {"gateway.turn.latency_ms": 1000}
    assert [event.name for event in first.events] == ["reply_heard"]
    turns.end()
    assert kept.times(kept.spans[1]) == (20.0, 20.5)


def test_what_follows_a_tool_is_the_same_turn(kept: Kept, turns: Turns) -> None:
    """The reply before it and the one behind it are of one turn."""
    turns.paused(10.0)
    turns.begin("r1", 11.0)
    turns.begin("tool", 12.0)
    turns.over("r1", 13.0)
    turns.over("tool", 15.0)
    turns.begin("r2", 16.0)
    turns.over("r2", 18.0)
    turns.end()
    (turn,) = kept.spans
    assert kept.times(turn) == (10.0, 18.0)


def test_a_reply_that_goes_on_keeps_its_turn(kept: Kept, turns: Turns) -> None:
    """A turn that begins meanwhile has its own; what belongs to the first is found by its reply."""
    turns.paused(10.0)
    first = turns.begin("r1", 11.0)
    turns.paused(12.0)
    second = turns.begin("tool", 12.1)
    assert (turns.of("r1"), turns.of("tool"), turns.current) == (first, second, second)
    assert turns.event("reply_heard", 13.0, {}, "r1")
    turns.over("r1", 13.0)
    assert [kept.times(span) for span in kept.spans] == [(10.0, 13.0)]
    assert turns.of("r1") is None
    assert turns.over("r1", 13.0) is None
    turns.end()
    assert [kept.times(span) for span in kept.spans] == [(10.0, 13.0), (12.0, 12.1)]


def test_the_end_of_a_call_ends_all_turns(kept: Kept, turns: Turns) -> None:
    """Those included whose replies are not over."""
    turns.paused(1.0)
    turns.begin("r1", 2.0)
    turns.paused(3.0)
    turns.begin("r2", 4.0)
    turns.end()
    assert sorted(kept.times(span) for span in kept.spans) == [(1.0, 2.0), (3.0, 4.0)]
    assert turns.current is None


def test_words_are_of_the_turn_whose_pause_came_before_them(kept: Kept, turns: Turns) -> None:
    """Whether its span is there yet or not."""
    turns.paused(1.0)
    turns.describe({"words": "first"})
    turns.begin("r1", 2.0)
    turns.paused(3.0)
    turns.describe({"words": "second"})
    turns.begin("r2", 4.0)
    turns.describe({"more": "words"})
    turns.end()
    found = sorted(kept.spans, key=kept.times)
    assert [dict(span.attributes or {}) for span in found] == [{"words": "first"}, {"words": "second", "more": "words"}]


def test_what_happens_between_turns_is_of_none(kept: Kept, turns: Turns) -> None:
    """An event is refused before the first turn and behind the last one."""
    assert not turns.event("digit_pressed", 1.0, {})
    assert not turns.interrupted(1.0, {})
    turns.begin("r1", 2.0)
    assert turns.event("service_warning", 3.0, {})
    turns.over("r1", 4.0)
    assert not turns.event("digit_pressed", 5.0, {})
    turns.end()
    assert kept.times(kept.one("turn")) == (2.0, 4.0)


def test_an_interruption_is_no_failure(kept: Kept, turns: Turns) -> None:
    """A response that failed is one."""
    turns.begin("r1", 2.0)
    assert turns.interrupted(3.0, {"response_cancelled": True})
    turns.paused(4.0)
    turns.failed(5.0, "incomplete")
    turns.end()
    failed, interrupted = kept.spans
    assert interrupted.status.status_code is StatusCode.UNSET
    assert interrupted.attributes == {"gateway.turn.interrupted": True}
    assert [event.name for event in interrupted.events] == ["barge_in"]
    assert (failed.status.status_code, failed.status.description) == (StatusCode.ERROR, "incomplete")
    assert kept.times(failed) == (4.0, 5.0)
