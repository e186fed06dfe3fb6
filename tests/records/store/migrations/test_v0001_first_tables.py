"""The first version of the tables."""

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect
from sqlalchemy.engine import Connection

from gateway.records.store.database import Database
from gateway.records.store.migrations import v0001_first_tables as first


def _up_and_down(connection: Connection) -> tuple[set[str], set[str]]:
    before = set(inspect(connection).get_table_names())
    with Operations.context(MigrationContext.configure(connection)):
        first.upgrade()
        made = set(inspect(connection).get_table_names()) - before
        first.downgrade()
    return made, set(inspect(connection).get_table_names()) - before


async def test_its_tables_come_and_go(database_url: str) -> None:
    """All that it makes it drops."""
    async with Database(database_url) as database:
        if database.file:
            database.file.parent.mkdir()
        async with database.write() as connection:
            made, left = await connection.run_sync(_up_and_down)
    assert {"calls", "turns", "events", "meta"} < made
    assert left == set()
