"""The outbox: deliveries that wait, in a table of the records' database, which several processes work off.

A process claims rows in one statement, for the time of a lease; a row whose process has died is due again when the
lease is over. The number of tries is the proof of a claim: who settles a row after another process has claimed it
changes nothing.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from sqlalchemy import ColumnElement, and_, case, delete, exists, func, or_, select, update

from gateway.records.store.database import Database
from gateway.records.store.tables import deliveries as table
from gateway.records.store.tables import meta

WAITING, DELIVERED, DEAD = "waiting", "delivered", "dead"
LONGEST_ERROR = 200


class Due(Struct, frozen=True):
    """A delivery that this process has claimed; ``attempts`` counts the try that is about to be made."""

    id: str
    call_key: str
    seq: int
    target: str
    event: str
    body: str
    created: datetime
    attempts: int


class Waiting(Struct, frozen=True):
    """The state of the outbox: deliveries that wait, the oldest one's time, deliveries that are dead."""

    pending: int
    oldest: datetime | None
    dead: int


class Outbox:
    """Reads and changes the table ``deliveries``, and in ``meta`` the receivers that are gone.

    ``worker`` is the name of this process in its claims. Times are in UTC. Raises the errors of SQLAlchemy.
    """

    def __init__(self, database: Database, worker: str = "") -> None:
        self._database = database
        self._worker = worker

    async def targets(self, now: datetime) -> list[str]:
        """Return the targets for which something is due."""
        query = select(table.c.target).where(*_due(now)).distinct()
        async with self._database.read() as connection:
            return sorted((await connection.execute(query)).scalars())

    async def claim(self, target: str, now: datetime, limit: int, lease_s: float) -> list[Due]:
        """Claim up to ``limit`` due deliveries for ``lease_s``, of each call only the first that still waits."""
        c, earlier = table.c, table.alias()
        before = (
            exists()
            .where(
                earlier.c.call_key == c.call_key,
                earlier.c.target == c.target,
                earlier.c.state == WAITING,
                or_(earlier.c.seq < c.seq, and_(earlier.c.seq == c.seq, earlier.c.id < c.id)),
            )
            .correlate(table)
        )
        due = (
            select(c.id)
            .where(c.target == target, *_due(now), ~before)
            .order_by(c.created, c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)  # which SQLite, with its one writer, leaves out
            .cte("due")  # a sub-query may be run for each row by PostgreSQL, and lock more rows each time
        )
        claim = (
            update(table)
            .where(c.id.in_(select(due.c.id)), *_due(now))
            .values(
                claimed_by=self._worker, claimed_until=now + timedelta(seconds=lease_s), attempts=table.c.attempts + 1
            )
            .returning(*(c[name] for name in Due.__struct_fields__))
        )
        async with self._database.write() as connection:
            rows = [Due(*row) for row in await connection.execute(claim)]
        return sorted(rows, key=lambda row: (row.created, row.id))

    async def settle(self, due: Due, state: str, detail: str, next_at: datetime) -> bool:
        """Write the outcome of a try; return ``False`` where another process has claimed the row since."""
        changed = (
            update(table)
            .where(table.c.id == due.id, table.c.state == WAITING, table.c.attempts == due.attempts)
            .values(state=state, last_error=detail[:LONGEST_ERROR], next_at=next_at, claimed_by="", claimed_until=None)
        )
        async with self._database.write() as connection:
            return (await connection.execute(changed)).rowcount == 1

    async def release(self, claimed: Sequence[Due], now: datetime) -> None:
        """Give claims back whose try was broken off, so that another process need not wait for the lease."""
        for due in claimed:
            await self.settle(due, WAITING, "broken off", now)

    async def bury(self, target: str, detail: str, now: datetime, before: datetime | None = None) -> int:
        """Give up all that is due for a target, or of that what is older than ``before``; return the number of rows."""
        older = [table.c.created < before] if before is not None else []
        changed = (
            update(table)
            .where(table.c.target == target, *_due(now), *older)
            .values(state=DEAD, last_error=detail[:LONGEST_ERROR])
        )
        async with self._database.write() as connection:
            return int((await connection.execute(changed)).rowcount)

    async def waiting(self) -> Waiting:
        """Return the state of the outbox."""
        c = table.c
        is_waiting = c.state == WAITING
        query = select(
            func.count(case((is_waiting, 1))),
            func.min(case((is_waiting, c.created))),
            func.count(case((c.state == DEAD, 1))),
        ).where(c.state.in_([WAITING, DEAD]))
        async with self._database.read() as connection:
            pending, oldest, dead = (await connection.execute(query)).one()
        return Waiting(pending, oldest, dead)

    async def is_gone(self, target: str, url: str) -> bool:
        """Return ``True`` if the receiver at this address has said that it is gone."""
        query = select(meta.c.value).where(meta.c.name == gone_name(target))
        async with self._database.read() as connection:
            return (await connection.execute(query)).scalar_one_or_none() == url

    async def mark_gone(self, target: str, url: str) -> None:
        """Remember that the receiver is gone, until :meth:`forget_gone` or another address."""
        async with self._database.write() as connection:
            await self._database.put(connection, meta, [{"name": gone_name(target), "value": url}])

    async def forget_gone(self, target: str) -> None:
        """Deliver to a receiver again that was gone."""
        async with self._database.write() as connection:
            await connection.execute(delete(meta).where(meta.c.name == gone_name(target)))


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of a row that may be claimed."""
    c = table.c
    return (
        c.state == WAITING,
        or_(c.next_at.is_(None), c.next_at <= now),
        or_(c.claimed_until.is_(None), c.claimed_until <= now),
    )


def gone_name(target: str) -> str:
    """Return the name in ``meta`` under which it stands that a receiver is gone."""
    return f"delivery_gone:{target}"
