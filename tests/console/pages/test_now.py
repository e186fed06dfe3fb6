"""The page of the calls in progress."""

from pathlib import Path

from msgspec.structs import replace

from gateway.records.rows import CallRow
from tests.console.conftest import browser, console_with, fill, text_of
from tests.records.kept import rows_of


async def test_calls_in_progress_are_shown_and_others_are_not(tmp_path: Path) -> None:
    """Names of lines are inert."""
    console = console_with(tmp_path)
    async with browser(console) as client:
        assert "No records" in await text_of(client, "/")
        running = [row for row in rows_of("0-1-a", line="<b>sales") if isinstance(row, CallRow)]
        await fill(console, [replace(row, state="running") for row in running])
        page = await text_of(client, "/")
    assert "&lt;b&gt;sales" in page
    assert "<b>" not in page
