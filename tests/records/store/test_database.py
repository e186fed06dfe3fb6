"""Transactions on SQLite and PostgreSQL, and rows that replace themselves."""

import asyncio
import stat
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import func, select

from gateway.errors import InputError
from gateway.records.store.database import Database
from gateway.records.store.failures import DatabaseError, is_away
from gateway.records.store.tables import calls, events, meta

NOON = datetime(2026, 3, 6, 12, 0, 0, 250_000, UTC)


def event(n: int, kind: str = "reply_said") -> dict[str, object]:
    """Return a row of ``events``."""
    return {"call_key": "k", "n": n, "at_ms": 20 * n, "kind": kind, "fields": {"text": "Grüße", "n": n}}


async def test_a_row_that_is_written_again_is_there_once(database_url: str) -> None:
    """The last version of it, whatever it was before; a batch whose answer was lost is written again."""
    async with Database(database_url) as database:
        await database.migrate()
        for kind in ("reply_said", "reply_heard"):
            async with database.write() as connection:
                await database.put(connection, events, [event(n, kind) for n in range(7000)])
        async with database.read() as connection:
            rows = (await connection.execute(select(events).order_by(events.c.n))).all()
    assert len(rows) == 7000
    assert {row.kind for row in rows} == {"reply_heard"}
    assert rows[3].fields == {"text": "Grüße", "n": 3}


async def test_a_row_is_changed_in_the_columns_that_are_written(database_url: str) -> None:
    """The others keep their values; a row of its key alone is added once."""
    async with Database(database_url) as database:
        await database.migrate()
        async with database.write() as connection:
            await database.put(connection, calls, [{"call_key": "k", "line": "support", "started": NOON}])
            await database.put(connection, calls, [{"call_key": "k", "started": NOON, "state": "ended"}])
            await database.put(connection, meta, [{"name": "m"}])
            await database.put(connection, meta, [{"name": "m"}])
            await database.put(connection, meta, [])
        async with database.read() as connection:
            (row,) = (await connection.execute(select(calls))).all()
    assert (row.line, row.state) == ("support", "ended")


async def test_times_are_utc(database_url: str) -> None:
    """Wherever they were taken."""
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5)))
    async with Database(database_url) as database:
        await database.migrate()
        async with database.write() as connection:
            await database.put(connection, calls, [{"call_key": "k", "started": elsewhere, "ended": None}])
        async with database.read() as connection:
            started, ended = (await connection.execute(select(calls.c.started, calls.c.ended))).one()
    assert (started, started.utcoffset(), ended) == (NOON, timedelta(0), None)


async def test_a_block_that_raises_has_written_nothing(database_url: str) -> None:
    """All or nothing."""
    async with Database(database_url) as database:
        await database.migrate()

        async def fail() -> None:
            async with database.write() as connection:
                await database.put(connection, events, [event(1)])
                raise KeyError

        with pytest.raises(KeyError):
            await fail()
        async with database.read() as connection:
            assert await connection.scalar(select(func.count()).select_from(events)) == 0


async def test_several_processes_migrate_at_once(database_url: str) -> None:
    """One of them makes the tables, the others find them."""
    databases = [Database(database_url) for _ in range(4)]
    done = await asyncio.gather(*(database.migrate() for database in databases))
    for database in databases:
        await database.check()
        await database.close()
    assert sorted(map(bool, done)) == [False, False, False, True]


async def test_tables_of_another_version_are_told(database_url: str) -> None:
    """None, and newer ones than this program's; in words, with what to do."""
    async with Database(database_url) as database:
        if database.file:
            database.file.parent.mkdir()
        with pytest.raises(DatabaseError, match="the tables are missing, expected version"):
            await database.check()
        await database.migrate()
        async with database.write() as connection:
            await connection.exec_driver_sql("UPDATE records_version SET version_num = '9999'")
        with pytest.raises(DatabaseError, match="the tables have version 9999"):
            await database.check()
        with pytest.raises(DatabaseError, match=r"have version 9999, expected .* or older: update the gateway"):
            await database.migrate()


async def test_writers_of_sqlite_take_turns(tmp_path: Path) -> None:
    """A second one waits, and is not refused, though it has read before it writes."""
    async with Database(f"sqlite:///{tmp_path}/data/calls.db") as one:
        await one.migrate()

        async def count_up() -> None:
            async with Database(f"sqlite:///{tmp_path}/data/calls.db") as own:
                for _ in range(20):
                    async with own.write() as connection:
                        n = await connection.scalar(select(func.count()).select_from(events)) or 0
                        await own.put(connection, events, [event(n)])

        await asyncio.gather(*(count_up() for _ in range(4)))
        async with one.read() as connection:
            assert await connection.scalar(select(func.count()).select_from(events)) == 80


async def test_files_of_sqlite_are_this_users_alone(tmp_path: Path) -> None:
    """The folder, the database, and what SQLite keeps beside it."""
    async with Database(f"sqlite:///{tmp_path}/data/calls.db") as database:
        await database.migrate()
        folder = tmp_path / "data"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == dict.fromkeys(
            ("calls.db", "calls.db-wal", "calls.db-shm"), 0o600
        )


async def test_a_database_that_is_away_is_told_from_rows_that_are_wrong(database_url: str, tmp_path: Path) -> None:
    """What may succeed later, and what never will. No error shows what was to be written."""
    away = Database(
        "postgresql://me@127.0.0.1:1/x" if "postgresql" in database_url else f"sqlite:///{tmp_path}/no/x.db"
    )
    with pytest.raises(BaseException) as caught:  # noqa: PT011 -- each driver has its own
        async with away.write():
            pass
    assert is_away(caught.value)
    await away.close()
    async with Database(database_url) as database:
        await database.migrate()
        with pytest.raises(Exception) as wrong:  # noqa: PT011 -- likewise
            async with database.write() as connection:
                await database.put(connection, events, [event(1) | {"kind": None, "fields": {"text": "my words"}}])
    assert not is_away(wrong.value)
    assert "my words" not in str(wrong.value)


@pytest.mark.parametrize("url", ["mysql://host/x", "calls.db", "sqlite"])
def test_other_databases_are_refused(url: str) -> None:
    """In words."""
    with pytest.raises(InputError, match="expected"):
        Database(url)


def test_a_password_is_not_shown() -> None:
    """Where the database is named."""
    assert Database("postgresql://me:secret@host/calls").shown == "postgresql://me:***@host/calls"
