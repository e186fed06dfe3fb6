"""Keeps the garbage collector of a serving process to small parts, and measures how long it stops everything.

A call that has ended leaves objects that refer to one another in circles, which only a full collection frees. That
looks through the objects of all calls in progress, and stops them for it: 0.1 s with some five hundred of them. It is
therefore made by the number of calls that have ended, and not, as Python does by itself, by that of those that began.

What is freed then lies between what is in use: glibc keeps such pages, and takes others for the next calls, so that the
process grows with each wave of calls. They are given back a little after each full collection.
"""

import asyncio
import ctypes
import gc
import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from typing import Protocol

from prometheus_client import Histogram

THRESHOLDS = (1_000, 2, 2**30)
"""Young and middle collections small and often, no full one by itself; docs/performance.md#garbage-collection has what
others would cost."""
ENDED_CALLS = 500
"""The calls that have ended since the last full collection, before the next one: 20 MB of what they left."""
FEW_CALLS, ENDED_THEN = 25, 25
"""With no more calls in progress than the first, a full collection takes few milliseconds: it is made after so few."""
LONGEST_S = 600.0
"""The time between two full collections at most: not only calls leave garbage."""
LINGER_S = 5.0
"""The time from a full collection until pages are given back: a connection by TLS stays two seconds after its end."""
READ_S = 1.0
"""Seconds between two looks at what was measured."""
MOST_WAITING = 1_000


class Calls(Protocol):
    """The calls of the process."""

    ended: int
    """The calls that have ended so far."""

    def __len__(self) -> int:
        """Return the number of calls in progress."""


@contextmanager
def collected_in_parts(pauses: Histogram, calls: Calls) -> Iterator[None]:
    """Leave out of every collection what was made before this block, and count the pauses until the block ends.

    ``pauses`` takes seconds by ``generation``. The collector may run while any thread holds the lock of a metric, so
    that its callback notes a pause, and a timer of the event loop counts it.
    """
    loop = asyncio.get_running_loop()
    timer: asyncio.TimerHandle
    began_at = 0.0
    measured: deque[tuple[int, float]] = deque(maxlen=MOST_WAITING)
    full = FullCollections(calls, loop.time())
    give_back = freed_memory_giver()
    give_back_at = math.inf

    def note(phase: str, info: Mapping[str, int]) -> None:
        nonlocal began_at
        if phase == "start":
            began_at = perf_counter()
        else:
            measured.append((info["generation"], perf_counter() - began_at))

    def count() -> None:
        while measured:
            generation, seconds = measured.popleft()
            pauses.labels(str(generation)).observe(seconds)

    def look() -> None:
        nonlocal timer, give_back_at
        if full.is_due(now := loop.time()):
            gc.collect()
            full.made(now)
            give_back_at = now + LINGER_S
        elif now >= give_back_at:
            give_back()
            give_back_at = math.inf
        count()
        timer = loop.call_later(READ_S, look)

    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    gc.callbacks.append(note)
    look()
    try:
        yield
    finally:
        timer.cancel()
        gc.callbacks.remove(note)
        gc.set_threshold(*before)
        count()


def freed_memory_giver() -> Callable[[], object]:
    """Return what gives free pages back to the system: glibc's ``malloc_trim`` (malloc_trim(3)); nothing elsewhere."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # musl and macOS have none, and Windows no library by that name
        return lambda: None
    trim.argtypes = [ctypes.c_size_t]
    return partial(trim, 0)


class FullCollections:
    """Says when a full collection is due, by the last one that was ``made``; times in seconds, on any clock."""

    def __init__(self, calls: Calls, now: float) -> None:
        self._calls = calls
        self.made(now)

    def made(self, now: float) -> None:
        """Note that one was made."""
        self._made_at = now
        self._ended_then = self._calls.ended

    def is_due(self, now: float) -> bool:
        """Return ``True`` if one is due."""
        ended = self._calls.ended - self._ended_then
        enough = ENDED_THEN if len(self._calls) <= FEW_CALLS else ENDED_CALLS
        return ended >= enough or now - self._made_at >= LONGEST_S
