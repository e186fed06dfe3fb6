"""Who is let on the phone, and how all are asked to hang up."""

import asyncio
from typing import cast

import pytest

from gateway.call.call import Call
from gateway.call.calls import Calls


class Ending:
    """A call that only knows whether it was told to end."""

    def __init__(self) -> None:
        self.told = asyncio.Event()

    def shut_down(self) -> None:
        self.told.set()

    async def run(self, calls: Calls) -> None:
        """Take a place and keep it until told to end."""
        with calls.place(), calls.running(cast("Call", self), "support", ("twilio", "CA1")):
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
        calls.running(cast("Call", Ending()), "support", ("twilio", "CA1")),
    ):
        raise ZeroDivisionError
    assert (len(calls), calls.line_is_full("support", 1), calls.willing) == (0, False, True)


async def test_calls_are_counted_by_line() -> None:
    """Each line has its own count."""
    calls = Calls(10)
    with (
        calls.running(cast("Call", Ending()), "a", ("twilio", "CA1")),
        calls.running(cast("Call", Ending()), "a", ("twilio", "CA1")),
    ):
        assert [calls.line_is_full("a", limit) for limit in (1, 2, 3, None)] == [True, True, False, False]
        assert not calls.line_is_full("b", 1)


async def test_a_drain_of_nothing_is_over_at_once() -> None:
    """And nobody is let in afterwards."""
    calls = Calls(1)
    await calls.drain(60, 60)
    assert (calls.willing, calls.draining, calls.ending) == (False, True, False)


async def test_a_drain_gives_grace_and_then_ends() -> None:
    """Calls are told to end only when the grace is over."""
    calls, call = Calls(1), Ending()
    async with asyncio.TaskGroup() as group:
        group.create_task(call.run(calls))
        await asyncio.sleep(0)
        await calls.drain(0.01, 60)
    assert call.told.is_set()
    assert len(calls) == 0


async def test_a_call_that_ends_within_the_grace_is_not_told() -> None:
    """It ends by itself."""
    calls = Calls(1)
    async with asyncio.TaskGroup() as group:
        with calls.place(), calls.running(cast("Call", call := Ending()), "support", ("twilio", "CA1")):
            draining = group.create_task(calls.drain(60, 60))
            await asyncio.sleep(0)
        await draining
    assert not call.told.is_set()


async def test_a_call_that_will_not_end_is_waited_for_no_longer_than_the_limit() -> None:
    """Shutting down is bounded."""
    calls = Calls(1)
    with calls.place(), calls.running(cast("Call", Ending()), "support", ("twilio", "CA1")):
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


async def test_a_call_that_begins_at_the_end_is_told_at_once() -> None:
    """No call slips through between its stream's start and its own."""
    calls, call = Calls(1), Ending()
    with calls.place():
        await calls.drain(0, 0)
        with calls.running(cast("Call", call), "support", ("twilio", "CA1")):
            assert call.told.is_set()
