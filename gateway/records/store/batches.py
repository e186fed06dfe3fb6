"""Writes rows to their tables, the last version of each; a row that the database refuses does not keep the others."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from gateway.records.rows import RecordingRow, Row
from gateway.records.store.database import AT_ONCE, Database
from gateway.records.store.failures import is_away
from gateway.records.store.tables import TABLE_OF
from gateway.text import encodable_inside

_KEYS = {kind: tuple(table.primary_key.columns.keys()) for kind, table in TABLE_OF.items()}


def newest(rows: Iterable[Row]) -> list[Row]:
    """Return the last version of each row, in the order of these."""
    found: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        kind = type(row)
        key = (kind, *(getattr(row, name) for name in _KEYS[kind]))
        found.pop(key, None)
        found[key] = row
    return list(found.values())


async def write(database: Database, rows: Iterable[Row]) -> list[Row]:
    """Write rows in one transaction, and return those that the database refused, which are left out.

    Written again, they are there once. Raises what ``is_away`` knows where nothing could be written.
    """
    last = newest(rows)
    try:
        await _write(database, last)
    except SQLAlchemyError as error:
        if is_away(error):
            raise
        return await _write_singly(database, last)
    return []


async def _write(database: Database, rows: list[Row]) -> None:
    of_tables: dict[type[Row], list[Row]] = {}
    for row in rows:
        of_tables.setdefault(type(row), []).append(row)
    async with database.write() as connection:
        for kind, table in TABLE_OF.items():
            of_table = of_tables.get(kind, [])
            for start in range(0, len(of_table), AT_ONCE):
                some = of_table[start : start + AT_ONCE]
                for rows_alike, once in _by_what_stays(some):
                    await database.put(connection, table, [_values(row) for row in rows_alike], once)


def _by_what_stays(rows: Sequence[Row]) -> Iterator[tuple[Sequence[Row], Collection[str]]]:
    """Yield rows with the columns that stay where there is a row already.

    A recording may have reached its store before its last row is written, which knows nothing of that.
    """
    if not rows or not isinstance(rows[0], RecordingRow):
        yield rows, ()
        return
    for is_local, once in ((True, ("url", "state")), (False, ())):
        alike = [row for row in rows if isinstance(row, RecordingRow) and (row.state == "local") is is_local]
        if alike:
            yield alike, once


async def _write_singly(database: Database, rows: list[Row]) -> list[Row]:
    refused: list[Row] = []
    for row in rows:
        try:
            await _write(database, [row])
        except SQLAlchemyError as error:
            if is_away(error):
                raise
            refused.append(row)
    return refused


def _values(row: Row) -> dict[str, Any]:
    """Return the columns of a row; what no database can keep in a text becomes U+FFFD."""
    values = msgspec.structs.asdict(row)
    for name, value in values.items():
        if (isinstance(value, str) and not value.isprintable()) or name == "fields":
            values[name] = _kept(value)
    return values


def _kept(value: Any) -> Any:
    match value:
        case str():
            return encodable_inside(value.replace("\0", "\ufffd"))
        case dict():
            return {name: _kept(inner) for name, inner in value.items()}
        case list():
            return [_kept(inner) for inner in value]
    return value


TABLES: dict[str, type[Row]] = {str(table.name): kind for kind, table in TABLE_OF.items()}
"""The kind of row of each table, by the table's name."""
NAMES: dict[type[Row], str] = {kind: name for name, kind in TABLES.items()}
