"""The load's event loop: ticks in their order and at their pace, and looks at what a run waits for."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from itertools import pairwise
from time import perf_counter

import pytest

from bench.loop import LOOKED_EVERY_S, Loop

ENOUGH_S = 10.0


@pytest.fixture
def loop() -> Iterator[Loop]:
    with closing(Loop()) as made:
        yield made


def test_ticks_come_in_the_order_in_which_they_are_due(loop: Loop) -> None:
    """One of another period, and one that is begun later but due before others, is put between them."""
    made: list[str] = []

    def tick(name: str, times: int) -> bool:
        made.append(name)
        return made.count(name) < times

    now = perf_counter() - 1  # all are due already, so that their order does not depend on how busy the machine is
    loop.every(now + 0.002, 0.004, partial(tick, "b", 3))
    loop.every(now + 0.001, 0.0075, partial(tick, "slow", 2))
    loop.every(now + 0.0015, 0.004, partial(tick, "a", 3))
    loop.run_until(now + 1 + ENOUGH_S, lambda: len(made) == 8)
    assert made == ["slow", "a", "b", "a", "b", "slow", "a", "b"]


class Clock:
    """A clock on which a millisecond passes with each look at it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("bench.loop.perf_counter", clock)
    return clock


def test_a_tick_never_drifts(loop: Loop, clock: Clock) -> None:
    """It is due by the clock, however late the one before it was made."""
    made: list[float] = []

    def tick() -> bool:
        made.append(clock.now)
        if len(made) == 1:
            clock.now += 0.05
        return len(made) < 20

    loop.every(0.005, 0.005, tick)
    loop.run_until(1.0)
    assert len(made) == 20
    assert all(at >= 0.005 * number for number, at in enumerate(made, 1))
    assert made[-1] == pytest.approx(0.005 * 20, abs=0.005)


def test_what_a_run_waits_for_is_looked_at_now_and_then(loop: Loop, clock: Clock) -> None:
    """With hundreds of calls each look takes a while."""
    looks: list[float] = []

    def done() -> bool:
        looks.append(clock.now)
        return len(looks) == 4

    loop.run_until(1.0, done)
    assert len(looks) == 4
    assert [later - sooner for sooner, later in pairwise(looks)] == pytest.approx([LOOKED_EVERY_S] * 3, abs=0.0021)
