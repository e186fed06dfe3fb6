"""Finds and removes the mentions of a phone number in the texts of calls."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import phonenumbers
from phonenumbers import NumberParseException
from sqlalchemy import JSON, Column, Table, Text, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.records.masking import UNTOLD
from gateway.records.store.database import Database
from gateway.records.store.tables import OF_A_CALL

ROWS_AT_ONCE = 1000
_BETWEEN = r"[\s().\-/]{0,3}"
_NO_TEXTS = frozenset(
    ("call_key", "id", "item_id", "worker", "trace_id", "session_id", "caller_hash", "called_hash", "url", "claimed_by")
)


def mention_of(number: str) -> re.Pattern[str]:
    """Return a pattern of a number as people and programs write it, with or without its country code.

    Of an address of SIP, it is the address.
    """
    if "@" in number:
        return re.compile(re.escape(number.partition(":")[2] or number), re.IGNORECASE)
    digits, country = re.sub(r"\D", "", number), ""
    try:
        parsed = phonenumbers.parse(number)
    except NumberParseException:  # one without a country code
        pass
    else:
        digits, country = phonenumbers.national_significant_number(parsed), str(parsed.country_code)
    before = rf"(?:(?:\+|00)?{country}{_BETWEEN}(?:\(?0\)?{_BETWEEN})?|0)?" if country else ""
    return re.compile(rf"(?<![0-9]){before}{_BETWEEN.join(digits)}(?![0-9])")


async def without(
    database: Database, mention: re.Pattern[str], passed: Collection[str] = (), *, dry_run: bool = False
) -> int:
    """Remove the mentions in all texts of all calls; return the number of rows, without those of ``passed`` calls.

    ``dry_run`` only counts.
    """
    count = 0
    for table in OF_A_CALL:
        count += await _without(database, table, mention, passed, dry_run=dry_run)
    return count


async def _without(
    database: Database, table: Table, mention: re.Pattern[str], passed: Collection[str], *, dry_run: bool
) -> int:
    texts = [
        column for column in table.columns if isinstance(column.type, Text | JSON) and column.name not in _NO_TEXTS
    ]
    key = list(table.primary_key.columns)
    last: tuple[Any, ...] | None = None
    count = 0
    while True:
        page = select(*{column.name: column for column in (*key, table.c.call_key, *texts)}.values())
        page = page.order_by(*key).limit(ROWS_AT_ONCE)
        async with database.read() as connection:
            rows = (await connection.execute(page if last is None else page.where(_behind(key, last)))).mappings().all()
        changed = [(row, values) for row in rows if (values := _changes(row, texts, mention))]
        if changed and not dry_run:
            async with database.write() as connection:
                await _write(connection, table, key, changed)
        count += sum(row["call_key"] not in passed for row, _ in changed)
        if len(rows) < ROWS_AT_ONCE:
            return count
        last = tuple(rows[-1][column.name] for column in key)


def _behind(key: Sequence[Column[Any]], last: tuple[Any, ...]) -> Any:
    """Return the condition of rows behind one, in the order of a primary key of one or two columns."""
    first, *more = key
    if not more:
        return first > last[0]
    return (first > last[0]) | ((first == last[0]) & (more[0] > last[1]))


def _changes(row: Mapping[Any, Any], texts: Sequence[Column[Any]], mention: re.Pattern[str]) -> dict[str, Any]:
    values = {column.name: _scrubbed(row[column.name], mention) for column in texts}
    return {name: value for name, value in values.items() if value != row[name]}


async def _write(
    connection: AsyncConnection,
    table: Table,
    key: Sequence[Column[Any]],
    changed: Sequence[tuple[Mapping[Any, Any], dict[str, Any]]],
) -> None:
    for row, values in changed:
        of_row = [column == row[column.name] for column in key]
        await connection.execute(update(table).where(*of_row).values(values))


def _scrubbed(value: Any, mention: re.Pattern[str]) -> Any:
    match value:
        case str():
            return mention.sub(UNTOLD, value)
        case dict():
            return {name: _scrubbed(inner, mention) for name, inner in value.items()}
        case list():
            return [_scrubbed(inner, mention) for inner in value]
    return value
