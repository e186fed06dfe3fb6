"""The table of the audit."""

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect
from sqlalchemy.engine import Connection

from gateway.records.store.database import Database
from gateway.records.store.migrations import v0003_audit as audit


def _down_and_up(connection: Connection) -> tuple[bool, bool]:
    with Operations.context(MigrationContext.configure(connection)):
        audit.downgrade()
        gone = inspect(connection).has_table("audit")
        audit.upgrade()
    return gone, inspect(connection).has_table("audit")


async def test_it_comes_and_goes(database_url: str) -> None:
    """All that it makes it drops."""
    async with Database(database_url) as database:
        await database.migrate()
        async with database.write() as connection:
            assert await connection.run_sync(_down_and_up) == (False, True)
