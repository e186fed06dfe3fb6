"""Calls that were kept for long enough."""

from datetime import timedelta

from sqlalchemy import func, select

from gateway.records.audit import AuditRow, add, entries
from gateway.records.rows import RecordingRow
from gateway.records.store.batches import write
from gateway.records.store.database import Database
from gateway.records.store.deleting.retention import Deleted, Retention, purge
from gateway.records.store.tables import OF_A_CALL, calls, deliveries, events
from tests.records.store.deleting.files import Files
from tests.records.store.rows import NOON, call_row, event_row

KEPT = Retention(90, {"short": 7, "kept": "forever"})
DAY = timedelta(days=1)


async def filled(database: Database) -> None:
    """Write calls of three lines, of 0, 8 and 100 days ago; one of the oldest still runs."""
    await database.migrate()
    for line in ("support", "short", "kept"):
        for days in (0, 8, 100):
            key = f"{line}-{days}"
            await write(database, [call_row(key, line=line, started=NOON - days * DAY, state="ended")])
            await write(database, [event_row(n, key) for n in range(3)])
    await write(database, [call_row("running", line="short", started=NOON - 100 * DAY)])


async def keys(database: Database) -> set[str]:
    """The calls that are there."""
    async with database.read() as connection:
        return set((await connection.execute(select(calls.c.call_key))).scalars())


async def test_each_line_is_kept_for_its_time(database_url: str) -> None:
    """Or for that of all; what goes on is kept, and one that is dry says only how many."""
    async with Database(database_url) as database:
        await filled(database)
        assert await purge(database, KEPT, NOON, None, dry_run=True) == Deleted(calls=3)
        assert len(await keys(database)) == 10
        assert await purge(database, KEPT, NOON, None) == Deleted(calls=3)
        assert await keys(database) == {
            *("support-0", "support-8", "short-0", "kept-0", "kept-8", "kept-100", "running")
        }
        async with database.read() as connection:
            assert await connection.scalar(select(func.count()).select_from(events)) == 6 * 3
        assert await purge(database, KEPT, NOON, None) == Deleted()


async def test_recordings_go_with_their_calls(database_url: str) -> None:
    """A call whose recording cannot be deleted now stays for the next time, all of it."""
    async with Database(database_url) as database:
        await filled(database)
        rows = [RecordingRow(call_key=key, url=f"file:{key}") for key in ("support-100", "short-8")]
        gone = RecordingRow(call_key="short-100", url="", state="deleted")
        await write(database, [*rows, gone])
        files = Files("short-8")
        assert await purge(database, KEPT, NOON, files, dry_run=True) == Deleted(calls=3, recordings=2)
        assert files.erased == []
        assert await purge(database, KEPT, NOON, files) == Deleted(calls=2, recordings=1, left=1)
        assert files.erased == [("support-100", "file:support-100")]
        assert "short-8" in await keys(database)
        assert await purge(database, KEPT, NOON, Files()) == Deleted(calls=1, recordings=1)


async def test_entries_of_the_audit_go_after_the_days_of_all(database_url: str) -> None:
    """Whatever lines keep for longer; a look at what would go takes none, and ``forever`` keeps them all."""
    async with Database(database_url) as database:
        await database.migrate()
        for days in (0, 89, 91):
            await add(database, AuditRow(id=str(days), at=NOON - days * DAY, who="lisa", address="", act="read"))
        await purge(database, KEPT, NOON, None, dry_run=True)
        await purge(database, Retention("forever", {"short": 1}), NOON, None)
        assert [entry.id for entry in await entries(database, 9)] == ["0", "89", "91"]
        await purge(database, KEPT, NOON, None)
        assert [entry.id for entry in await entries(database, 9)] == ["0", "89"]


async def test_everything_that_belongs_to_a_call_goes(database_url: str) -> None:
    """In every table with a ``call_key``; many calls at once too."""
    async with Database(database_url) as database:
        await database.migrate()
        await write(database, [call_row(f"k{n:03}", state="ended") for n in range(450)])
        async with database.write() as connection:
            row = {"id": "d", "call_key": "k007", "target": "t", "body": "{}"}
            await database.put(connection, deliveries, [row])
        assert (await purge(database, Retention(1, {}), NOON + 2 * DAY, None)).calls == 450
        async with database.read() as connection:
            for table in OF_A_CALL:
                assert await connection.scalar(select(func.count()).select_from(table)) == 0, table.name
