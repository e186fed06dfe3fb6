"""The migrations make the tables that the code has."""

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.engine import Connection

from gateway.records.store.database import Database
from gateway.records.store.migrating import VERSION_TABLE, migrate, version
from gateway.records.store.tables import metadata


def differences(connection: Connection) -> list[object]:
    """Compare the database with the tables of the code."""
    options = {"version_table": VERSION_TABLE, "compare_type": True}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


async def test_the_newest_version_has_the_tables_of_the_code(database_url: str) -> None:
    """Columns, types, keys and indexes; once they are there, nothing is left to do."""
    async with Database(database_url) as database:
        done = await database.migrate()
        assert done == sorted(done)
        assert await database.migrate() == []
        async with database.write() as connection:
            assert await connection.run_sync(differences) == []
            assert await connection.run_sync(migrate) == []
            assert await connection.run_sync(version) == (done[-1], done[-1])
