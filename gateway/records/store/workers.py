"""The processes that write records: their signs of life, and the calls of those that have died.

A process is dead if its spool, which it locks, can be locked here; or, on another machine, if its beats have not
changed for a minute in which the database could be asked all the time. Clocks are not compared.
"""

import os
import socket
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.records import rows
from gateway.records.store.database import Database
from gateway.records.store.tables import calls, deliveries, events, turns, workers

BEAT_S = 2.0
SILENT_S = 60.0
"""Seconds without a beat after which a process on another machine is dead."""


async def beat(database: Database, worker: str, now: datetime, live: Collection[str]) -> bool:
    """Give a sign of life; ``live`` are the keys of the calls that go on.

    Returns ``True`` the first time, and where another process had taken this one for dead: its calls run again.
    """
    async with database.write() as connection:
        alive = update(workers).where(workers.c.worker == worker)
        beaten = await connection.execute(alive.values(heartbeat=now, beats=workers.c.beats + 1))
        if beaten.rowcount:
            return False
        row = {"host": socket.gethostname(), "pid": os.getpid(), "started": now, "heartbeat": now}
        await database.put(connection, workers, [{"worker": worker, **row}])
        if live:
            mistaken = calls.c.call_key.in_(live), calls.c.state == "interrupted"
            running: dict[str, Any] = {"state": "running", "ended": None, "heartbeat": None, "duration_s": None}
            await connection.execute(update(calls).where(*mistaken).values(running))
            reported = deliveries.c.call_key.in_(live), deliveries.c.event == "call.interrupted"
            await connection.execute(delete(deliveries).where(*reported, deliveries.c.state == "waiting"))
        return True


async def leave(database: Database, worker: str) -> None:
    """Remove a process that ends in order."""
    async with database.write() as connection:
        await connection.execute(delete(workers).where(workers.c.worker == worker))


Events = Callable[[str, str, datetime], Sequence[rows.DeliveryRow]]
"""Returns the deliveries for a call of this key and line that was interrupted, and ended then."""


def no_events(*_: object) -> Sequence[rows.DeliveryRow]:
    """Return none."""
    return ()


async def mark_interrupted(database: Database, worker: str, events_of: Events = no_events) -> int:
    """Mark the calls of a process that is dead as interrupted, and return how many there were."""
    async with database.write() as connection:
        heartbeat = await connection.scalar(select(workers.c.heartbeat).where(workers.c.worker == worker))
        await connection.execute(delete(workers).where(workers.c.worker == worker))
        return await _mark(database, connection, calls.c.worker == worker, heartbeat, events_of)


async def mark_orphans(database: Database, own: str, events_of: Events = no_events) -> int:
    """Mark the calls of processes that nothing is known of any more, other than ``own``."""
    unknown = calls.c.worker.not_in(select(workers.c.worker)) & (calls.c.worker != own)
    async with database.read() as connection:
        if not await connection.scalar(select(exists().where(unknown, calls.c.state == "running"))):
            return 0
    async with database.write() as connection:
        return await _mark(database, connection, unknown, None, events_of)


async def _mark(
    database: Database, connection: AsyncConnection, whose: Any, heartbeat: datetime | None, events_of: Events
) -> int:
    """Mark running calls; each ended with its process' last beat, or with its last event if that came later."""
    found = await connection.execute(
        select(calls.c.call_key, calls.c.line, calls.c.started)
        .where(whose, calls.c.state == "running")
        .with_for_update()
    )
    marked = found.all()
    for key, line, started in marked:
        at_ms = await connection.scalar(select(func.max(events.c.at_ms)).where(events.c.call_key == key)) or 0
        replies = select(func.count()).where(turns.c.call_key == key, turns.c.who == "bot")
        last = started + timedelta(milliseconds=at_ms)
        ended = max(heartbeat, last) if heartbeat else last
        values: dict[str, Any] = {
            "state": "interrupted",
            "heartbeat": heartbeat,
            "ended": ended,
            "duration_s": round((ended - started).total_seconds(), 1),
            "turns": await connection.scalar(replies) or 0,
        }
        await connection.execute(update(calls).where(calls.c.call_key == key).values(values))
        await database.put(connection, deliveries, [asdict(row) for row in events_of(key, line, ended)])
    return len(marked)


class _Seen(Struct):
    beats: int
    since: float


class Watch:
    """Notices processes whose beats have stopped. ``clock`` gives seconds, and is this process' own."""

    def __init__(self, own: str, clock: Callable[[], float]) -> None:
        self._own = own
        self._clock = clock
        self._seen: dict[str, _Seen] = {}

    def lost_sight(self) -> None:
        """Begin anew: the database was away, and others could not beat either."""
        self._seen.clear()

    async def silent(self, database: Database) -> list[str]:
        """Return the processes that have been silent for too long; to be asked every few seconds."""
        async with database.read() as connection:
            found = (await connection.execute(select(workers.c.worker, workers.c.beats))).all()
        return self._look([(worker, beats) for worker, beats in found if worker != self._own])

    def _look(self, found: Iterable[tuple[str, int]]) -> list[str]:
        now, before = self._clock(), self._seen
        self._seen = {
            worker: seen if (seen := before.get(worker)) and seen.beats == beats else _Seen(beats, now)
            for worker, beats in found
        }
        return [worker for worker, seen in self._seen.items() if now - seen.since >= SILENT_S]
