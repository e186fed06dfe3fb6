"""What the pages of a console read."""

from pathlib import Path

from tests.console.conftest import console_with, fill


async def test_records_are_there_once_the_database_is(tmp_path: Path) -> None:
    """To look does not make the file: a gateway makes it, with its rights."""
    console = console_with(tmp_path)
    assert console.records is None
    await fill(console, [])
    assert console.records is console.database
    assert console_with(tmp_path, "records: false\n").records is None
