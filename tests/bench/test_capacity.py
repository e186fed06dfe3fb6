"""The search for the most calls."""

import dataclasses
from collections.abc import Callable

import pytest

from bench.capacity import TRIALS, Capacity, Search, run_in_turns
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


def test_a_trial_that_went_badly_is_made_again() -> None:
    """A machine that others share stops for longer than a frame may wait, however few calls there are."""
    tried: list[int] = []

    def stalled_twice(calls: int) -> Result:
        tried.append(calls)
        result = dataclasses.replace(machine(500, calls), cpu_percent=70.0)
        return dataclasses.replace(result, to_voice=SLOW) if len(tried) < TRIALS else result

    found = search([machine(500, 100)], stalled_twice, steps=1)
    assert tried == [found.calls] * TRIALS


def test_a_core_that_was_full_needs_no_second_trial() -> None:
    """Lack of time is the cause there, and another trial would meet it again."""
    tried: list[int] = []

    def full(calls: int) -> Result:
        tried.append(calls)
        return dataclasses.replace(machine(100, calls), cpu_percent=97.0)

    found = search([machine(100, 100)], full, steps=1)
    assert tried == [found.too_many]


def test_the_best_of_the_trials_counts() -> None:
    """By its p99 another search of the same program judges it."""
    p99 = iter((60.0, 15.0, 30.0))

    def slow(calls: int) -> Result:
        return dataclasses.replace(RESULT, calls=calls, cpu_percent=70.0, to_voice=Spread(1.0, next(p99), 99.0, 1000))

    known = [machine(500, 100)]
    search(known, slow, steps=1)
    assert known[-1].worst_p99_ms == 15.0


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
    times = {calls: tried.count(calls) for calls in tried}
    assert all(times[calls] == 1 for calls in times if calls <= 150)
    assert set(times.values()) <= {1, TRIALS}, "what one has tried, the other knows"
