"""The audit of the console."""

from datetime import timedelta

from gateway.records.audit import AuditRow, add, entries
from gateway.records.store.database import Database
from gateway.records.store.deleting.retention import Retention, purge
from tests.records.conftest import database_url  # noqa: F401 -- a fixture
from tests.records.kept import NINE


def entry(n: int, call: str = "") -> AuditRow:
    """Return an entry of a day."""
    return AuditRow(id=f"e{n}", at=NINE + timedelta(days=n), who="anna", address="192.0.2.1", act="heard", call=call)


async def test_entries_are_listed_page_by_page_and_deleted_in_time(database_url: str) -> None:  # noqa: F811 -- the fixture
    """The newest first; one call's apart; kept for as long as calls are."""
    async with Database(database_url) as database:
        await database.migrate()
        for n in range(4):
            await add(database, entry(n, "k1" if n == 2 else ""))
        assert [row.id for row in await entries(database, 2)] == ["e3", "e2"]
        assert [row.id for row in await entries(database, 9, before="e2")] == ["e1", "e0"]
        assert await entries(database, 9, call="k1") == [entry(2, "k1")]
        await purge(database, Retention("forever", {}), NINE + timedelta(days=9), None)
        assert len(await entries(database, 9)) == 4
        await purge(database, Retention(1, {}), NINE + timedelta(days=3), None)
        assert [row.id for row in await entries(database, 9)] == ["e3", "e2"]
