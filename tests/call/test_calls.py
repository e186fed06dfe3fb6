"""Who is let on the phone, and how all are asked to hang up."""

import asyncio
from typing import cast

import pytest

from gateway.call.call import Call
from gateway.call.calls import ANNOUNCE_LIMIT_S, Calls
from gateway.call.refusal import Refusal
from gateway.fleet.board import Board
from gateway.fleet.memory import Memory
from gateway.fleet.places import Places, bytes_for
from tests.virtual_time import virtual_time

KEY = ("twilio", "CA1")
OTHER = ("twilio", "CA2")


class Ending:
    """A call that only knows whether it was told to end."""

    def __init__(self) -> None:
        self.told = asyncio.Event()

    def shut_down(self, *, at_once: bool = False) -> bool:
        self.told.set()
        return False

    async def run(self, calls: Calls) -> None:
        """Take a place and keep it until told to end."""
        with calls.place(), calls.running(cast("Call", self), KEY):
            await self.told.wait()


async def test_places_are_counted() -> None:
    """A place is taken by a stream that has not said whose call it is."""
    calls = Calls(2)
    with calls.place():
        assert calls.willing
        with calls.place():
            assert (len(calls), calls.willing) == (2, False)
        assert calls.willing
    assert len(calls) == 0


async def test_a_place_is_given_back_after_a_failure() -> None:
    """A bug in one call does not eat up the limit."""
    calls = Calls(1)
    with (
        pytest.raises(ZeroDivisionError),
        calls.place(),
        calls.running(cast("Call", Ending()), KEY),
    ):
        raise ZeroDivisionError
    assert (len(calls), calls.willing) == (0, True)


async def test_calls_are_counted_by_line() -> None:
    """Each line has its own count, and a stream that finds its line full does not count on it."""
    calls = Calls(10)
    with calls.place() as first, calls.place() as second, calls.place() as third:
        assert first is not None
        assert second is not None
        assert third is not None
        assert calls.name(first, KEY, "a", 1) is None
        assert calls.name(second, OTHER, "a", 1) is Refusal.LINE_FULL
        assert calls.name(second, OTHER, "a", 2) is None
        assert calls.name(third, OTHER, "b", 1) is None
        assert calls.reserve(("twilio", "CA3"), "a", 2, 60) is Refusal.LINE_FULL
    assert calls.reserve(("twilio", "CA3"), "a", 1, 60) is None


async def test_an_answered_call_has_its_place() -> None:
    """Nobody else gets it; it is free again when the call is over before its stream comes."""
    calls = Calls(1)
    assert calls.reserve(KEY, "a", None, 60) is None
    assert calls.reserve(OTHER, "a", None, 60) is Refusal.FULL
    assert not calls.willing
    with calls.place(OTHER) as place:
        assert place is None
    assert calls.cancel(KEY) is not None
    assert calls.reserve(OTHER, "a", None, 60) is None
    with calls.place(OTHER) as place:
        assert place is not None
        assert len(calls) == 1


async def test_what_is_logged_at_one_worker_reaches_the_call_at_another() -> None:
    """Its end, and a transfer that failed."""
    memory = Memory(bytes_for(2))
    here, there = (Calls(2, Places(memory, 0, 2, worker)) for worker in (1, 2))
    call = Told()
    with here.place() as place, here.running(cast("Call", call), KEY):
        assert place is not None
        here.name(place, KEY, "a", None)
        assert not there.reported_over(OTHER, "x")
        assert there.transfer_failed(KEY, "x")
        here.take_news()
        assert there.reported_over(KEY, "x")
        there.take_news()
        here.take_news()
        here.take_news()
    assert call.told == ["transfer_failed twilio told another worker", "reported_over twilio told another worker"]


