"""Measures the load of this process, for ``limits.calls: auto``."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import structlog
from prometheus_client import Gauge

from gateway.routes.admitting.saturation import PERIOD_S, Saturation

log = structlog.get_logger()


class Load:
    """Samples the event loop's thread by one timer, while ``measured``; says whether one more call may be taken.

    ``late_frames`` returns the frames that each call in progress has sent late so far; ``cpu`` is the processor time of
    the thread that calls it, in seconds.
    """

    def __init__(
        self,
        late_frames: Callable[[], Mapping[Any, int]],
        saturated: Gauge,
        *,
        cpu: Callable[[], float] = time.thread_time,
    ) -> None:
        self._late_frames = late_frames
        self._gauge = saturated
        self._cpu = cpu
        self._loop = asyncio.get_running_loop()
        self._saturation = Saturation()
        self._late: Mapping[Any, int] = {}
        self._sampled_at = self._loop.time()
        self._used = cpu()
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Sample the load until the block ends."""
        self._await_sample()
        try:
            yield
        finally:
            if self._timer is not None:
                self._timer.cancel()

    @property
    def busy(self) -> float:
        """The share of a core that the event loop's thread used in the last period."""
        return self._saturation.busy

    def has_room(self) -> bool:
        """Return ``True`` if one more call may be taken."""
        return self._saturation.has_room(self._loop.time())

    def took(self) -> None:
        """Note that a call was taken."""
        self._saturation.took(self._loop.time())

    def _await_sample(self) -> None:
        due = self._loop.time() + PERIOD_S
        self._timer = self._loop.call_at(due, self._sample, due)

    def _sample(self, due: float) -> None:
        now, used, late = self._loop.time(), self._cpu(), self._late_frames()
        passed_s = max(now - self._sampled_at, 1e-9)
        late_now = sum(max(0, count - self._late.get(call, 0)) for call, count in late.items())
        changed = self._saturation.sample(
            now,
            busy=(used - self._used) / passed_s,
            lag_s=max(0.0, now - due),
            late_frames=late_now,
            calls=len(late),
        )
        self._sampled_at, self._used, self._late = now, used, late
        if changed:
            self._note(len(late))
        self._await_sample()

    def _note(self, calls: int) -> None:
        saturation = self._saturation
        self._gauge.set(saturation.is_saturated)
        if saturation.is_saturated:
            log.warning("saturated", calls=calls, detail=saturation.reason)
        else:
            log.info("saturation_over", calls=calls, busy=round(saturation.busy, 2))
