"""Batches of rows."""

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from gateway.records.rows import EventRow, RecordingRow, Row
from gateway.records.store.batches import newest, write
from gateway.records.store.database import Database
from gateway.records.store.tables import calls, events, recordings
from tests.records.store.rows import call_row, event_row


def test_only_the_last_version_of_a_row_is_written() -> None:
    """In the order of the last versions."""
    old, new = call_row("a"), call_row("a", state="ended")
    assert newest([old, event_row(1), call_row("b"), new]) == [event_row(1), call_row("b"), new]


async def test_a_batch_is_written_once_however_often(database_url: str) -> None:
    """Its answer may have been lost."""
    batch: list[Row] = [call_row("a"), *map(event_row, range(250)), call_row("a", state="ended", turns=3)]
    async with Database(database_url) as database:
        await database.migrate()
        for _ in range(3):
            assert await write(database, batch) == []
        async with database.read() as connection:
            assert len((await connection.execute(select(events))).all()) == 250
            (row,) = (await connection.execute(select(calls))).all()
    assert (row.state, row.turns) == ("ended", 3)


async def test_a_row_that_is_refused_keeps_no_other(database_url: str) -> None:
    """It is returned, and the others are written."""
    wrong = EventRow(call_key="k", n=3, at_ms=1.0, kind=None, fields={})  # type: ignore[arg-type]  # a mistake
    async with Database(database_url) as database:
        await database.migrate()
        assert await write(database, [event_row(1), wrong, event_row(2)]) == [wrong]
        async with database.read() as connection:
            assert sorted((await connection.execute(select(events.c.n))).scalars()) == [1, 2]


async def test_a_recording_that_has_reached_its_store_stays_there(database_url: str) -> None:
    """Its last row may be written later, and knows only that it is here; one that is discarded is deleted."""
    async with Database(database_url) as database:
        await database.migrate()
        await write(database, [RecordingRow(call_key="a", url=""), RecordingRow(call_key="b", url="")])
        async with database.write() as connection:
            stored = {"state": "stored", "url": "s3://kept/a.wav"}
            await connection.execute(update(recordings).where(recordings.c.call_key == "a").values(stored))
        last = [RecordingRow(call_key="a", url="", seconds=2.5), RecordingRow(call_key="b", url="", state="deleted")]
        await write(database, last)
        async with database.read() as connection:
            wanted = select(recordings.c.state, recordings.c.url, recordings.c.seconds).order_by(recordings.c.call_key)
            rows = (await connection.execute(wanted)).all()
    assert [tuple(row) for row in rows] == [("stored", "s3://kept/a.wav", 2.5), ("deleted", "", None)]


async def test_texts_that_no_database_keeps_are_mended(database_url: str) -> None:
    """Zero characters and halves of characters, also within events."""
    odd = EventRow(call_key="k", n=1, at_ms=1.0, kind="x", fields={"text": "a\0b\ud800", "more": [{"text": "\0"}]})
    async with Database(database_url) as database:
        await database.migrate()
        assert await write(database, [odd, call_row(detail="a\0b\udfff", caller="Grüße")]) == []
        async with database.read() as connection:
            (fields,) = (await connection.execute(select(events.c.fields))).scalars()
            (row,) = (await connection.execute(select(calls))).all()
    assert fields == {"text": "a\ufffdb\ufffd", "more": [{"text": "\ufffd"}]}
    assert (row.detail, row.caller) == ("a\ufffdb\ufffd", "Grüße")


async def test_a_database_that_is_away_refuses_no_row(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole batch is to be written later."""
    async with Database(database_url) as database:

        async def put(*_: object) -> None:
            raise OperationalError("INSERT", None, Exception("disk I/O error"))

        await database.migrate()
        monkeypatch.setattr(database, "put", put)
        with pytest.raises(OperationalError):
            await write(database, [event_row(1)])
