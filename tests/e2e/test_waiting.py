"""A wait whose time is up names the event."""

import asyncio

import pytest

from tests.e2e.waiting import Waits
from tests.virtual_time import virtual_time


async def two_waits() -> None:
    """Wait for what comes, then for what never comes."""
    waits = Waits()
    async with waits.within(5):
        with waits.on("session_ready of line1"):
            await asyncio.sleep(1)
        with waits.on("reply_heard of line1, number 2"):
            await asyncio.Event().wait()


async def failing() -> None:
    """Fail within the time."""
    async with Waits().within(5):
        raise ZeroDivisionError


@virtual_time
async def test_a_wait_that_is_given_up_names_its_event() -> None:
    """And no wait that had ended before."""
    with pytest.raises(TimeoutError, match=r"^5 s are over, it waited for reply_heard of line1, number 2$"):
        await two_waits()


@virtual_time
async def test_an_error_within_its_time_stays_what_it_is() -> None:
    """A wait that ended in time is not named."""
    with pytest.raises(ZeroDivisionError):
        await failing()
