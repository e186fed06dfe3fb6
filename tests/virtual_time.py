"""Runs tests in virtual time (:mod:`gateway.sim.virtual_time`), and fails those that leave a task or socket."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from gateway.sim.virtual_time import VirtualTimeLoop
from tests.conftest import open_sockets

T = TypeVar("T")


def in_virtual_time(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run ``main()`` on a loop of its own, in virtual time; a socket or task that is left fails."""
    before = open_sockets()
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        result = runner.run(_leaving_nothing(main))
    assert open_sockets() <= before, "sockets left behind"
    return result


def virtual_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test in virtual time, as a decorator."""

    @functools.wraps(test)
    def run(**fixtures: Any) -> None:
        in_virtual_time(lambda: test(**fixtures))

    return run


async def _leaving_nothing(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    result = await main()
    left = asyncio.all_tasks()
    for _ in range(50):
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if not left:
            return result
        await asyncio.sleep(0)
    raise AssertionError(f"tasks left behind: {left}")
