"""Leases: a task that one process does for all of them belongs to the one that holds its lease."""

from datetime import datetime, timedelta

from sqlalchemy import delete, or_
from sqlalchemy.dialects import postgresql, sqlite

from gateway.records.store.database import Database
from gateway.records.store.tables import meta

PREFIX = "lease:"


async def take_lease(database: Database, name: str, holder: str, seconds: float, now: datetime) -> bool:
    """Take or renew a lease for ``seconds``; return ``False`` while another process holds it."""
    insert = sqlite.insert(meta) if database.is_sqlite else postgresql.insert(meta)
    taken = insert.values(name=PREFIX + name, value=holder, until=now + timedelta(seconds=seconds))
    put = taken.on_conflict_do_update(
        index_elements=["name"],
        set_={"value": taken.excluded.value, "until": taken.excluded.until},
        where=or_(meta.c.value == holder, meta.c.until < now),
    )
    async with database.write() as connection:
        return (await connection.execute(put)).rowcount > 0


async def give_up_lease(database: Database, name: str, holder: str) -> None:
    """End a lease before its time, if it is held."""
    async with database.write() as connection:
        await connection.execute(delete(meta).where(meta.c.name == PREFIX + name, meta.c.value == holder))
