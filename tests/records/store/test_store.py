"""The store of a process: nothing is missing afterwards, whatever the database and the disk do."""

import asyncio
import errno
import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from gateway.records.store import workers
from gateway.records.store.batches import write
from gateway.records.store.database import Database
from gateway.records.store.deleting.retention import Retention
from gateway.records.store.failures import DatabaseError
from gateway.records.store.spool import Spool
from gateway.records.store.store import RecordStore, StoreSettings
from gateway.records.store.tables import calls, events, turns
from tests.records.store.relay import Relay
from tests.records.store.rows import CALLER, NOON, call_row, event_row, identity, story
from tests.virtual_time import virtual_time


class Switched(Database):
    """A database that may be away, or slow."""

    is_on = True
    takes_s = 0.0

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection, if it is on."""
        await asyncio.sleep(self.takes_s)
        if not self.is_on:
            raise OperationalError("BEGIN", None, ConnectionRefusedError("no answer"))
        async with super().write() as connection:
            yield connection


def store(folder: Path, **settings: Any) -> RecordStore:
    """Return a store of SQLite in a folder, in the time of the loop."""
    url = f"sqlite:///{folder}/data/calls.db"
    wanted = StoreSettings(folder / "data", **{"url": url, **settings})
    clock = asyncio.get_running_loop().time
    return RecordStore(wanted, CollectorRegistry(), clock=clock, database=Switched(wanted.url))


def tell(kept: RecordStore, call_id: str, **options: Any) -> None:
    """Tell a store of a whole call."""
    for of, note in story(identity(call_id, asyncio.get_running_loop().time()), **options):
        kept.intake.observe(of, note)


async def counts(url: str) -> tuple[int, int, int]:
    """Count calls that have ended, their turns and their events."""
    async with Database(url) as database, database.read() as connection:
        ended = select(func.count()).select_from(calls).where(calls.c.state == "ended")
        return (
            await connection.scalar(ended) or 0,
            await connection.scalar(select(func.count()).select_from(turns)) or 0,
            await connection.scalar(select(func.count()).select_from(events)) or 0,
        )


def spooled(folder: Path) -> list[str]:
    """The lines that wait in files."""
    return [line for file in folder.rglob("*.jsonl") for line in file.read_text("utf-8").splitlines()]


def spools(folder: Path) -> int:
    """Count the files for waiting lines."""
    return len(list(folder.rglob("*.jsonl")))


def lost(kept: RecordStore) -> dict[str, float]:
    """What a store has lost, by reason."""
    return {reason: kept.metrics._lost.labels(reason)._value.get() for reason in ("queue", "spool", "refused")}


def log_of(entries: list[Any], *names: str) -> list[str]:
    """The events of these names, in order."""
    return [entry["event"] for entry in entries if entry["event"] in names]


NOTHING = {"queue": 0, "spool": 0, "refused": 0}


async def test_a_call_is_there_when_the_store_ends(database_url: str, tmp_path: Path) -> None:
    """All of it, and no file is left beside the database; it is readable while it goes on."""
    kept = store(tmp_path, url=database_url)
    async with kept.running():
        tell(kept, "CA1", ends=False)
        async with asyncio.timeout(30):
            while not kept.metrics.written._value.get():  # noqa: ASYNC110 -- a counter has no event
                await asyncio.sleep(0.05)
        async with kept.database.read() as connection:
            assert (await connection.execute(select(calls.c.state))).scalars().all() == ["running"]
        tell(kept, "CA2")
    assert await counts(database_url) == (1, 12, 11 + 12)
    assert lost(kept) == NOTHING
    assert spools(tmp_path) == 0


@virtual_time
async def test_nothing_is_missing_after_thirty_seconds_without_a_database(tmp_path: Path) -> None:
    """Fifty calls at once: their rows wait in the spool, are told there, and are written in order."""
    kept = store(tmp_path)
    assert isinstance(kept.database, Switched)
    with capture_logs() as entries:
        async with kept.running():
            await asyncio.sleep(2)
            kept.database.is_on = False
            for second in range(30):
                for n in range(50):
                    tell(kept, f"CA{second}-{n}")
                await asyncio.sleep(1)
            text = "\n".join(spooled(tmp_path))
            assert "Question 2." in text
            assert CALLER not in text
            kept.database.is_on = True
            await asyncio.sleep(7)
            assert not kept.writer.is_away
            tell(kept, "CA-after")
    assert await counts(kept.settings.url) == (1501, 1501 * 6, 1501 * 12)
    assert lost(kept) == NOTHING
    names = ("records_ready", "records_unavailable", "records_available", "records_lost")
    assert log_of(entries, *names) == ["records_ready", "records_unavailable", "records_available"]
    assert spools(tmp_path) == 0


@virtual_time
async def test_what_waits_is_written_after_a_restart(tmp_path: Path) -> None:
    """The store ended while the database was away; the next one finds its rows."""
    kept = store(tmp_path)
    assert isinstance(kept.database, Switched)
    kept.database.is_on = False
    async with kept.running():
        tell(kept, "CA1")
        await asyncio.sleep(3)
        tell(kept, "CA2")
    assert spools(tmp_path) == 1
    assert lost(kept) == NOTHING
    with capture_logs() as entries:
        async with store(tmp_path).running():
            await asyncio.sleep(5)
    assert await counts(kept.settings.url) == (2, 12, 24)
    assert log_of(entries, "records_recovered", "calls_interrupted") == ["records_recovered"]
    assert spools(tmp_path) == 0


@virtual_time
async def test_a_slow_database_keeps_nobody(tmp_path: Path) -> None:
    """What comes while a batch takes long is safe in a file within two seconds."""
    kept = store(tmp_path)
    assert isinstance(kept.database, Switched)
    async with kept.running():
        await asyncio.sleep(1)
        kept.database.takes_s = 20
        tell(kept, "CA1")
        await asyncio.sleep(1)
        tell(kept, "CA2", ends=False)
        await asyncio.sleep(2)
        lines = spooled(tmp_path)
        assert {json.loads(line)[1]["call_id"] for line in lines if line.startswith('["calls"')} == {"CA1", "CA2"}
        kept.database.takes_s = 0
        await asyncio.sleep(40)
    assert await counts(kept.settings.url) == (1, 12, 23)
    assert lost(kept) == NOTHING


@virtual_time
async def test_a_full_disk_is_told_and_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither database nor spool takes rows: some wait in memory, the others are counted as lost."""
    kept = store(tmp_path, queue=100)
    assert isinstance(kept.database, Switched)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with capture_logs() as entries:
        async with kept.running():
            await asyncio.sleep(1)
            with monkeypatch.context() as patched:
                patched.setattr(Spool, "append", full)
                kept.database.is_on = False
                for n in range(40):
                    tell(kept, f"CA{n}")
                    await asyncio.sleep(0.5)
            kept.database.is_on = True
            await asyncio.sleep(10)
            tell(kept, "CA-after")
    assert lost(kept)["spool"] > 0
    told = [entry for entry in entries if entry["event"] == "records_lost"]
    assert {entry["detail"] for entry in told} == {"No space left on device"}
    assert sum(entry["count"] for entry in told) == lost(kept)["spool"]
    async with Database(kept.settings.url) as database, database.read() as connection:
        ended = (await connection.execute(select(calls.c.call_id).where(calls.c.state == "ended"))).scalars().all()
    assert {"CA0", "CA-after"} <= set(ended)
    assert len(ended) < 41


