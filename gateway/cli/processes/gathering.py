"""Lets a busy event loop wake up at intervals, for all that has come meanwhile, in place of once for each frame.

With two hundred calls ten thousand frames a second come from callers, most of them alone: the core is woken for each,
and finds its caches cold. Network cards and kernels gather interrupts for the same reason (Linux: ``ethtool
--coalesce``, NAPI). docs/performance.md#frames-that-are-handled-together has what it gives and costs.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sized
from contextlib import contextmanager

FROM_CALLS, UNTIL_CALLS = 100, 80
"""The calls of the process from which on frames are gathered, and below which no more."""
LOOK_S = 1.0
"""Seconds between two looks at the number of calls."""
TURNS = 2
"""Turns of the loop before a rest: one in which sockets are read, and one for the tasks that this wakes."""


@contextmanager
def gathering(
    calls: Sized,
    every_s: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Let the loop rest up to ``every_s`` between two wake-ups while there are many ``calls``, until the block ends.

    A round of the loop that takes longer than that itself is followed by no rest. ``every_s`` of 0 changes nothing.
    """
    if not every_s:
        yield
        return
    rests = _Rests(asyncio.get_running_loop(), every_s, clock, sleep)
    rests.look(calls)
    try:
        yield
    finally:
        rests.end()


class _Rests:
    """Keeps a callback of its own in the loop, which sleeps: in place of the loop, which would wake for each frame."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        every_s: float,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._loop = loop
        self._every_s = every_s
        self._clock = clock
        self._sleep = sleep
        self._due = 0.0
        self._is_on = False
        self._is_queued = False
        self._timer: asyncio.TimerHandle | None = None

    def look(self, calls: Sized) -> None:
        """Begin, go on or stop by the number of calls; look again after ``LOOK_S``."""
        self._is_on = len(calls) >= (UNTIL_CALLS if self._is_on else FROM_CALLS)
        if self._is_on and not self._is_queued:
            self._is_queued = True
            self._rest()
        self._timer = self._loop.call_later(LOOK_S, self.look, calls)

    def end(self) -> None:
        """Rest no more."""
        self._is_on = False
        if self._timer is not None:
            self._timer.cancel()

    def _rest(self) -> None:
        if not self._is_on:
            self._is_queued = False
            return
        rest_s = self._due - self._clock()
        if rest_s > 0:
            self._sleep(rest_s)
            self._due += self._every_s
        else:
            self._due = self._clock() + self._every_s
        self._loop.call_soon(self._after_others, TURNS)

    def _after_others(self, turns: int) -> None:
        """Rest so many turns of the loop later: first comes what was read meanwhile, and what that calls for."""
        if turns > 1:
            self._loop.call_soon(self._after_others, turns - 1)
        else:
            self._loop.call_soon(self._rest)
