"""What happens on each line."""

from datetime import timedelta

from gateway.records.line_activity import VERSIONS, Version, activity_by_line
from gateway.records.rows import Row
from gateway.records.store.database import Database
from tests.records.kept import NINE, TOLD, keep, rows_of
from tests.records.test_figures import SILENT


async def test_calls_of_today_and_the_versions_that_they_had(database_url: str) -> None:
    """The newest version first; calls of before are counted among the versions alone."""
    rows: list[Row] = [
        *rows_of("k1", started=NINE - timedelta(days=2)),
        *rows_of("k2", told=SILENT, line="sales"),
        *rows_of("k3", told=TOLD[:9], started=NINE + timedelta(hours=1)),
        *rows_of("old", started=NINE - timedelta(days=60), line="gone"),
    ]
    async with Database(database_url) as database:
        await database.migrate()
        await keep(database, rows)
        found = await activity_by_line(database, NINE - timedelta(hours=9), NINE - timedelta(days=30))
    assert set(found) == {"support", "sales"}
    support = found["support"]
    assert (support.today, support.running, support.last) == (1, 1, NINE + timedelta(hours=1))
    assert support.versions == (Version("3f", NINE - timedelta(days=2), 2),)
    assert len(support.versions) <= VERSIONS
    assert (found["sales"].today, found["sales"].running) == (1, 0)
