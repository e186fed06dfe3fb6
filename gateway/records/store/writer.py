"""Writes rows in batches. While the database is slow or away they wait in the spool; the order is kept.

Two tasks: one makes rows every half second and never waits for the database; the other writes them, first those of the
spool. A row that is both in a batch under way and in the spool is written twice, and is there once.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from gateway.records.rows import Row
from gateway.records.store.batches import newest, write
from gateway.records.store.database import Database
from gateway.records.store.failures import DatabaseError, is_away
from gateway.records.store.intake import Intake
from gateway.records.store.metrics import RecordMetrics
from gateway.records.store.spool import Spool

log = structlog.get_logger()

EVERY_S = 0.5
SLOW_S = 1.0
"""Seconds after which rows go to the spool while a batch is under way."""
RETRY_S = (0.5, 1.0, 2.0, 5.0)
"""Seconds between attempts at a database that is away; the last one again and again."""
CLOSE_S = 10.0
"""Seconds in which all must be written at the end; what is left waits in the spool for the next start."""
BATCH = 2000


class Writer:
    """Writes what ``intake`` takes. ``prepare`` makes the database ready, and is called until it succeeds.

    At most ``most`` rows wait in memory where the spool cannot take them. ``written`` is told of what was written.
    """

    def __init__(
        self,
        intake: Intake,
        database: Database,
        spool: Spool,
        metrics: RecordMetrics,
        prepare: Callable[[], Awaitable[None]],
        most: int,
        written: Callable[[Sequence[Row]], None] = lambda _: None,
    ) -> None:
        self._intake = intake
        self._database = database
        self._spool = spool
        self._metrics = metrics
        self._prepare = prepare
        self._most = most
        self._written = written
        self._pending: list[Row] = []
        self._under_way: list[Row] = []
        self._began: float | None = None
        self._spool_use = asyncio.Lock()
        self._closing = asyncio.Event()
        self._all_made = False
        self._given = asyncio.Event()
        self.is_ready = False
        """``True`` once the database is prepared."""
        self.is_away = False

    async def run(self) -> None:
        """Write until :meth:`close` is called."""
        try:
            async with asyncio.TaskGroup() as group:
                writing = group.create_task(self._going_on(self._write))
                await self._going_on(self._make)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(CLOSE_S):
                        await asyncio.shield(writing)
                writing.cancel()
        finally:
            await self._end()

    def close(self) -> None:
        """Let the tasks end once everything is written."""
        self._closing.set()

    async def _going_on(self, task: Callable[[], Awaitable[None]]) -> None:
        """Run a task until it is done; a bug is logged, and ends no call."""
        while True:
            try:
                return await task()
            except Exception:
                log.exception("records_failed")
                await asyncio.sleep(EVERY_S)

    # Rows are made

    async def _make(self) -> None:
        while not self._all_made:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S):
                    await self._closing.wait()
            closing = self._closing.is_set()
            self._pending += await self._intake.rows()
            self._lost("queue", self._intake.take_lost())
            if self._pending and self._must_wait():
                await self._to_spool()
            self._metrics.waiting.set(len(self._pending) + len(self._under_way))
            self._all_made = closing and not len(self._intake)
            self._given.set()

    def _must_wait(self) -> bool:
        is_slow = self._began is not None and self._now() - self._began > SLOW_S
        return self.is_away or is_slow or self._spool.waits

    async def _to_spool(self) -> None:
        """Move what waits in memory to the spool, with the batch under way: its answer may never come."""
        async with self._spool_use:
            rows = self._under_way + self._pending
            self._under_way, self._pending = [], []
            try:
                last = newest(rows)
                unfit = await asyncio.to_thread(self._spool.append, last)
            except OSError as error:
                self._pending = rows + self._pending
                self._lost("spool", len(self._pending) - self._most, detail=error.strerror or "")
                del self._pending[self._most :]
                return
            self._metrics.spooled.inc(len(last) - unfit)
            self._lost("spool", unfit, detail="the spool is full")

    # Rows are written

    async def _write(self) -> None:
        tries = 0
        while not (self._all_made and not self._pending and not self._spool.waits):
            if not self._pending and not self._spool.waits and self.is_ready:
                self._given.clear()
                await self._given.wait()
                continue
            try:
                await self._write_once()
            except Exception as error:
                if not isinstance(error, DatabaseError) and not is_away(error):
                    raise
                self._went_away(error)
                if self._all_made:
                    return
                await self._pause(RETRY_S[min(tries, len(RETRY_S) - 1)])
                tries += 1
            else:
                tries = 0
                self._came_back()

    async def _write_once(self) -> None:
        self._began = self._now()
        try:
            if not self.is_ready:
                await self._prepare()
                self.is_ready = True
            elif self._spool.waits:
                await self._write_spool()
            else:
                await self._write_pending()
        finally:
            self._began = None

    async def _write_spool(self) -> None:
        async with self._spool_use:
            rows, unreadable = await asyncio.to_thread(self._spool.take)
        refused = await write(self._database, rows)
        async with self._spool_use:
            await asyncio.to_thread(self._spool.taken)
        self._wrote(rows, refused)
        self._lost("refused", unreadable, detail="lines of the spool that cannot be read")

    async def _write_pending(self) -> None:
        rows = self._pending[:BATCH]
        del self._pending[:BATCH]
        self._under_way = rows
        try:
            refused = await write(self._database, rows)
        except BaseException:
            self._pending[:0] = self._under_way  # unless it is in the spool by now
            raise
        finally:
            self._under_way = []
        self._wrote(rows, refused)

    def _wrote(self, rows: Sequence[Row], refused: Sequence[Row]) -> None:
        self._metrics.written.inc(len(rows) - len(refused))
        self._written(rows)
        self._lost("refused", len(refused), detail=", ".join(sorted({type(row).__name__ for row in refused})))

    async def _end(self) -> None:
        """Put what is left into the spool."""
        if self._pending:
            await self._to_spool()
        self._lost("spool", len(self._pending))
        self._pending.clear()
        self._metrics.waiting.set(0)

    # The state of the database

    def _went_away(self, error: BaseException) -> None:
        self._metrics.up.set(0)
        if not self.is_away:
            self.is_away = True
            log.error("records_unavailable", database=self._database.shown, detail=_told(error))

    def _came_back(self) -> None:
        self._metrics.up.set(1)
        if self.is_away:
            self.is_away = False
            log.info("records_available", database=self._database.shown)

    def _lost(self, reason: str, count: int, **fields: Any) -> None:
        if count > 0:
            self._metrics.lost(reason, count)
            log.error("records_lost", reason=reason, count=count, **fields)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closing.wait()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _told(error: BaseException) -> str:
    """Return an error in a few words, without what was to be written."""
    cause = getattr(error, "orig", None) or error
    return f"{type(cause).__name__}: {cause}".splitlines()[0][:300]
