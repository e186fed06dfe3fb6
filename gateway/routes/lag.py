"""Measures how late the event loop is, and counts the lines that the log has lost."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.call.metrics import Metrics
from gateway.logs import setup as logs

LAG_PERIOD_S = 0.25


@contextmanager
def watching(metrics: Metrics) -> Iterator[None]:
    """Measure how late a timer runs, which delays every call, and count the lines that the log has lost."""
    loop = asyncio.get_running_loop()

    timer: asyncio.TimerHandle
    lost = logs.lost()

    def measure(due: float) -> None:
        nonlocal lost
        metrics.event_loop_lag.observe(max(0.0, loop.time() - due))
        if (now_lost := logs.lost()) > lost:
            metrics.log_lines_lost.inc(now_lost - lost)
            lost = now_lost
        again()

    def again() -> None:
        nonlocal timer
        due = loop.time() + LAG_PERIOD_S
        timer = loop.call_at(due, measure, due)

    again()
    try:
        yield
    finally:
        timer.cancel()
