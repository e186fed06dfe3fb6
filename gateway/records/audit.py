"""The audit of the console: who heard and read which call, who ended and transferred one, and who signed in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct
from sqlalchemy import select

from gateway.records.store.database import Database
from gateway.records.store.tables import audit

Act = Literal[
    "signed_in", "sign_in_failed", "signed_out", "watched", "read", "heard", "downloaded", "ended", "transferred"
]
"""The acts of people: ``watched`` the words of calls in progress, ``read`` those of a call of the records."""


class AuditRow(Struct, frozen=True, kw_only=True):
    """An entry of the audit."""

    id: str
    at: datetime
    who: str
    """The name of a person as they have signed in; ``local`` where nobody has to."""
    address: str
    act: str
    call: str = ""
    """The key of a call of the records, or the provider and id of one in progress."""
    detail: str = ""


async def add(database: Database, row: AuditRow) -> None:
    """Write an entry. Raises what the database raises."""
    async with database.write() as connection:
        await database.put(connection, audit, [{name: getattr(row, name) for name in row.__struct_fields__}])


async def entries(database: Database, limit: int, *, before: str = "", call: str = "") -> Sequence[AuditRow]:
    """Return the newest entries, at most ``limit``; of one ``call`` alone, or those ``before`` an entry."""
    query = select(audit).order_by(audit.c.at.desc(), audit.c.id.desc()).limit(limit)
    if call:
        query = query.where(audit.c.call == call)
    if before:
        last = select(audit.c.at).where(audit.c.id == before).scalar_subquery()
        query = query.where((audit.c.at < last) | ((audit.c.at == last) & (audit.c.id < before)))
    async with database.read() as connection:
        found = await connection.execute(query)
        return [AuditRow(**dict(values)) for values in found.mappings()]
