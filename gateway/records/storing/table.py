"""The rows of recordings in the database of the records."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update

from gateway.records.store.database import Database
from gateway.records.store.tables import recordings
from gateway.records.storing.taking import KeptRecording

STORED, DELETED = "stored", "deleted"


class RecordingTable:
    """The rows of recordings; a database that is away raises what it raises."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def state(self, call_key: str, state: str, url: str = "", detail: str = "") -> bool:
        """Set the state of a recording; ``False`` if there is no such row."""
        changed: dict[str, str] = {"state": state, "last_error": detail}
        if url or state == DELETED:
            changed["url"] = url
        change = update(recordings).where(recordings.c.call_key == call_key).values(changed)
        async with self._database.write() as connection:
            return (await connection.execute(change)).rowcount > 0

    async def expired(self, now: datetime, limit: int) -> Sequence[KeptRecording]:
        """Return recordings that are stored and whose time is over."""
        is_over = (recordings.c.state == STORED) & (recordings.c.keep_until <= now)
        wanted = select(recordings.c.call_key, recordings.c.url).where(is_over).limit(limit)
        async with self._database.read() as connection:
            found = await connection.execute(wanted)
            return [KeptRecording(call_key, url) for call_key, url in found]
