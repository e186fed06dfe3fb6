"""Forgets a phone number: its calls with all that belongs to them, and every mention of it in other calls."""

import asyncio
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from msgspec import Struct
from sqlalchemy import or_, select

from gateway.addresses import read
from gateway.errors import InputError
from gateway.records.store.adopting import adopt
from gateway.records.store.database import BUSY_MS, Database
from gateway.records.store.deleting.mentions import mention_of, without
from gateway.records.store.deleting.retention import Deleted, RecordingFiles, delete_calls
from gateway.records.store.number_keys import hashes_of
from gateway.records.store.spool import spools
from gateway.records.store.tables import OF_A_CALL, calls

SHORTEST = 6
"""Digits of the shortest number that is looked for in texts: a shorter one may be anything."""


class Forgotten(Struct):
    """Says what was removed, and what is still there."""

    calls: int = 0
    recordings: int = 0
    mentions: int = 0
    """Rows of other calls in which the number stood."""
    running: int = 0
    """Calls of the number that go on, and stay."""
    left: int = 0
    """Calls that stay because their recordings cannot be deleted now."""
    waiting: int = 0
    """Processes that live and have rows that are not written yet."""

    @property
    def is_complete(self) -> bool:
        """``True`` if nothing of the number is left."""
        return not (self.running or self.left or self.waiting)


async def forget(
    database: Database, data: Path, number: str, region: str, files: RecordingFiles | None, *, dry_run: bool = False
) -> Forgotten:
    """Remove everything about a number; ``dry_run`` only counts. Raises ``InputError`` for a text that is no number."""
    plain = read(number, region)
    if len(re.sub(r"\D", "", plain)) < SHORTEST and "@" not in plain:
        raise InputError(f"{number}: is no phone number, expected such as +14255550100")
    done = Forgotten(waiting=await _take_over(database, data, dry_run=dry_run))
    keys, done.running = await _calls_of(database, plain)
    deleted = Deleted()
    await delete_calls(database, keys, files, deleted, dry_run=dry_run)
    done.calls, done.recordings, done.left = deleted.calls, deleted.recordings, deleted.left
    done.mentions = await without(database, mention_of(plain), keys, dry_run=dry_run)
    if not dry_run:
        await _overwrite(database)
    return done


async def _take_over(database: Database, data: Path, *, dry_run: bool) -> int:
    """Write what dead processes left, so that it can be removed; return how many living ones have rows that wait."""
    waiting = 0
    for spool in spools(data):
        if not await asyncio.to_thread(spool.adopt):
            waiting += await asyncio.to_thread(spool.is_used)
        elif dry_run:
            await asyncio.to_thread(spool.close)
        else:
            await adopt(database, spool)
    return waiting


async def _calls_of(database: Database, number: str) -> tuple[Sequence[str], int]:
    """Return the keys of the calls from and to a number that are over, and the count of those that go on."""
    async with database.read() as connection:
        hashes = await hashes_of(connection, number)
        whose = or_(
            calls.c.caller_hash.in_(hashes),
            calls.c.called_hash.in_(hashes),
            calls.c.caller == number,
            calls.c.called == number,
        )
        found = (await connection.execute(select(calls.c.call_key, calls.c.state).where(whose))).all()
    return [key for key, state in found if state != "running"], sum(state == "running" for _, state in found)


async def _overwrite(database: Database) -> None:
    """Let nothing of deleted rows stay in the files of SQLite, or in the tables of a server."""
    if database.file:
        await asyncio.to_thread(_vacuum, database.file)
    else:
        await database.vacuum([table.name for table in OF_A_CALL])


def _vacuum(file: Path) -> None:
    with closing(sqlite3.connect(file, timeout=BUSY_MS / 1000, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
