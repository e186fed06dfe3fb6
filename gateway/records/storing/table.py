"""The rows of recordings in the database of the records."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import asdict
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.records.rows import DeliveryRow
from gateway.records.store.database import Database
from gateway.records.store.tables import calls, deliveries, recordings
from gateway.records.storing.taking import KeptRecording

STORED, DELETED = "stored", "deleted"


EventsOf = Callable[[str, str, dict[str, Any]], Sequence[DeliveryRow]]
"""Returns the deliveries of a recording that is stored, of a call of this key and line; the last are its columns."""


class RecordingTable:
    """The rows of recordings; a database that is away raises what it raises.

    ``events_of`` tells receivers of a recording that is stored.
    """

    def __init__(self, database: Database, events_of: EventsOf | None = None) -> None:
        self._database = database
        self._events_of = events_of

    async def state(self, call_key: str, state: str, url: str = "", detail: str = "") -> bool:
        """Set the state of a recording; ``False`` if there is no such row."""
        changed: dict[str, str] = {"state": state, "last_error": detail}
        if url or state == DELETED:
            changed["url"] = url
        change = update(recordings).where(recordings.c.call_key == call_key).values(changed)
        async with self._database.write() as connection:
            is_there = (await connection.execute(change)).rowcount > 0
            if is_there and state == STORED and self._events_of:
                await self._tell(connection, call_key, self._events_of)
            return is_there

    async def _tell(self, connection: AsyncConnection, call_key: str, events_of: EventsOf) -> None:
        """Put the event of a stored recording into the outbox, in the transaction that says so."""
        wanted = select(calls.c.line, recordings.c.url, recordings.c.format, recordings.c.seconds)
        of_call = wanted.join(calls, calls.c.call_key == recordings.c.call_key)
        found = (await connection.execute(of_call.where(recordings.c.call_key == call_key))).mappings().first()
        if found is not None:
            about = dict(found)
            rows = events_of(call_key, about.pop("line"), about)
            await self._database.put(connection, deliveries, [asdict(row) for row in rows])

    async def expired(self, now: datetime, limit: int) -> Sequence[KeptRecording]:
        """Return recordings that are stored and whose time is over."""
        is_over = (recordings.c.state == STORED) & (recordings.c.keep_until <= now)
        wanted = select(recordings.c.call_key, recordings.c.url).where(is_over).limit(limit)
        async with self._database.read() as connection:
            found = await connection.execute(wanted)
            return [KeptRecording(call_key, url) for call_key, url in found]
