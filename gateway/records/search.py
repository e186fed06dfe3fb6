"""Finds calls in the database and reads them: they are selected there, and no more is loaded than was asked for."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any, Literal, TypeVar, get_args

import msgspec
from msgspec import Struct
from sqlalchemy import Select, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.errors import InputError
from gateway.records.rows import CallRow, Row
from gateway.records.store.database import Database
from gateway.records.store.tables import TABLE_OF, calls
from gateway.records.stored_call import StoredCall, stored_call
from gateway.records.wanted import Wanted, conditions, cost_unknown

R = TypeVar("R", bound=Row)
_AT_ONCE = 500
_SHOWN = 5
"""Calls that are named where a name means several."""


class CostOf(Struct, frozen=True, kw_only=True):
    """The cost of the calls of a line or a day."""

    name: str
    currency: str
    calls: int
    unknown: int
    """Calls whose cost is not known, and not in ``nanos``."""
    incomplete: int
    """Calls in whose cost something is missing."""
    nanos: int
    seconds: float


async def find_calls(database: Database, wanted: Wanted, limit: int) -> list[CallRow]:
    """Return the newest calls that are wanted, at most ``limit``."""
    async with database.read() as connection:
        found = await connection.execute(await _selected(connection, wanted, limit))
        return [_row(CallRow, values) for values in found.mappings()]


async def every_call(database: Database, wanted: Wanted) -> AsyncIterator[StoredCall]:
    """Yield all calls that are wanted, whole, the newest first, a few hundred at once in memory."""
    while True:
        found = await find_calls(database, wanted, _AT_ONCE)
        if not found:
            return
        async with database.read() as connection:
            for call in found:
                yield await _whole(connection, call)
        wanted = msgspec.structs.replace(wanted, before=found[-1].call_key)


async def read_call(database: Database, name: str) -> StoredCall:
    """Return the call of this ``call_key`` or provider's id, of a beginning that only one has, or of a key's last part.

    Raises ``InputError`` where there is none, or several.
    """
    async with database.read() as connection:
        return await _whole(connection, await _named(connection, name))


async def cost_by(database: Database, by: Literal["line", "day"], wanted: Wanted) -> list[CostOf]:
    """Return what the calls that are wanted have cost, for each line or day (in UTC) and currency."""
    day = func.date(calls.c.started) if database.is_sqlite else func.date(func.timezone("UTC", calls.c.started))
    group = calls.c.line if by == "line" else day
    columns = (
        group.label("name"),
        calls.c.currency,
        func.count().label("calls"),
        func.sum(case((cost_unknown(), 1), else_=0)).label("unknown"),
        func.sum(case((calls.c.cost_note != "", 1), else_=0)).label("incomplete"),
        func.sum(calls.c.cost_nanos).label("nanos"),
        func.sum(calls.c.duration_s).label("seconds"),
    )
    query = select(*columns).where(*conditions(wanted)).group_by(group, calls.c.currency)
    async with database.read() as connection:
        found = await connection.execute(query.order_by(group, calls.c.currency))
        return [_cost(values) for values in found.mappings()]


def _cost(values: Any) -> CostOf:
    nanos = values["nanos"]
    return CostOf(
        name=str(values["name"] or ""),
        currency=values["currency"],
        calls=values["calls"],
        unknown=int(values["unknown"]),
        incomplete=int(values["incomplete"]),
        nanos=int(Decimal(nanos or 0)),  # PostgreSQL adds whole numbers to a decimal
        seconds=float(values["seconds"] or 0),
    )


async def _selected(connection: AsyncConnection, wanted: Wanted, limit: int) -> Select[Any]:
    query = select(calls).where(*conditions(wanted))
    if wanted.before:
        last = await _named(connection, wanted.before)
        earlier = calls.c.started < last.started
        same = and_(calls.c.started == last.started, calls.c.call_key < last.call_key)
        query = query.where(or_(earlier, same))
    return query.order_by(calls.c.started.desc(), calls.c.call_key.desc()).limit(limit)


async def _named(connection: AsyncConnection, name: str) -> CallRow:
    c = calls.c
    exact = or_(c.call_key == name, c.call_id == name)
    begins = or_(func.substr(c.call_key, 1, len(name)) == name, func.substr(c.call_id, 1, len(name)) == name)
    ends = c.call_key.endswith(f"-{name}", autoescape=True)
    for condition in (exact, begins, ends):
        query = select(calls).where(condition).order_by(c.started.desc()).limit(_SHOWN + 1)
        found = [_row(CallRow, values) for values in (await connection.execute(query)).mappings()]
        if len(found) == 1:
            return found[0]
        if found:
            keys = ", ".join(call.call_key for call in found[:_SHOWN])
            more = " and more" if len(found) > _SHOWN else ""
            raise InputError(f"{name}: means several calls, expected one of {keys}{more}")
    raise InputError(f"{name}: no such call, expected its key, the provider's id, or the beginning of either")


async def _whole(connection: AsyncConnection, call: CallRow) -> StoredCall:
    rows: list[Row] = [call]
    for kind in get_args(Row):
        if kind is CallRow:
            continue
        table = TABLE_OF[kind]
        found = await connection.execute(select(table).where(table.c.call_key == call.call_key))
        rows += [_row(kind, values) for values in found.mappings()]
    return stored_call(rows)


def _row(kind: type[R], values: Any) -> R:
    """Make a row from the columns that it has; a table may have more."""
    return kind(**{name: values[name] for name in kind.__struct_fields__})