class Told:
    """A call that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def reported_over(self, detail: str) -> None:
        """Note that it is over."""
        self.told.append(f"reported_over {detail}")

    def transfer_failed(self, detail: str) -> None:
        """Note that it was not transferred."""
        self.told.append(f"transfer_failed {detail}")


@virtual_time
async def test_an_answered_call_keeps_its_place_through_a_drain() -> None:
    """The drain waits for its stream; a call that comes now is refused, and so is one without an answer of ours."""
    calls, call = Calls(3), Ending()
    calls.reserve(KEY, "a", None, 60)
    async with asyncio.TaskGroup() as group:
        draining = group.create_task(calls.drain(30, 60))
        await asyncio.sleep(5)
        assert calls.reserve(OTHER, "a", None, 60) is Refusal.DRAINING
        for key in (OTHER, None):
            with calls.place(key) as place:
                assert place is None
        with calls.place(KEY) as place, calls.running(cast("Call", call), KEY):
            assert place is not None
            await call.told.wait()
        await draining
    with calls.place(KEY) as place:
        assert place is None


@virtual_time
async def test_a_drain_waits_for_an_answered_call_no_longer_than_it_has_its_place() -> None:
    """Its stream does not come."""
    loop = asyncio.get_running_loop()
    calls = Calls(1, Board(1, now=loop.time).places)
    calls.reserve(KEY, "a", None, 20)
    before = loop.time()
    async with asyncio.timeout(25):
        await calls.drain(3600, 60)
    assert loop.time() - before > 19
    calls = Calls(1, Board(1, now=loop.time).places)
    calls.reserve(KEY, "a", None, 20)
    calls.end_now()
    async with asyncio.timeout(1):
        await calls.drain(3600, 60)
    assert [expected.call_id for expected in calls.expected()] == ["CA1"]


@virtual_time
async def test_a_process_that_retires_takes_the_calls_that_come_all_the_same() -> None:
    """On a connection that was open before: its webhook is answered, its stream has a place, and the drain waits."""
    calls, call = Calls(3), Ending()
    calls.retiring = True
    async with asyncio.TaskGroup() as group:
        with calls.place(KEY), calls.running(cast("Call", call), KEY):
            draining = group.create_task(calls.drain(30, 60))
            await asyncio.sleep(5)
            assert calls.willing
            assert calls.reserve(OTHER, "a", None, 60) is None
        with calls.place(OTHER) as place:
            assert place is not None
            await asyncio.sleep(5)
            assert not draining.done()
        await draining


async def test_a_drain_of_nothing_is_over_at_once() -> None:
    """And nobody is let in afterwards."""
    calls = Calls(1)
    await calls.drain(60, 60)
    assert (calls.willing, calls.draining, calls.ending) == (False, True, True)


async def test_a_drain_gives_grace_and_then_ends() -> None:
    """Calls are told to end only when the grace is over."""
    calls, call = Calls(1), Ending()
    async with asyncio.TaskGroup() as group:
        group.create_task(call.run(calls))
        await asyncio.sleep(0)
        await calls.drain(0.01, 60)
    assert call.told.is_set()
    assert len(calls) == 0


class Speaking(Ending):
    """A call that says something first when it is told to end, for ``speaks_s``; only ``at_once`` ends it before."""

    def __init__(self, speaks_s: float) -> None:
        super().__init__()
        self.speaks_s = speaks_s
        self.cut_off = False

    def shut_down(self, *, at_once: bool = False) -> bool:
        if at_once:
            self.cut_off = True
            self.told.set()
        else:
            asyncio.get_running_loop().call_later(self.speaks_s, self.told.set)
        return not at_once


@virtual_time
@pytest.mark.parametrize(("speaks_s", "cut_off"), [(ANNOUNCE_LIMIT_S - 1, False), (ANNOUNCE_LIMIT_S + 1, True)])
async def test_a_call_that_says_why_it_ends_has_time_for_it(speaks_s: float, *, cut_off: bool) -> None:
    """And no longer than the limit."""
    calls, call = Calls(1), Speaking(speaks_s)
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as group:
        group.create_task(call.run(calls))
        await asyncio.sleep(0)
        began = loop.time()
        await calls.drain(0, 60)
    assert call.cut_off == cut_off
    assert loop.time() - began == pytest.approx(min(speaks_s, ANNOUNCE_LIMIT_S), abs=0.1)


async def test_a_call_that_ends_within_the_grace_is_not_told() -> None:
    """It ends by itself."""
    calls = Calls(1)
    async with asyncio.TaskGroup() as group:
        with calls.place(), calls.running(cast("Call", call := Ending()), KEY):
            draining = group.create_task(calls.drain(60, 60))
            await asyncio.sleep(0)
        await draining
    assert not call.told.is_set()


async def test_a_call_that_will_not_end_is_waited_for_no_longer_than_the_limit() -> None:
    """Shutting down is bounded."""
    calls = Calls(1)
    with calls.place(), calls.running(cast("Call", Ending()), KEY):
        async with asyncio.timeout(5):
            await calls.drain(0, 0.01)
        assert len(calls) == 1


async def test_a_stream_that_is_opening_is_given_up_at_the_end() -> None:
    """Its wait ends with a ``TimeoutError``; during the grace it may still start."""
    calls = Calls(1)

    async def open_stream() -> None:
        with calls.place():
            with pytest.raises(TimeoutError):
                async with calls.opening():
                    await asyncio.Event().wait()
            assert calls.ending

    async with asyncio.TaskGroup() as group:
        group.create_task(open_stream())
        await asyncio.sleep(0)
        await calls.drain(0.01, 60)
    assert len(calls) == 0


@virtual_time
async def test_an_answered_call_whose_stream_comes_at_the_end_has_no_place() -> None:
    """During the grace it has one; afterwards its call would end as it begins."""
    for grace_s, has_place in ((60.0, True), (0.0, False)):
        calls = Calls(2)
        assert calls.reserve(KEY, "support", None, 300) is None
        async with asyncio.TaskGroup() as group:
            draining = group.create_task(calls.drain(grace_s, 60))
            await asyncio.sleep(1)
            with calls.place(KEY) as place:
                assert (place is not None) == has_place
            await draining


async def test_a_call_that_begins_at_the_end_is_logged_at_once() -> None:
    """No call slips through between its stream's start and its own."""
    calls, call = Calls(1), Ending()
    with calls.place():
        await calls.drain(0, 0)
        with calls.running(cast("Call", call), KEY):
            assert call.told.is_set()


