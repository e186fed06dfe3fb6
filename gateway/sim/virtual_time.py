"""An event loop whose time jumps to the next timer: calls of minutes take as long as their work does.

Real sockets of this process are served as they become ready; only when nothing is ready does time go on, and then at
once to the next timer. What depends on time alone is therefore exact on the busiest machine. Programs of other
processes do not see this time.
"""

import asyncio
import selectors
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

HOPS = 4
"""Packets that may follow from one another before a socket is ready: a handshake has three."""
STUCK_S = 30.0
"""Real time after which a loop that waits for nothing but sockets and threads has hung."""
BUSY_TURNS, BUSY_S = 1000, 1e-6
"""A loop that waits for nothing in so many turns is busy, and each further turn takes this virtual time."""
THREAD_S = 0.001
"""Real time between two looks at the sockets while a thread works."""


class _Fence:
    """Waits for the packets on their way: the loopback interface delivers in order, though late on a busy machine."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            self._near = socket.create_connection(server.getsockname())
            self._far, _ = server.accept()
        for end in (self._near, self._far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def wait(self) -> None:
        """Return when whatever was sent before has arrived, and what the kernel has sent in answer."""
        for _ in range(HOPS // 2):
            self._near.send(b".")
            self._far.recv(1)
            self._far.send(b".")
            self._near.recv(1)

    def close(self) -> None:
        """Close both ends."""
        self._near.close()
        self._far.close()


class _Selector(selectors.BaseSelector):
    """Polls the sockets; moves the loop's time on where none is ready."""

    def __init__(self) -> None:
        self._real = selectors.DefaultSelector()
        self._fence = _Fence()
        self.now = 0.0
        self._busy_turns = 0
        self.threads = 0
        """Calls that run in threads: their results come in real time."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return the sockets that are ready; none, and ``timeout`` later, where none is."""
        if (ready := self._real.select(0)) or timeout == 0:
            self._busy_turns = 0 if ready else self._busy_turns + 1
            if self._busy_turns > BUSY_TURNS:
                self.now += BUSY_S
            return ready
        self._busy_turns = 0
        if timeout is None:
            ready = self._real.select(STUCK_S)
            if not ready:
                raise RuntimeError("nothing happens any more: no timer, no socket, no thread")
            return ready
        if self.threads:
            return self._real.select(THREAD_S)
        self._fence.wait()
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
        self._fence.close()

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

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Wait for the threads to end, however long: Python 3.12 sets a limit, which would be over at once."""
        with self.standing_still():
            await super().shutdown_default_executor()

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Let no time pass within the block, which waits for a thread or for another process, such as a database."""
        self._virtual.threads += 1
        try:
            yield
        finally:
            self._virtual.threads -= 1

    def _returned(self, _: "asyncio.Future[Any]") -> None:
        self._virtual.threads -= 1


def clock_of(loop: asyncio.AbstractEventLoop) -> Callable[[], float]:
    """Return the clock of calls that run on ``loop``: its own where its time is virtual, else the machine's."""
    return loop.time if isinstance(loop, VirtualTimeLoop) else time.monotonic
