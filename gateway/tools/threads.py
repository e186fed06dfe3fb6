"""Runs functions that block in threads, so that no call's audio waits for them."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from typing import Any, TypeVar

import structlog

from gateway.tools.result import FunctionFailed

log = structlog.get_logger()
Result = TypeVar("Result")

THREADS = 32
"""Functions that run in threads at the same time; further ones wait for a place."""


class Threads:
    """A bounded number of threads; one for the process.

    A thread cannot be stopped. A function that outlives its call or its time keeps its place until it returns, and is
    counted in ``left_running``; when every place is taken by one of those, others are refused. Threads do not keep the
    process from ending.
    """

    def __init__(self, on_left_running: Callable[[], None] = lambda: None, limit: int = THREADS) -> None:
        self._on_left_running = on_left_running
        self._limit = limit
        self._places = asyncio.Semaphore(limit)
        self.left_running = 0

    async def run(self, tool: str, function: Callable[[], Result]) -> Result:
        """Return what the function of ``tool`` returns, or raise what it raises; FunctionFailed where it is refused."""
        if self.left_running >= self._limit:
            detail = f"{self._limit} functions that nobody waits for any more have not returned"
            raise FunctionFailed("too many functions run at the moment", detail, "refused")
        await self._places.acquire()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()
        context = copy_context()

        def work() -> None:
            outcome = context.run(_outcome, function)
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._over, done, outcome)

        try:
            threading.Thread(target=work, name="function", daemon=True).start()
        except RuntimeError:
            self._places.release()
            raise FunctionFailed("the function failed", "no thread could be started") from None
        try:
            result, error = await done
        except asyncio.CancelledError:
            if done.cancelled():
                self.left_running += 1
                self._on_left_running()
                log.warning("function_left_running", tool=tool, running=self.left_running)
            raise
        if error is not None:
            raise error
        returned: Result = result
        return returned

    def _over(self, done: "asyncio.Future[tuple[Any, BaseException | None]]", outcome: Any) -> None:
        self._places.release()
        if done.cancelled():
            self.left_running -= 1
        else:
            done.set_result(outcome)


def _outcome(function: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    try:
        return function(), None
    except (Exception, SystemExit, asyncio.CancelledError) as error:  # noqa: BLE001 -- the operator's code
        return None, error
    except BaseException as error:  # noqa: BLE001 -- a thread must not raise what would end the loop
        return None, RuntimeError(type(error).__name__)
