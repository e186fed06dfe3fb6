"""Work in threads."""

import asyncio
import threading

import pytest

from gateway.records.storing.threads import in_thread


async def test_work_is_done_in_another_thread() -> None:
    """Its result and its error come back."""

    def fail() -> None:
        raise OSError("disk")

    assert await in_thread(threading.get_ident) != threading.get_ident()
    with pytest.raises(OSError, match="disk"):
        await in_thread(fail)


async def test_who_is_cancelled_waits_for_the_end_of_the_work() -> None:
    """What it did is done then, also if it failed."""
    loop = asyncio.get_running_loop()
    begun, goes_on, done = asyncio.Event(), threading.Event(), []

    def work() -> None:
        loop.call_soon_threadsafe(begun.set)
        goes_on.wait()
        done.append(True)
        raise OSError("disk")

    async with asyncio.TaskGroup() as group:
        task = group.create_task(in_thread(work))
        await begun.wait()
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        task.cancel()
        goes_on.set()
    assert task.cancelled()
    assert done == [True]
