"""An event loop whose time jumps to the next timer: calls of minutes take as long as their work does.

Real sockets of this process are served as they become ready; only when nothing is ready does time go on, and then at
once to the next timer. What depends on time alone is therefore exact on the busiest machine. Programs of other
processes do not see this time.
"""

import asyncio
import functools
import selectors
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any, TypeVar, TypeVarTuple

import pytest

from tests.conftest import open_sockets

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

SETTLE_S = 0.00002
"""Real time for a packet that the kernel has deferred; those of the loopback interface usually arrive at once."""
STUCK_S = 30.0
"""Real time after which a loop that waits for nothing but sockets and threads has hung."""


class _Selector(selectors.BaseSelector):
    """Polls the sockets; moves the loop's time on where none is ready."""

    def __init__(self) -> None:
        self._real = selectors.DefaultSelector()
        self.now = 0.0
        self.threads = 0
        """Calls that run in threads: their results come in real time."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return the sockets that are ready; none, and ``timeout`` later, where none is."""
        if (ready := self._real.select(0)) or timeout == 0:
            return ready
        if timeout is None:
            ready = self._real.select(STUCK_S)
            if not ready:
                raise RuntimeError("nothing happens any more: no timer, no socket, no thread")
            return ready
        if self.threads:
            return self._real.select(0.001)
        time.sleep(SETTLE_S)  # a selector rounds its timeout up to a whole millisecond
        if not (ready := self._real.select(0)):
            self.now += timeout
        return ready

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def close(self) -> None:
        self._real.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop that takes its time from the :class:`_Selector`; see the module."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)
        self._virtual.now = time.monotonic()

    def time(self) -> float:
        """Return the virtual time, in seconds."""
        return self._virtual.now

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> "asyncio.Future[T]":
        """Run in a thread; time stands still meanwhile."""
        future = super().run_in_executor(executor, func, *args)
        self._virtual.threads += 1
        future.add_done_callback(self._returned)
        return future

    def _returned(self, _: "asyncio.Future[Any]") -> None:
        self._virtual.threads -= 1


@contextmanager
def _calls_on(loop: VirtualTimeLoop) -> Iterator[None]:
    """Let the clock of calls be the loop's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.call.call.clock", loop.time)
        patch.setattr("gateway.routes.media_stream.clock", loop.time)
        patch.setattr("gateway.fleet.places.clock", loop.time)
        patch.setattr("gateway.tape.tapes.clock", loop.time)
        yield


def in_virtual_time(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run ``main()`` on a loop of its own, in virtual time; a socket or task that is left fails."""
    before = open_sockets()
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualTimeLoop)
        with _calls_on(loop):
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
