"""Reads from the database what a message tells of its call, and writes the message."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace
from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.config.records.deliver import Receiver
from gateway.errors import StoreError
from gateway.records.delivery.events import Facts
from gateway.records.delivery.message import OF_AN_END, CallParts, message
from gateway.records.delivery.outbox import Due
from gateway.records.rows import CallRow, RecordingRow, TurnRow, UsageRow
from gateway.records.store.database import Database
from gateway.records.store.tables import TABLE_OF

STORED = "recording.stored"
R = TypeVar("R", CallRow, TurnRow, UsageRow, RecordingRow)


class MessageWriter:
    """Writes the message of a delivery; ``find`` returns a receiver, ``words`` says if the records keep words."""

    def __init__(self, database: Database, find: Callable[[str], Receiver | None], *, words: bool) -> None:
        self._database = database
        self._find = find
        self._words = words
        self.link: Callable[[str], Awaitable[str]] | None = None
        """Returns a link by which anybody can fetch a recording in an object store for a while. Raises StoreError."""

    async def write(self, due: Due) -> bytes | None:
        """Return the body of a message; ``None`` if the record of its call is gone, or its receiver.

        Raises the errors of SQLAlchemy.
        """
        receiver = self._find(due.target)
        if receiver is None:
            return None
        wanted = receiver.include if due.event in OF_AN_END else ()
        async with self._database.read() as connection:
            calls = await _rows(connection, CallRow, due.call_key)
            if not calls:
                return None
            parts = CallParts(
                calls[0],
                turns=await _rows(connection, TurnRow, due.call_key) if "transcript" in wanted and self._words else (),
                usage=await _rows(connection, UsageRow, due.call_key) if "usage" in wanted else (),
                recordings=await _rows(connection, RecordingRow, due.call_key) if "recording_url" in wanted else (),
            )
        parts = replace(parts, recordings=[replace(one, url=await self._linked(one.url)) for one in parts.recordings])
        facts = msgspec.json.decode(due.body, type=Facts)
        if due.event == STORED:
            facts = replace(facts, data={**facts.data, "url": await self._linked(facts.data.get("url", ""))})
        return message(due.event, facts, parts, receiver.include, words=self._words)

    async def _linked(self, url: str) -> str:
        """Return a link to a recording; its URL where there is none, as for a file."""
        if self.link is None or urlsplit(url).scheme in ("", "file"):
            return url
        try:
            return await self.link(url)
        except StoreError:
            return url


async def _rows(connection: AsyncConnection, kind: type[R], call_key: str) -> list[R]:
    table: Table = TABLE_OF[kind]
    columns: list[Any] = [table.c[name] for name in kind.__struct_fields__]
    found = await connection.execute(select(*columns).where(table.c.call_key == call_key))
    return [kind(**row) for row in found.mappings()]
