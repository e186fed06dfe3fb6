"""Keeps the garbage collector of a serving process to small parts, and measures how long it stops everything."""

import asyncio
import gc
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import Histogram

THRESHOLDS = (1_000, 2, 5)
"""Small and often: docs/performance.md#garbage-collection has what others would cost."""
READ_S = 1.0
"""Seconds between two looks at what was measured."""
MOST_WAITING = 1_000


@contextmanager
def collected_in_parts(pauses: Histogram) -> Iterator[None]:
    """Leave out of every collection what was made before this block, and count the pauses until the block ends.

    ``pauses`` takes seconds by ``generation``. The collector may run while any thread holds the lock of a metric, so
    that its callback notes a pause, and a timer of the event loop counts it.
    """
    loop = asyncio.get_running_loop()
    timer: asyncio.TimerHandle
    began_at = 0.0
    measured: deque[tuple[int, float]] = deque(maxlen=MOST_WAITING)

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

    def read() -> None:
        nonlocal timer
        count()
        timer = loop.call_later(READ_S, read)

    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    gc.callbacks.append(note)
    read()
    try:
        yield
    finally:
        timer.cancel()
        gc.callbacks.remove(note)
        gc.set_threshold(*before)
        count()
