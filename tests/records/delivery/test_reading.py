"""The message of a delivery, of the record in the database."""

import json
from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import delete

from gateway.config.records.deliver import Included
from gateway.errors import StoreError
from gateway.records.delivery.outbox import Due
from gateway.records.delivery.reading import MessageWriter
from gateway.records.rows import CallRow, RecordingRow, Row, TurnRow, UsageRow
from gateway.records.store.database import Database
from gateway.records.store.tables import TABLE_OF, calls
from tests.records.delivery.receiving import Server
from tests.records.delivery.stage import START, delivery, stage

ROWS: tuple[Row, ...] = (
    CallRow(call_key="k1", call_id="CA1", provider="twilio", line="support", started=START, state="ended"),
    CallRow(call_key="k2", call_id="CA2", provider="twilio", line="support", started=START),
    TurnRow(call_key="k1", n=0, who="caller", item_id="i", started_ms=0, words="Grüße."),
    TurnRow(call_key="k2", n=0, who="caller", item_id="i", started_ms=0, words="Another call."),
    UsageRow(call_key="k1", n=0, at_ms=0, response_id="r", model="m", input_text=7),
    RecordingRow(call_key="k1", url="file:///k1.wav", state="stored", keep_until=START + timedelta(days=1)),
)


async def put(database: Database, *rows: Row) -> None:
    """Write rows as the records' writer does."""
    async with database.write() as connection:
        for row in rows:
            await database.put(connection, TABLE_OF[type(row)], [msgspec.structs.asdict(row)])


def due(event: str = "call.ended", target: str = "crm") -> Due:
    """An event of the first call."""
    row = delivery("k1", event=event, target=target)
    return Due(row.id, row.call_key, row.seq, row.target, row.event, row.body, row.created, 1)


def writer(database: Database, *include: Included, words: bool = True) -> MessageWriter:
    """A writer for one receiver."""
    receivers = {"crm": Server("http://a.example/").receiver(include=include)}
    return MessageWriter(database, receivers.get, words=words)


async def test_a_message_tells_what_the_database_has_of_its_call(database_url: str) -> None:
    """And of no other call."""
    async with stage(database_url) as kept:
        await put(kept.database, *ROWS)
        body = await writer(kept.database, "transcript", "usage", "recording_url").write(due())
        data: Any = json.loads(body or b"")["data"]
        assert data["call"]["id"] == "CA1"
        assert [one["words"] for one in data["transcript"]] == ["Grüße."]
        assert data["usage"]["tokens"]["input_text"] == 7
        assert data["recording_url"] == "file:///k1.wav"
        assert b"transcript" not in (await writer(kept.database, "transcript", words=False).write(due()) or b"")
        assert b"transcript" not in (await writer(kept.database, "transcript").write(due("call.started")) or b"")


async def test_of_a_forgotten_call_there_is_no_message(database_url: str) -> None:
    """Nor for a receiver that is not known."""
    async with stage(database_url) as kept:
        await put(kept.database, *ROWS)
        assert await writer(kept.database).write(due(target="removed")) is None
        async with kept.database.write() as connection:
            await connection.execute(delete(calls).where(calls.c.call_key == "k1"))
        assert await writer(kept.database).write(due()) is None


async def test_a_recording_in_an_object_store_is_told_by_a_link(database_url: str) -> None:
    """Made anew for each try; one that cannot be made now is told by its URL, and so is a file."""
    row = RecordingRow(call_key="k1", url="s3://x/k1.wav", state="stored")
    made: list[str] = []

    async def link(url: str) -> str:
        made.append(url)
        if len(made) > 2:
            raise StoreError("away")
        return f"https://x/{len(made)}"

    async with stage(database_url) as kept:
        await put(kept.database, *ROWS[:-1], row)
        writing = writer(kept.database, "recording_url")
        writing.link = link
        stored = msgspec.structs.replace(
            due("recording.stored"), body='{"at": "2026-01-01T00:00:00Z", "data": {"url": "s3://x/k1.wav"}}'
        )
        written = [json.loads(await writing.write(one) or b"")["data"] for one in (due(), stored, due())]
    assert [written[0]["recording_url"], written[1]["event"]["url"]] == ["https://x/1", "https://x/2"]
    assert written[2]["recording_url"] == "s3://x/k1.wav"
    assert made == ["s3://x/k1.wav"] * 3
