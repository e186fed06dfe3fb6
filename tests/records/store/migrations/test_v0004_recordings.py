"""Recordings without the columns of an outbox."""

from datetime import UTC, datetime

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, inspect, select
from sqlalchemy.engine import Connection

from gateway.records.store.database import Database
from gateway.records.store.migrations import v0004_recordings as migration
from gateway.records.store.tables import recordings

DROPPED = {"attempts", "next_at", "claimed_by", "claimed_until"}
ROW = {
    "call_key": "k1",
    "url": "file:///a.wav",
    "format": "pcmu/8000 stereo",
    "seconds": 12.5,
    "state": "stored",
    "keep_until": datetime(2026, 12, 24, tzinfo=UTC),
    "last_error": "",
}


def _shape(connection: Connection) -> tuple[set[str], set[str | None], list[str]]:
    """The columns, indexes and key of the table."""
    seen = inspect(connection)
    return (
        {column["name"] for column in seen.get_columns("recordings")},
        {index["name"] for index in seen.get_indexes("recordings")},
        seen.get_pk_constraint("recordings")["constrained_columns"],
    )


def _down(connection: Connection) -> tuple[set[str], set[str | None], list[str]]:
    with Operations.context(MigrationContext.configure(connection)):
        migration.downgrade()
    return _shape(connection)


def _up(connection: Connection) -> tuple[set[str], set[str | None], list[str]]:
    with Operations.context(MigrationContext.configure(connection)):
        migration.upgrade()
    return _shape(connection)


async def test_what_is_there_stays(database_url: str) -> None:
    """Of a table of the version before, rows, key and the other index; the columns and their index go."""
    async with Database(database_url) as database:
        await database.migrate()
        async with database.write() as connection:
            now = await connection.run_sync(_shape)
            columns, indexes, key = await connection.run_sync(_down)
            assert columns == now[0] | DROPPED
            assert indexes == now[1] | {"ix_recordings_state_next_at"}
            assert key == ["call_key"]
            await connection.execute(insert(recordings).values(ROW))
            assert await connection.run_sync(_up) == now
            assert dict((await connection.execute(select(recordings))).mappings().one()) == ROW
    assert not now[0] & DROPPED
    assert now[1] == {"ix_recordings_keep_until"}
