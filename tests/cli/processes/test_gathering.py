"""A busy event loop that wakes up once for several frames, by a clock and a sleep of the tests."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from gateway.cli.processes import gathering as module
from gateway.cli.processes.gathering import FROM_CALLS, UNTIL_CALLS, gathering

MANY, FEW = range(FROM_CALLS), range(FROM_CALLS - 1)


class Clock:
    """Stands still but while somebody sleeps; ``meanwhile`` happens in each sleep."""

    def __init__(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.now = 100.0
        self.slept: list[float] = []
        self._meanwhile = meanwhile

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds
        self._meanwhile()


async def turns(count: int = 20) -> None:
    """Let the loop go round."""
    for _ in range(count):
        await asyncio.sleep(0)


@contextmanager
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected sockets."""
    theirs, ours = socket.socketpair()
    with theirs, ours:
        yield theirs, ours


@pytest.mark.parametrize(("calls", "every_s"), [(FEW, 0.001), (MANY, 0.0)])
async def test_with_few_calls_or_without_the_key_nothing_rests(calls: range, every_s: float) -> None:
    """Each frame is handled when it comes, as if nothing of this were there."""
    clock = Clock()
    with gathering(calls, every_s, clock=clock, sleep=clock.sleep):
        await turns()
    assert clock.slept == []


async def test_with_many_calls_the_loop_rests_until_the_block_ends() -> None:
    """A millisecond from one wake-up to the next; afterwards nothing of it is left in the loop."""
    clock = Clock()
    with gathering(MANY, 0.001, clock=clock, sleep=clock.sleep):
        await turns()
        assert len(clock.slept) > 3
        assert set(clock.slept) == {0.001}
    before = len(clock.slept)
    await turns()
    assert len(clock.slept) == before


async def test_a_rest_is_shorter_by_what_the_work_took() -> None:
    """After work that took longer than a millisecond there is none: whatever came meanwhile is handled at once."""
    clock = Clock()
    with gathering(MANY, 0.001, clock=clock, sleep=clock.sleep):
        await turns()
        clock.slept.clear()
        clock.now += 0.0004
        await turns(4)
        assert clock.slept[0] == 0.0006
        clock.slept.clear()
        clock.now += 0.0025
        began = clock.now
        await turns(2)
        assert (clock.slept, clock.now) == ([], began)
        await turns()
        assert clock.slept[0] == 0.001


async def test_what_comes_during_a_rest_is_handled_before_the_next() -> None:
    """With what it calls for at once, as a task that is woken."""
    seen: list[str] = []
    loop = asyncio.get_running_loop()
    with ExitStack() as stack:
        pairs = [stack.enter_context(pair()) for _ in range(3)]

        def sent() -> None:
            seen.append("rest")
            for theirs, _ in pairs:
                theirs.send(b"frame")

        def read(ours: socket.socket) -> None:
            ours.recv(100)
            seen.append("read")
            loop.call_soon(seen.append, "woken")

        for _, ours in pairs:
            ours.setblocking(False)
            loop.add_reader(ours, read, ours)
        clock = Clock(sent)
        with gathering(MANY, 0.001, clock=clock, sleep=clock.sleep):
            await turns(40)
        for _, ours in pairs:
            loop.remove_reader(ours)
    rounds = " ".join(seen).split("rest")[1:-1]
    assert len(rounds) > 3
    assert [one.split().count("read") for one in rounds] == [3] * len(rounds)
    assert [one.split().count("woken") for one in rounds] == [3] * len(rounds)


async def test_it_begins_and_stops_with_the_number_of_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a margin, so that a call more or less does not switch it."""
    monkeypatch.setattr(module, "LOOK_S", 0.0)
    clock, calls = Clock(), list(FEW)

    async def rests() -> bool:
        await turns()
        clock.slept.clear()
        await turns()
        return bool(clock.slept)

    with gathering(calls, 0.001, clock=clock, sleep=clock.sleep):
        found = []
        for count in (FROM_CALLS - 1, FROM_CALLS, UNTIL_CALLS, UNTIL_CALLS - 1, FROM_CALLS - 1, FROM_CALLS):
            calls[:] = range(count)
            found.append(await rests())
    assert found == [False, True, True, False, False, True]
