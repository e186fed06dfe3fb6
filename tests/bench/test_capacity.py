"""The search for the most calls."""

import dataclasses
from collections.abc import Callable

import pytest

from bench.capacity import Capacity, Search, run_in_turns
from bench.result import Result, Spread

FINE = Spread(0.2, 2.0, 5.0, 1000)
SLOW = Spread(30.0, 90.0, 95.0, 1000)
RESULT = Result(
    target="gateway", calls=1, window_s=8.0, cpu_percent=0.4, memory_kb=80.0,
    to_voice=FINE, to_phone=FINE, barge_in=FINE, barge_ins_missed=0,
    frames_sent=1000, frames_lost=0, replies=10, frames_heard=2000, late_frames=0, reply_frames_lost=0,
    stale_frames=0, garbled=0, calls_failed=0, sessions_left=0, load_percent=20.0, load_lateness=FINE,
    load_reading=FINE, others_percent=0.0,
)  # fmt: skip


def machine(limit: int, calls: int) -> Result:
    """A target that carries ``limit`` calls at 0.4 % of a core each."""
    timing = FINE if calls <= limit else SLOW
    return dataclasses.replace(RESULT, calls=calls, cpu_percent=0.4 * calls, to_voice=timing)


def search(known: list[Result], attempt: Callable[[int], Result], steps: int = 5) -> Capacity:
    """The result of one search."""
    made = Search(known, steps=steps)
    run_in_turns([(made, attempt)])
    return made.found


@pytest.mark.parametrize("limit", [30, 110, 148, 230, 395])
def test_it_closes_in_on_the_limit(limit: int) -> None:
    """What it answers is never more than the limit, and within a tenth of it."""
    known = [machine(limit, calls) for calls in (1, 50, 100, 200, 400)]
    found = search(known, lambda calls: machine(limit, calls), steps=8)
    assert limit * 0.9 <= found.calls <= limit < found.too_many


def test_an_overloaded_load_is_not_blamed_on_the_target() -> None:
    """Where the load gave way, the answer says so."""

    def weak_load(calls: int) -> Result:
        return dataclasses.replace(machine(150, calls), load_percent=99.0)

    assert not search([machine(150, 100)], weak_load).is_load_trusted


def test_a_disturbed_step_gets_a_second_chance() -> None:
    """A step that went badly while others used the core is made once more."""
    tried: list[int] = []

    def disturbed_once(calls: int) -> Result:
        tried.append(calls)
        result = machine(500, calls)
        return dataclasses.replace(result, to_voice=SLOW, others_percent=40.0) if len(tried) == 1 else result

    search([machine(500, 100)], disturbed_once, steps=1)
    assert tried[0] == tried[1]


def test_a_stricter_limit_is_a_smaller_capacity() -> None:
    """Both searches know what the other has tried, and take turns."""
    tried: list[int] = []

    def slower_with_each(calls: int) -> Result:
        tried.append(calls)
        timing = Spread(1.0, 5.0 if calls <= 150 else 15.0 if calls <= 250 else 90.0, 99.0, 1000)
        return dataclasses.replace(RESULT, calls=calls, cpu_percent=0.4 * calls, to_voice=timing)

    results = [slower_with_each(calls) for calls in (100, 200, 400)]
    searches = [Search(results, p99_ms=p99_ms, steps=8) for p99_ms in (10.0, 20.0)]
    run_in_turns([(one, slower_with_each) for one in searches])
    assert [one.found.p99_ms for one in searches] == [10.0, 20.0]
    assert 135 <= searches[0].found.calls <= 150
    assert 225 <= searches[1].found.calls <= 250
    assert len(tried) == len(set(tried)), "what one has tried, the other knows"
