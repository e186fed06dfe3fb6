"""Pages of a list of calls: what each row shows, and the pages before and behind."""

from typing import Any

from msgspec import Struct
from sqlalchemy import Select, case, func, literal, select
from sqlalchemy import tuple_ as pair

from gateway.records.rows import CallRow
from gateway.records.store.database import Database
from gateway.records.store.tables import calls
from gateway.records.wanted import Wanted, conditions, ended_badly, has_recording, tool_failed, transfer_failed


class ListedCall(Struct, frozen=True, kw_only=True):
    """A row of the list."""

    call: CallRow
    is_recorded: bool
    """``True`` if its recording is still there."""
    ended_badly: bool
    failed: tuple[str, ...] = ()
    """The kinds of acts that failed in it: ``tool``, ``transfer``."""


class CallPage(Struct, frozen=True, kw_only=True):
    """A page of the list, the newest call first."""

    calls: tuple[ListedCall, ...]
    total: int | None
    """All calls that are wanted, on whatever page; not counted where words are searched, which takes long."""
    older: str = ""
    """The ``call_key`` behind which the next page begins; empty on the last one."""
    newer: str = ""
    """The ``call_key`` before which the previous page ends; empty on the first one."""


async def page_of(database: Database, wanted: Wanted, size: int, *, after: str = "") -> CallPage:
    """Return the page behind ``wanted.before``, or that of newer calls ``after`` a key; the first page without either.

    A key that no call has any more stands for the first page.
    """
    order = (calls.c.started, calls.c.call_key)
    async with database.read() as connection:
        total = None
        if not wanted.said:
            count = select(func.count()).select_from(calls).where(*conditions(wanted))
            total = (await connection.execute(count)).scalar_one()
        anchor = (await connection.execute(select(*order).where(calls.c.call_key == (after or wanted.before)))).first()
        query = _rows().where(*conditions(wanted))
        if anchor is None:
            query = query.order_by(*(column.desc() for column in order))
        elif after:
            query = query.where(pair(*order) > pair(*_bound(anchor))).order_by(*order)
        else:
            query = query.where(pair(*order) < pair(*_bound(anchor))).order_by(*(column.desc() for column in order))
        found = [_listed(values) for values in (await connection.execute(query.limit(size + 1))).mappings()]
    more, found = len(found) > size, found[:size]
    if anchor is not None and after:
        found.reverse()
        older, newer = True, more
    else:
        older, newer = more, anchor is not None
    keys = [one.call.call_key for one in found]
    return CallPage(
        calls=tuple(found),
        total=total,
        older=keys[-1] if keys and older else "",
        newer=keys[0] if keys and newer else "",
    )


async def lines_of(database: Database) -> list[str]:
    """Return the names of all lines that have had a call."""
    async with database.read() as connection:
        found = await connection.execute(select(calls.c.line).distinct().order_by(calls.c.line))
        return [line for (line,) in found if line]


def _bound(anchor: Any) -> tuple[Any, Any]:
    return literal(anchor.started, calls.c.started.type), literal(anchor.call_key)


def _rows() -> Select[Any]:
    flags = (
        ("is_recorded", has_recording()),
        ("ended_badly", ended_badly()),
        ("tool_failed", tool_failed()),
        ("transfer_failed", transfer_failed()),
    )
    return select(calls, *(case((condition, 1), else_=0).label(name) for name, condition in flags))


def _listed(values: Any) -> ListedCall:
    return ListedCall(
        call=CallRow(**{name: values[name] for name in CallRow.__struct_fields__}),
        is_recorded=bool(values["is_recorded"]),
        ended_badly=bool(values["ended_badly"]),
        failed=tuple(name for name in ("tool", "transfer") if values[f"{name}_failed"]),
    )
