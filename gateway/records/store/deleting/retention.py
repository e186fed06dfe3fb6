"""Deletes calls, with everything that belongs to them: those that were kept for long enough, and chosen ones."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct
from sqlalchemy import delete, select

from gateway.config.records.records import Days
from gateway.errors import StoreError
from gateway.records.store.database import Database
from gateway.records.store.tables import OF_A_CALL, audit, calls, recordings

AT_ONCE = 200
"""Calls that are deleted in one transaction."""


class RecordingFiles(Protocol):
    """Deletes recordings, wherever they are."""

    async def erase(self, call_key: str, url: str = "") -> None:
        """Delete the recording of a call. Raises ``StoreError`` or ``OSError`` where it cannot be deleted now."""
        ...


class Retention(Struct, frozen=True):
    """The days for which calls are kept, of all lines and of those that have their own."""

    days: Days
    of_lines: Mapping[str, Days]

    def until(self, line: str, now: datetime) -> datetime | None:
        """Return the time before which calls of a line are deleted; ``None`` if they are kept forever."""
        days = self.of_lines.get(line, self.days)
        return None if days == "forever" else now - timedelta(days=days)


class Deleted(Struct):
    """The calls and recordings that were deleted; ``left`` calls stay, because their recordings cannot be deleted."""

    calls: int = 0
    recordings: int = 0
    left: int = 0


async def purge(
    database: Database, retention: Retention, now: datetime, files: RecordingFiles | None, *, dry_run: bool = False
) -> Deleted:
    """Delete the calls that were kept for long enough; ``dry_run`` only counts them. A call that runs is kept.

    Entries of the audit go after as many days as calls of lines without days of their own.
    """
    done = Deleted()
    async with database.read() as connection:
        lines = (await connection.execute(select(calls.c.line).distinct())).scalars().all()
    for line in lines:
        if before := retention.until(line, now):
            old = (calls.c.line == line) & (calls.c.started < before) & (calls.c.state != "running")
            async with database.read() as connection:
                keys = (await connection.execute(select(calls.c.call_key).where(old))).scalars().all()
            await delete_calls(database, keys, files, done, dry_run=dry_run)
    if retention.days != "forever" and not dry_run:
        async with database.write() as connection:
            await connection.execute(delete(audit).where(audit.c.at < now - timedelta(days=retention.days)))
    return done


async def delete_calls(
    database: Database, keys: Sequence[str], files: RecordingFiles | None, done: Deleted, *, dry_run: bool = False
) -> None:
    """Delete calls and count them in ``done``. The rows of a recording that cannot be deleted stay, with its call."""
    for start in range(0, len(keys), AT_ONCE):
        some = list(keys[start : start + AT_ONCE])
        recorded = await _recorded(database, some)
        if dry_run:
            done.calls += len(some)
            done.recordings += len(recorded)
            continue
        for key, url in recorded.items():
            if await _erased(files, key, url):
                done.recordings += 1
            else:
                done.left += 1
                some.remove(key)
        async with database.write() as connection:
            for table in OF_A_CALL:
                await connection.execute(delete(table).where(table.c.call_key.in_(some)))
        done.calls += len(some)


async def _recorded(database: Database, keys: Sequence[str]) -> dict[str, str]:
    """Return the URLs of the recordings that there are, by the keys of their calls."""
    there = recordings.c.call_key.in_(keys) & (recordings.c.state != "deleted")
    async with database.read() as connection:
        found = await connection.execute(select(recordings.c.call_key, recordings.c.url).where(there))
        return dict(found.all())


async def _erased(files: RecordingFiles | None, key: str, url: str) -> bool:
    if files is None:
        return False
    try:
        await files.erase(key, url)
    except (StoreError, OSError):
        return False
    return True
