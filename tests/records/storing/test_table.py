"""The rows of recordings in a database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlalchemy import select

from gateway.records.store.database import Database
from gateway.records.store.tables import recordings
from gateway.records.storing.table import RecordingTable
from gateway.records.storing.taking import KeptRecording
from tests.records.storing.test_pending import STARTED


@asynccontextmanager
async def filled(url: str, *keys: str) -> AsyncIterator[Database]:
    """Open a database with rows of recordings that may be kept for a day longer each."""
    async with Database(url) as database:
        await database.migrate()
        rows = [
            {"call_key": key, "url": "", "state": "local", "keep_until": STARTED + timedelta(days=number)}
            for number, key in enumerate(keys)
        ]
        async with database.write() as connection:
            await database.put(connection, recordings, rows)
        yield database


async def states(database: Database) -> dict[str, tuple[str, str, str]]:
    """Return state, URL and error of each row."""
    async with database.read() as connection:
        columns = recordings.c.call_key, recordings.c.state, recordings.c.url, recordings.c.last_error
        return {key: (state, url, error) for key, state, url, error in await connection.execute(select(*columns))}


async def test_the_state_of_a_recording_is_noted(database_url: str) -> None:
    """Its URL stays until it is deleted; a row that is not there is told."""
    async with filled(database_url, "a", "b") as database:
        table = RecordingTable(database)
        assert await table.state("a", "stored", "s3://x/a")
        assert await table.state("a", "uploading")
        assert await table.state("b", "failed", detail="its file is gone")
        assert not await table.state("c", "stored", "s3://x/c")
        assert await states(database) == {
            "a": ("uploading", "s3://x/a", ""),
            "b": ("failed", "", "its file is gone"),
        }
        assert await table.state("a", "deleted")
        assert (await states(database))["a"] == ("deleted", "", "")


async def test_what_is_stored_and_over_is_found(database_url: str) -> None:
    """Neither what is not stored yet nor what may be kept for longer; no more than is asked for."""
    async with filled(database_url, "a", "b", "c", "d") as database:
        table = RecordingTable(database)
        for key in ("a", "b", "d"):
            await table.state(key, "stored", f"s3://x/{key}")
        now = STARTED + timedelta(days=2)
        found = [KeptRecording(key, f"s3://x/{key}") for key in ("a", "b")]
        assert sorted(await table.expired(now, 10), key=lambda one: one.call_key) == found
        assert len(await table.expired(now, 1)) == 1
