"""The storage of recordings of one process: begins them, takes them to the store, finds and deletes them."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry

from gateway.config.records.recordings import Recordings
from gateway.errors import StoreError
from gateway.records.storing.metrics import StoringMetrics
from gateway.records.storing.opening import Store, open_store
from gateway.records.storing.pending import PendingFolder, Place, Waiting, claimed
from gateway.records.storing.retrying import Retrying
from gateway.records.storing.taking import KeptRecording, RecordingRows, utc_now
from gateway.records.storing.threads import in_thread
from gateway.records.storing.uploading import Uploading
from gateway.text import one_line

log = structlog.get_logger()

RETENTION_S = 3600.0
AT_ONCE = 100
"""Recordings that are deleted between two looks at the table."""
LOOK_S = 0.5
LEAVE_S = 20.0
"""Seconds in which a process that ends takes to the store what still waits; what is left waits for the next start."""


class RecordingStorage:
    """Keeps recordings; an entered context manager (:meth:`running`) takes them to the store.

    ``beside`` is the folder that relative paths start at.
    """

    def __init__(
        self,
        settings: Recordings,
        beside: Path,
        rows: RecordingRows,
        metrics: StoringMetrics,
        now: Callable[[], datetime] = utc_now,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._settings, self._beside, self._rows, self._metrics, self._now = settings, beside, rows, metrics, now
        self._chance = chance
        self._store = open_store(settings, beside)
        self._folder = PendingFolder(beside / settings.pending)
        self._uploading = Uploading(
            self._folder,
            self._store,
            rows,
            metrics,
            Retrying(chance),
            at_once=settings.uploads,
            limit=settings.pending_mb * 1_000_000,
            now=now,
        )
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def has_room(self) -> bool:
        """Return whether a call more may be recorded; ``False`` while too much waits for the store."""
        return self._uploading.has_room

    def begin(self, about: Waiting) -> Place:
        """Return the place in which the sound of a call is written. Reads and writes files; raises ``OSError``.

        The caller writes to its ``path``, releases it at the end of the call, and calls :meth:`ended`.
        """
        return self._folder.begin(about)

    def ended(self) -> None:
        """Take what waits to the store soon; from any thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended: the next start finds what waits
                self._loop.call_soon_threadsafe(self._uploading.wake)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Take recordings to the store until the block ends, and then for a moment those that still wait."""
        self._loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._uploading.run()), group.create_task(self._expire_hourly())]
                try:
                    yield
                finally:
                    for task in tasks:
                        task.cancel()
            await self._leave()
        finally:
            self._loop = None
            with suppress(StoreError):
                await self._store.close()

    async def _leave(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_S):
                await self._uploading.round()
                while self._uploading.failed and not self._uploading.is_away:
                    await asyncio.sleep(LOOK_S)
                    await self._uploading.round()
        if left := self._uploading.failed:
            log.info("recordings_left", recordings=left, detail="the next start takes them to the store")

    async def erase(self, call_key: str, url: str = "") -> None:
        """Delete a call's recording wherever it is: here, on its way, in the store. Raises StoreError, ``OSError``.

        ``url`` is that of its row; what has not reached the store has none yet.
        """
        await in_thread(self._folder.forget, call_key)
        async with claimed(self._folder, call_key) as place:
            if place is not None:
                await self._store.delete(self._store.url_of(place.about.name))
                await in_thread(place.remove)
        if url and "://" in url:
            async with self._store_of(url) as store:
                await store.delete(url)
        self._metrics.deleted.labels("forgotten").inc()

    async def link(self, url: str, expires_s: int | None = None) -> str:
        """Return an address of a stored recording: a link that expires, or the path of a file. Raises StoreError."""
        async with self._store_of(url) as store:
            return await store.link(url, expires_s or self._settings.link_s)

    async def read(self, url: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Yield the bytes of a stored recording from ``start`` up to ``end``. Raises StoreError."""
        async with self._store_of(url) as store:
            async for block in store.read(url, start, end):
                yield block

    async def expire(self) -> int:
        """Delete the recordings whose time is over; return how many. Raises StoreError."""
        count = 0
        while found := await self._rows.expired(self._now(), AT_ONCE):
            for recording in found:
                await self._expired(recording)
                count += 1
        return count

    async def _expired(self, recording: KeptRecording) -> None:
        async with self._store_of(recording.url) as store:
            await store.delete(recording.url)
        await self._rows.state(recording.call_key, "deleted", "", "")
        self._metrics.deleted.labels("expired").inc()

    async def _expire_hourly(self) -> None:
        while True:
            await asyncio.sleep(RETENTION_S * (0.5 + self._chance()))  # each process at another time
            try:
                count = await self.expire()
            except StoreError as error:
                log.error("recordings_not_deleted", detail=one_line(f"{error}"))
            except Exception as error:  # noqa: BLE001 -- each database's driver has errors of its own
                log.error("recordings_not_deleted", detail=f"the database is away: {type(error).__name__}")
            else:
                if count:
                    log.info("recordings_expired", recordings=count)

    @asynccontextmanager
    async def _store_of(self, url: str) -> AsyncIterator[Store]:
        """Yield the store that has a recording: the present one, or one that the settings named before."""
        if url.startswith(self._store.url_of("")):
            yield self._store
            return
        other = open_store(self._settings, self._beside, url)
        try:
            yield other
        finally:
            with suppress(StoreError):
                await other.close()


def storage_of(
    settings: Recordings, beside: Path, rows: RecordingRows, registry: CollectorRegistry
) -> RecordingStorage:
    """Return the storage of a process, with its metrics on ``registry``."""
    return RecordingStorage(settings, beside, rows, StoringMetrics(registry))
