"""What the record of a call says to the page that made it."""

from pathlib import Path

from gateway.console.phone.record import ended
from gateway.records.store.database import Database
from tests.console.conftest import console_with, fill
from tests.records.kept import TOLD, rows_of


async def test_a_call_is_found_once_it_has_ended(tmp_path: Path) -> None:
    """By the provider's id; until then there is nothing to show."""
    console = console_with(tmp_path)
    await fill(console, rows_of("k1", told=TOLD[:-1], call_id="browser-1"))
    database: Database | None = console.records
    assert database is not None
    async with database:
        assert await ended(database, "browser-2") is None
        assert await ended(database, "browser-1") is None
        await fill(console, rows_of("k2", call_id="browser-3"))
        found = await ended(database, "browser-3")
    assert found is not None
    assert found.key == "k2"
    assert any("tool" in finding.lower() for finding in found.findings)
