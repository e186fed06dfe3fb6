"""Activity on each line: calls of today, those that go on, and the versions of its file that calls had."""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import case, func, select

from gateway.records.store.database import Database
from gateway.records.store.tables import calls

VERSIONS = 4
"""Most versions that are shown of a line, the newest first."""


class Version(Struct, frozen=True):
    """A version of a line's file that calls had."""

    generation: str
    first: datetime
    calls: int


class Activity(Struct, frozen=True):
    """The calls of a line."""

    today: int = 0
    running: int = 0
    last: datetime | None = None
    versions: tuple[Version, ...] = ()


async def activity_by_line(database: Database, today: datetime, since: datetime) -> dict[str, Activity]:
    """Return what happened on each line: the calls since ``today`` began, the versions of files since ``since``."""
    c = calls.c
    of_today = func.sum(case((c.started >= today, 1), else_=0))
    running = func.sum(case((c.state == "running", 1), else_=0))
    counts = select(c.line, of_today, running, func.max(c.started)).where(c.started >= since).group_by(c.line)
    versions = (
        select(c.line, c.generation, func.min(c.started), func.count())
        .where(c.started >= since, c.generation != "")
        .group_by(c.line, c.generation)
        .order_by(func.min(c.started).desc())
    )
    async with database.read() as connection:
        counted = (await connection.execute(counts)).all()
        had: dict[str, list[Version]] = {}
        for line, generation, first, count in await connection.execute(versions):
            had.setdefault(line, []).append(Version(generation, first, count))
    return {
        line: Activity(int(today), int(running), last, tuple(had.get(line, ())[:VERSIONS]))
        for line, today, running, last in counted
    }
