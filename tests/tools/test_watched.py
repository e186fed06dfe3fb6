"""A coroutine that is measured runs as it would without that."""

import asyncio
import time

import pytest

from gateway.tools.watched import Watched


async def test_the_longest_step_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a clock that the test sets: what passes while it waits is not counted."""
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    waiting = asyncio.Event()

    async def works() -> str:
        now[0] += 0.07
        await waiting.wait()
        now[0] += 0.03
        return "done"

    async def wakes() -> None:
        now[0] += 100.0
        waiting.set()

    watched = Watched(works())

    async def awaits() -> str:
        return await watched

    async with asyncio.TaskGroup() as group:
        working = group.create_task(awaits())
        await asyncio.sleep(0)
        group.create_task(wakes())
    assert working.result() == "done"
    assert watched.longest_s == pytest.approx(0.07)


async def test_a_cancellation_reaches_it() -> None:
    """It can tidy up, and its waits are cancelled."""
    told: list[str] = []

    async def works() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            told.append("cancelled")
            await asyncio.sleep(0)
            told.append("tidied up")
            raise

    async def awaits() -> None:
        await Watched(works())

    async with asyncio.TaskGroup() as group:
        working = group.create_task(awaits())
        await asyncio.sleep(0)
        working.cancel()
    assert told == ["cancelled", "tidied up"]
    assert working.cancelled()


async def test_what_it_raises_comes_out() -> None:
    """At once, or after a wait that raised."""

    async def raises() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        raise KeyError("x")

    with pytest.raises(KeyError):
        await Watched(raises())
