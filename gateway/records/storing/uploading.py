"""Takes recordings to their store, one after another and some at once, beside the calls and again after a restart."""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime

import structlog

from gateway.errors import StoreError
from gateway.records.storing.metrics import FAILED, StoringMetrics
from gateway.records.storing.opening import Store
from gateway.records.storing.pending import PendingFolder, Usage, claimed
from gateway.records.storing.retrying import Retrying
from gateway.records.storing.taking import RecordingRows, RowsAwayError, take
from gateway.records.storing.threads import in_thread
from gateway.text import one_line

log = structlog.get_logger()

POLL_S = 30.0
"""Seconds between two looks at the folder: recordings that another process left are found so."""


class Uploading:
    """Takes what waits in a folder to a store; :meth:`run` goes on until it is cancelled.

    ``at_once`` recordings are on their way at the same time, and ``limit`` bytes may wait.
    """

    def __init__(
        self,
        folder: PendingFolder,
        store: Store,
        rows: RecordingRows,
        metrics: StoringMetrics,
        retrying: Retrying,
        *,
        at_once: int,
        limit: int,
        now: Callable[[], datetime],
    ) -> None:
        self._folder, self._store, self._rows, self._metrics = folder, store, rows, metrics
        self._retrying = retrying
        self._at_once, self._limit = at_once, limit
        self._now = now
        self._wake = asyncio.Event()
        self.has_room = True
        """There is room for a recording more."""

    @property
    def failed(self) -> int:
        """The number of recordings that could not be taken to the store, or whose rows could not be written."""
        return self._retrying.count

    @property
    def is_away(self) -> bool:
        """Return whether the store is away."""
        return self._retrying.is_away

    def wake(self) -> None:
        """Look at the folder now: a recording has ended. Only in the thread of the loop."""
        self._wake.set()

    async def run(self) -> None:
        """Take what waits, whenever something does."""
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            await self.round()
            wait_s = self._retrying.next_at(loop.time(), POLL_S) - loop.time()
            try:
                async with asyncio.timeout(max(0.05, wait_s)):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def round(self) -> int:
        """Take what is due once; return how many recordings are left, those of calls in progress included."""
        try:
            keys = await in_thread(self._folder.keys)
            due = deque(self._retrying.due(keys, asyncio.get_running_loop().time()))
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._at_once, len(due))):
                    group.create_task(self._take_each(due))
            usage = await in_thread(self._folder.usage)
        except OSError as error:
            if self._retrying.failed("", asyncio.get_running_loop().time(), is_store=False):
                log.error(
                    "recording_folder_failed", folder=str(self._folder.folder), detail=error.strerror or f"{error}"
                )
            return 0
        self._show(usage)
        return usage.count

    async def _take_each(self, due: deque[str]) -> None:
        while due:
            await self._take(due.popleft())

    async def _take(self, key: str) -> None:
        now = asyncio.get_running_loop().time
        try:
            async with claimed(self._folder, key) as place:
                if place is None:
                    return
                outcome = await take(place, self._store, self._rows, self._now)
        except RowsAwayError as error:
            self._retrying.failed(key, now(), is_store=False)
            log.debug("recording_row_waits", call_key=key, detail=one_line(f"{error}"))
        except (StoreError, OSError, ValueError) as error:
            self._metrics.taken.labels(FAILED).inc()
            if self._retrying.failed(key, now(), is_store=isinstance(error, StoreError)):
                log.error("recording_not_stored", call_key=key, detail=one_line(f"{error}"))
        else:
            self._metrics.taken.labels(outcome).inc()
            if outcome in ("expired", "forgotten"):
                self._metrics.deleted.labels(outcome).inc()
            if outcome == "stored":
                log.info("recording_stored", call_key=key)
            else:
                log.info("recording_removed", call_key=key, outcome=outcome)
            if self._retrying.succeeded(key):
                log.info("recording_store_back")
                self._wake.set()

    def _show(self, usage: Usage) -> None:
        self._metrics.show(usage, self._now())
        had_room, self.has_room = self.has_room, usage.size < self._limit
        if had_room and not self.has_room:
            log.error("recording_suspended", recordings=usage.count, bytes=usage.size, limit=self._limit)
        elif self.has_room and not had_room:
            log.info("recording_resumed", recordings=usage.count, bytes=usage.size)