@virtual_time
async def test_a_full_spool_is_told(tmp_path: Path) -> None:
    """It has its bound; what fits is written later."""
    kept = store(tmp_path, spool_bytes=20_000)
    assert isinstance(kept.database, Switched)
    kept.database.is_on = False
    async with kept.running():
        for n in range(100):
            tell(kept, f"CA{n}")
        await asyncio.sleep(5)
        assert lost(kept)["spool"] > 0
        assert sum(len(line) + 1 for line in spooled(tmp_path)) <= 20_000
        kept.database.is_on = True
        await asyncio.sleep(7)
    assert (await counts(kept.settings.url))[2] > 0


@virtual_time
async def test_a_full_queue_is_told(tmp_path: Path) -> None:
    """The metric and the log say how much is missing."""
    kept = store(tmp_path, queue=10)
    with capture_logs() as entries:
        async with kept.running():
            tell(kept, "CA1", turns=20)
            await asyncio.sleep(1)
    assert lost(kept) == {**NOTHING, "queue": 62 - 10 + 1 - 1}
    assert [entry["count"] for entry in entries if entry["event"] == "records_lost"] == [52]


@virtual_time
async def test_calls_of_a_dead_process_are_interrupted_by_the_next(tmp_path: Path) -> None:
    """With the rows that it had left in its spool; those of a process that lives are not."""
    living = store(tmp_path)
    with capture_logs() as entries:
        async with living.running():
            tell(living, "CA-living", ends=False)
            await asyncio.sleep(1)
            await write(living.database, [call_row("a", worker="dead"), call_row("b", worker="dead")])
            spool = Spool(tmp_path / "data", "dead", 1 << 20)
            spool.append([call_row("b", worker="dead", state="ended"), call_row("c", worker="dead"), event_row(9, "c")])
            await workers.beat(living.database, "dead", NOON, [])
            await asyncio.sleep(10)
            assert log_of(entries, "calls_interrupted") == []
            spool.close()
            await asyncio.sleep(5)
            async with living.database.read() as connection:
                found = await connection.execute(select(calls.c.call_id, calls.c.state))
                states = dict(found.all())
    assert states == {"CA-living": "running", "CA-a": "interrupted", "CA-b": "ended", "CA-c": "interrupted"}
    assert log_of(entries, "records_recovered", "calls_interrupted") == ["calls_interrupted", "records_recovered"]
    assert living.metrics.interrupted._value.get() == 2
    assert spools(tmp_path) == 0


