"""Takes over what a dead process has left: its rows that wait, and its calls."""

import asyncio

from msgspec import Struct

from gateway.records.store.batches import write
from gateway.records.store.database import Database
from gateway.records.store.spool import Spool
from gateway.records.store.workers import Events, mark_interrupted, no_events


class Adopted(Struct):
    """The rows that were written, those that were lost, and the calls that were marked as interrupted."""

    rows: int = 0
    lost: int = 0
    interrupted: int = 0


async def adopt(database: Database, spool: Spool, events_of: Events = no_events) -> Adopted:
    """Write the rows of a spool that is locked here, then mark the calls of its process, with their events.

    What could not be written stays in the file. Raises what ``is_away`` knows.
    """
    done = Adopted()
    try:
        while spool.waits:
            rows, unreadable = await asyncio.to_thread(spool.take)
            refused = await write(database, rows)
            await asyncio.to_thread(spool.taken)
            done.rows += len(rows) - len(refused)
            done.lost += unreadable + len(refused)
        done.interrupted = await mark_interrupted(database, spool.worker, events_of)
    finally:
        await asyncio.to_thread(spool.close)
    return done
