"""Lists the deliveries of the outbox, and puts them into it again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, delete, false, or_, select, update

from gateway.records.delivery.outbox import DEAD, WAITING, gone_name
from gateway.records.store.database import Database
from gateway.records.store.tables import calls, meta
from gateway.records.store.tables import deliveries as table

SHORTEST_END = 6
"""Characters of the shortest end of a call's key that names it, as lists of calls show it."""


class Listed(Struct, frozen=True):
    """A delivery as a list shows it."""

    id: str
    call_key: str
    target: str
    event: str
    state: str
    attempts: int
    created: datetime
    next_at: datetime | None
    last_error: str


async def listed(
    database: Database, *, state: str = "", target: str = "", named: Sequence[str] = (), limit: int = 0
) -> list[Listed]:
    """Return the newest deliveries first: all, or those in a state, for a receiver, or that ``named`` names.

    A name is the id of a delivery, or the key or provider's id of a call, the beginning of one of them, or the
    last part of a call's key. All of them are returned where ``limit`` is 0. Raises the errors of SQLAlchemy.
    """
    query = select(*(table.c[name] for name in Listed.__struct_fields__)).where(*_chosen(state, target, named))
    query = query.order_by(table.c.created.desc(), table.c.id)
    async with database.read() as connection:
        rows = await connection.execute(query.limit(limit) if limit else query)
        return [Listed(*row) for row in rows]


async def again(
    database: Database, now: datetime, *, state: str = DEAD, target: str = "", named: Sequence[str] = ()
) -> int:
    """Put deliveries into the outbox again, to be tried for another day, and return their number.

    They are chosen as by :func:`listed`; receivers that were gone get deliveries again. Raises the errors of
    SQLAlchemy.
    """
    changed = (
        update(table)
        .where(*_chosen(state, target, named))
        .values(state=WAITING, attempts=0, created=now, next_at=None, claimed_by="", claimed_until=None, last_error="")
        .returning(table.c.target)
    )
    async with database.write() as connection:
        targets = list((await connection.execute(changed)).scalars())
        names = [gone_name(target) for target in set(targets)]
        await connection.execute(delete(meta).where(meta.c.name.in_(names)))
    return len(targets)


async def calls_of(database: Database, name: str) -> list[str]:
    """Return the keys of the calls whose deliveries ``name`` names, as for :func:`listed`.

    Of a provider's whole id it is one, though the call may have several streams. Raises the errors of SQLAlchemy.
    """
    whole = select(calls.c.call_key).where(calls.c.call_id == name).limit(1)
    begun = select(table.c.call_key).where(_is_named(name)).distinct().order_by(table.c.call_key)
    async with database.read() as connection:
        exact = list((await connection.execute(whole)).scalars())
        return exact or list((await connection.execute(begun)).scalars())


def _chosen(state: str, target: str, named: Sequence[str]) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if state:
        conditions.append(table.c.state == state)
    if target:
        conditions.append(table.c.target == target)
    if named:
        conditions.append(or_(false(), *(_is_named(name) for name in named)))
    return conditions


def _is_named(name: str) -> ColumnElement[bool]:
    c: Any = table.c
    of_the_call = select(calls.c.call_key).where(calls.c.call_id.startswith(name, autoescape=True))
    begins = or_(c.id.startswith(name, autoescape=True), c.call_key.startswith(name, autoescape=True))
    if len(name) >= SHORTEST_END:
        begins = or_(begins, c.call_key.endswith(name, autoescape=True))
    return or_(begins, c.call_key.in_(of_the_call))
