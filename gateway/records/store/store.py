"""The store of one process: takes the notes of its calls, writes their rows, and cares for what dead processes left."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from msgspec import Struct
from prometheus_client import CollectorRegistry

from gateway.config.records.records import Numbers
from gateway.logs.redaction import Redactor
from gateway.records.call_rows import Priced
from gateway.records.delivery.deliveries import Deliveries
from gateway.records.delivery.targets import Targets
from gateway.records.masking import Masking
from gateway.records.store import workers
from gateway.records.store.adopting import adopt
from gateway.records.store.database import Database
from gateway.records.store.deleting.retention import RecordingFiles, Retention, purge
from gateway.records.store.failures import DatabaseError, is_away
from gateway.records.store.intake import Intake
from gateway.records.store.keepable import Keepable
from gateway.records.store.leases import take_lease
from gateway.records.store.metrics import RecordMetrics
from gateway.records.store.number_keys import own_number_key, register
from gateway.records.store.spool import Spool, spools
from gateway.records.store.writer import Writer

log = structlog.get_logger()

PURGE_EVERY = timedelta(hours=1)


class StoreSettings(Struct, frozen=True):
    """The settings of a store; ``data`` is the folder of what waits, ``url`` the database."""

    data: Path
    url: str
    migrates: bool = True
    words: bool = True
    numbers: Numbers = "masked"
    spool_bytes: int = 64 << 20
    queue: int = 50_000


def utc_now() -> datetime:
    """Return the time of day."""
    return datetime.now(UTC)


class RecordStore:
    """Takes notes with ``intake.observe`` and rows with ``intake.put``, between :meth:`running`'s start and end.

    ``clock`` is that of the calls. ``redactor`` removes the deployment's secrets from messages. ``targets`` get the
    events of calls.
    """

    def __init__(
        self,
        settings: StoreSettings,
        registry: CollectorRegistry,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
        redactor: Redactor | None = None,
        database: Database | None = None,
        priced: Priced | None = None,
        targets: Targets | None = None,
    ) -> None:
        self.settings = settings
        self.worker = secrets.token_hex(8)
        self.metrics = RecordMetrics(registry)
        self.database = database or Database(settings.url)
        self._now = now
        self._key = own_number_key(settings.data)
        keepable = Keepable(self._key, Masking(settings.words, settings.numbers), redactor or Redactor())
        self.deliveries = Deliveries(
            targets or Targets((), lambda _: None), self.database, registry, words=settings.words, worker=self.worker
        )
        self.intake = Intake(
            settings.queue,
            keepable,
            worker=self.worker,
            clock=clock,
            now=now,
            priced=priced,
            events_of=self.deliveries.of_call,
        )
        self._spool = Spool(settings.data, self.worker, settings.spool_bytes)
        self.writer = Writer(
            self.intake,
            self.database,
            self._spool,
            self.metrics,
            self._prepare,
            settings.queue,
            self.deliveries.written,
        )
        self._watch = workers.Watch(self.worker, clock)
        self._purged: datetime | None = None
        self.retention: Callable[[], Retention] | None = None
        """Says how long calls are kept; without it they are never deleted."""
        self.files: RecordingFiles | None = None
        """Deletes the recordings of calls that are deleted."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator["RecordStore"]:
        """Write in the background until the block ends, and what is left by then; what cannot be written waits."""
        with contextlib.suppress(OSError):  # it is tried again with the first row
            await asyncio.to_thread(self._spool.open)
        failure: BaseException | None = None
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(self.writer.run())
            caring = group.create_task(self._care())
            delivering = group.create_task(self.deliveries.run(lambda: self.writer.is_ready))
            try:
                yield self
            except BaseException as error:  # noqa: BLE001 -- raised below, as it is and in no group
                failure = error
            caring.cancel()
            self.writer.close()
            await asyncio.wait([writing, caring])
            await self.deliveries.finish()
            delivering.cancel()
            await asyncio.wait([delivering])
            await self._leave()
        if failure is not None:
            raise failure

    async def _leave(self) -> None:
        if self.writer.is_ready and not self.writer.is_away:
            await self._tried(lambda: workers.leave(self.database, self.worker))
        await asyncio.to_thread(self._spool.close)
        await self.database.close()

    async def _prepare(self) -> None:
        if self.settings.migrates:
            if applied := await asyncio.to_thread(_migrated, self.settings.url):
                log.info("records_migrated", database=self.database.shown, versions=applied)
        else:
            await self.database.check()
        async with self.database.write() as connection:
            await register(self.database, connection, self._key)
        await workers.beat(self.database, self.worker, self._now(), self.intake.live)
        log.info(
            "records_ready", database=self.database.shown, words=self.settings.words, numbers=self.settings.numbers
        )

    # What is done every few seconds

    async def _care(self) -> None:
        while True:
            if self.writer.is_ready and not await self._tried(self._care_once):
                self._watch.lost_sight()
            await asyncio.sleep(workers.BEAT_S)

    async def _tried(self, task: Callable[[], Awaitable[None]]) -> bool:
        """Return whether a task succeeded; that the database is away is reported by the writer."""
        try:
            await task()
        except Exception as error:
            if not is_away(error) and not isinstance(error, DatabaseError):
                log.exception("records_failed")
            return False
        return True

    async def _care_once(self) -> None:
        if await workers.beat(self.database, self.worker, self._now(), self.intake.live):
            log.warning("records_revived", worker=self.worker)
        for spool in spools(self.settings.data):
            if spool.worker != self.worker and await asyncio.to_thread(spool.adopt):
                await self._adopt(spool)
        for worker in await self._watch.silent(self.database):
            await self._mark_interrupted(worker)
        self._interrupted(await workers.mark_orphans(self.database, self.worker, self.deliveries.of_interrupted))
        await self._purge()

    async def _adopt(self, spool: Spool) -> None:
        adopted = await adopt(self.database, spool, self.deliveries.of_interrupted)
        self._interrupted(adopted.interrupted)
        if adopted.lost:
            self.metrics.lost("refused", adopted.lost)
            log.error("records_lost", reason="refused", count=adopted.lost, detail="rows of a dead process")
        if adopted.rows:
            log.info("records_recovered", rows=adopted.rows)

    async def _purge(self) -> None:
        """Delete what is kept for too long, once an hour, in one of all processes."""
        now = self._now()
        if self.retention is None or (self._purged and now - self._purged < PURGE_EVERY):
            return
        if await take_lease(self.database, "purge", self.worker, PURGE_EVERY.total_seconds() / 2, now):
            purged = await purge(self.database, self.retention(), now, self.files)
            if purged.calls or purged.left:
                log.info("records_purged", calls=purged.calls, recordings=purged.recordings, left=purged.left)
        self._purged = now

    async def _mark_interrupted(self, worker: str) -> None:
        self._interrupted(await workers.mark_interrupted(self.database, worker, self.deliveries.of_interrupted))

    def _interrupted(self, count: int) -> None:
        if count:
            self.metrics.interrupted.inc(count)
            log.warning("calls_interrupted", count=count)


def _migrated(url: str) -> list[str]:
    """Migrate on a loop of its own: calls may go on, and making tables would keep theirs for many frames."""

    async def migrate() -> list[str]:
        async with Database(url) as database:
            return await database.migrate()

    return asyncio.run(migrate())