@virtual_time
async def test_who_was_taken_for_dead_goes_on(tmp_path: Path) -> None:
    """Its calls run again with its next beat."""
    kept = store(tmp_path)
    async with kept.running():
        tell(kept, "CA1", ends=False)
        await asyncio.sleep(3)
        with capture_logs() as entries:
            assert await workers.mark_interrupted(kept.database, kept.worker) == 1
            await asyncio.sleep(3)
        assert log_of(entries, "records_revived") == ["records_revived"]
        async with kept.database.read() as connection:
            assert await connection.scalar(select(calls.c.state)) == "running"


@virtual_time
async def test_tables_that_an_operator_migrates_are_waited_for(tmp_path: Path) -> None:
    """``migrate: false``: the log says what to do, and rows wait."""
    kept = store(tmp_path, migrates=False)
    with capture_logs() as entries:
        async with kept.running():
            tell(kept, "CA1")
            await asyncio.sleep(5)
            (told,) = (entry for entry in entries if entry["event"] == "records_unavailable")
            assert told["detail"].startswith("DatabaseError")
            assert "gateway records migrate" in told["detail"]
            await kept.database.migrate()
            await asyncio.sleep(6)
    assert (await counts(kept.settings.url))[0] == 1


async def test_tables_are_made_beside_the_loop_of_the_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that comes back may need them while calls go on."""
    threads: list[int] = []
    migrate = Database.migrate

    async def noted(database: Database) -> list[str]:
        threads.append(threading.get_ident())
        return await migrate(database)

    monkeypatch.setattr(Database, "migrate", noted)
    kept = store(tmp_path)
    async with kept.running():
        tell(kept, "CA1")
    assert threads
    assert threading.get_ident() not in threads
    assert (await counts(kept.settings.url))[0] == 1


@virtual_time
async def test_what_was_kept_for_long_enough_is_deleted_once_an_hour(tmp_path: Path) -> None:
    """By one of the processes; in the first minute, and again after an hour."""
    now = NOON
    stores = [store(tmp_path), store(tmp_path)]
    for kept in stores:
        kept._now = lambda: now
        kept.retention = lambda: Retention(7, {})
    old = [call_row(key, state="ended", started=NOON - timedelta(days=days)) for key, days in (("a", 8), ("b", 6))]
    with capture_logs() as entries:
        async with stores[0].running(), stores[1].running():
            await asyncio.sleep(1)
            await write(stores[0].database, old)
            await asyncio.sleep(10)
            now += timedelta(days=2)
            await asyncio.sleep(10)
    assert [entry["calls"] for entry in entries if entry["event"] == "records_purged"] == [1, 1]


async def test_a_failure_of_what_runs_meanwhile_is_raised_as_it_is(tmp_path: Path) -> None:
    """Not in a group; and everything told by then is written."""
    kept = store(tmp_path)

    async def fail() -> None:
        async with kept.running():
            tell(kept, "CA1")
            raise DatabaseError("mine")

    with pytest.raises(DatabaseError, match="mine"):
        await fail()
    assert (await counts(kept.settings.url))[0] == 1


async def test_a_server_that_was_stopped_misses_nothing(postgresql_url: str, tmp_path: Path) -> None:
    """Its connections break in the middle, and it refuses new ones for a while."""
    url = make_url(postgresql_url)
    relay = Relay(url.host or "127.0.0.1", url.port or 5432)
    await relay.open()
    through = url.set(host="127.0.0.1", port=relay.port).render_as_string(hide_password=False)
    kept = store(tmp_path, url=through)

    async def until(happened: Callable[[], object]) -> None:
        async with asyncio.timeout(60):
            while not happened():  # noqa: ASYNC110 -- the store has no such event
                await asyncio.sleep(0.05)

    async with kept.running():
        await until(lambda: kept.writer.is_ready)
        for n in range(20):
            tell(kept, f"CA-before-{n}")
        await relay.cut()
        for n in range(20):
            tell(kept, f"CA-without-{n}")
        await until(lambda: kept.writer.is_away and kept._spool.waits)
        await relay.open()
        await until(lambda: not kept.writer.is_away and not kept._spool.waits)
        tell(kept, "CA-after")
    assert await counts(postgresql_url) == (41, 41 * 6, 41 * 12)
    assert lost(kept) == NOTHING
    await relay.cut()