class Bounded:
    """The room of a process: so many calls."""

    def __init__(self, room: int) -> None:
        self.room = room

    def has_room(self) -> bool:
        """Return ``True`` while there is some."""
        return self.room > 0

    def took(self) -> None:
        """Note a call."""
        self.room -= 1


async def test_a_busy_process_takes_none_but_the_calls_that_it_has_answered() -> None:
    """A call counts once: where its webhook is answered, or where a stream comes that none has announced."""
    calls, room = Calls(9), Bounded(2)
    calls.room = room
    assert calls.reserve(KEY, "line", None, 60) is None
    with calls.place() as first:
        assert first is not None
        assert room.room == 0
        assert not calls.willing
        assert calls.reserve(OTHER, "line", None, 60) is Refusal.FULL
        assert calls.unwilling is Refusal.FULL
        with calls.place() as second, calls.place(OTHER) as third:
            assert (second, third) == (None, None)
        with calls.place(KEY) as answered:
            assert answered is not None
            assert room.room == 0
    room.room = 1
    assert calls.willing


async def test_a_call_without_a_place_takes_no_room() -> None:
    """All places are taken, although the process is not busy: what was turned away costs it nothing."""
    calls, room = Calls(1), Bounded(2)
    calls.room = room
    with calls.place() as first, calls.place() as second:
        assert first is not None
        assert second is None
        assert room.room == 1
