"""The rows of recordings in a database."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from prometheus_client import CollectorRegistry
from sqlalchemy import select

from gateway.records.delivery.deliveries import Deliveries
from gateway.records.delivery.targets import Targets
from gateway.records.store.batches import write
from gateway.records.store.database import Database
from gateway.records.store.tables import deliveries, recordings
from gateway.records.storing.table import RecordingTable
from gateway.records.storing.taking import KeptRecording
from tests.records.delivery.receiving import Server
from tests.records.store.rows import call_row
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


async def test_a_recording_that_is_stored_is_told(database_url: str) -> None:
    """To the receivers of its line, in the transaction that notes it; told again, it is the same event."""
    server = Server("http://127.0.0.1:9/")
    targets = Targets([server.receiver(events=("recording.stored",))], lambda _: None)
    async with filled(database_url, "a", "orphan") as database:
        await write(database, [call_row("a")])
        made = Deliveries(targets, database, CollectorRegistry(), words=True)
        table = RecordingTable(database, made.of_recording)
        for state in ("uploading", "stored", "stored"):
            assert await table.state("a", state, "s3://x/a")
        assert await table.state("orphan", "stored", "s3://x/o")
        async with database.read() as connection:
            (row,) = (await connection.execute(select(deliveries))).all()
    assert (row.call_key, row.event, row.target) == ("a", "recording.stored", "crm")
    assert json.loads(row.body)["data"] == {"url": "s3://x/a", "format": "", "seconds": None}


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
