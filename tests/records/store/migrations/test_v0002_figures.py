"""The indexes for figures."""

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect
from sqlalchemy.engine import Connection

from gateway.records.store.database import Database
from gateway.records.store.migrations import v0002_figures as figures

INDEXES = {"ix_turns_call_key_latency_ms", "ix_events_call_key"}


def _indexes(connection: Connection) -> set[str | None]:
    seen = inspect(connection)
    return {index["name"] for table in ("turns", "events") for index in seen.get_indexes(table)}


def _down_and_up(connection: Connection) -> tuple[set[str | None], set[str | None]]:
    with Operations.context(MigrationContext.configure(connection)):
        figures.downgrade()
        gone = _indexes(connection)
        figures.upgrade()
    return gone, _indexes(connection)


async def test_its_indexes_come_and_go(database_url: str) -> None:
    """All that it makes it drops."""
    async with Database(database_url) as database:
        await database.migrate()
        async with database.write() as connection:
            gone, made = await connection.run_sync(_down_and_up)
    assert gone & INDEXES == set()
    assert made >= INDEXES
