"""Functions that block run in threads, and what is left of them is bounded and counted."""

import asyncio
import threading
from collections.abc import Callable
from contextvars import ContextVar

import pytest

from gateway.tools.result import FunctionFailed
from gateway.tools.threads import Threads

CALL: ContextVar[str] = ContextVar("CALL")


async def settled(done: Callable[[], bool]) -> None:
    """Wait until threads have come back."""
    async with asyncio.timeout(10):
        while not done():  # noqa: ASYNC110 -- a thread sets no event of the loop
            await asyncio.sleep(0)


async def test_a_function_runs_beside_the_loop_in_its_call_s_context() -> None:
    """It returns and raises as if it were called here."""
    CALL.set("CA1")
    threads = Threads()
    assert await threads.run("f", lambda: (CALL.get(), threading.current_thread() is threading.main_thread())) == (
        "CA1",
        False,
    )
    with pytest.raises(KeyError):
        await threads.run("f", lambda: dict[str, int]()["x"])


async def test_a_thread_keeps_no_process_from_ending() -> None:
    """It is a daemon, and a list of threads tells what it is."""
    thread = await Threads().run("f", threading.current_thread)
    assert (thread.daemon, thread.name) == (True, "function")


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit])
async def test_what_would_end_the_process_ends_the_function(error: type[BaseException]) -> None:
    """It becomes an error like any other."""

    def function() -> None:
        raise error

    with pytest.raises(RuntimeError, match=error.__name__):
        await Threads().run("f", function)


async def test_a_call_that_ends_leaves_no_place_taken_for_ever() -> None:
    """A thread that nobody waits for keeps its place until it returns; where all do, others are refused at once."""
    told: list[int] = []
    threads = Threads(lambda: told.append(1), limit=2)
    free, entered = threading.Event(), threading.Semaphore(0)

    def hangs() -> None:
        entered.release()
        free.wait(10)

    running = [asyncio.ensure_future(threads.run("f", hangs)) for _ in range(3)]  # noqa: TID251 -- awaited below
    await settled(lambda: entered.acquire(blocking=False))
    await settled(lambda: entered.acquire(blocking=False))
    for one in running:
        one.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    assert (threads.left_running, len(told)) == (2, 2)
    with pytest.raises(FunctionFailed, match="too many"):
        await threads.run("f", lambda: 1)
    free.set()
    await settled(lambda: threads.left_running == 0)
    assert await threads.run("f", lambda: 1) == 1
    assert not entered.acquire(blocking=False)
