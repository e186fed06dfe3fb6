"""The calls that a command line asks for."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.cli.records.asked import add_filters, database_of, wanted
from gateway.config import load_deployment
from gateway.errors import InputError
from gateway.records.store.database import Database
from gateway.records.store.number_keys import new_number_key, register
from gateway.records.wanted import Wanted

NOW = datetime(2026, 11, 29, 10, 30, tzinfo=UTC)


async def asked(words: str, folder: Path) -> Wanted:
    """Return what these options ask for, at half past ten."""
    parser = argparse.ArgumentParser()
    add_filters(parser)
    async with Database(f"sqlite:///{folder}/calls.db") as database:
        await database.migrate()
        return await wanted(parser.parse_args(words.split()), database, NOW)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", Wanted()),
        ("--line support --reason silence", Wanted(line="support", reason="silence")),
        ("--reason turned_away", Wanted(reason="turned_away")),
        ("--longer-than 60 --tool-error --said order", Wanted(longer_than_s=60, tool_error=True, said="order")),
        ("--day today", Wanted(since=datetime(2026, 11, 29, tzinfo=UTC), until=datetime(2026, 11, 30, tzinfo=UTC))),
        ("--day yesterday", Wanted(since=datetime(2026, 11, 28, tzinfo=UTC), until=datetime(2026, 11, 29, tzinfo=UTC))),
        ("--day 2026-01-31", Wanted(since=datetime(2026, 1, 31, tzinfo=UTC), until=datetime(2026, 2, 1, tzinfo=UTC))),
        ("--since 2h", Wanted(since=datetime(2026, 11, 29, 8, 30, tzinfo=UTC))),
        ("--until 2026-11-29T09:00", Wanted(until=datetime(2026, 11, 29, 9, tzinfo=UTC))),
        ("--since 2026-11-29T09:00+02:00", Wanted(since=datetime(2026, 11, 29, 7, tzinfo=UTC))),
    ],
)
async def test_options_say_what_is_wanted(tmp_path: Path, words: str, expected: Wanted) -> None:
    """Times are UTC where they do not say otherwise."""
    assert await asked(words, tmp_path) == expected


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--day tomorrow", "is no day, expected such as 2026-11-29"),
        ("--since lunch", "is no time, expected such as"),
        ("--reason boredom", "boredom is not known, expected caller_hung_up, "),
        ("--day today --since 2h", "expected one of them"),
    ],
)
async def test_what_cannot_be_read_is_told(tmp_path: Path, words: str, told: str) -> None:
    """With what was expected."""
    with pytest.raises(InputError, match=told):
        await asked(words, tmp_path)


async def test_a_number_is_looked_for_plain_and_by_its_hashes(tmp_path: Path) -> None:
    """In whatever way it is written: the record may have it masked, and its hash by any key that was in use."""
    keys = new_number_key(), new_number_key()
    async with Database(f"sqlite:///{tmp_path}/calls.db") as database:
        await database.migrate()
        async with database.write() as connection:
            for key in keys:
                await register(database, connection, key)
    found = await asked("--number +1(425)555-0100", tmp_path)
    assert found.numbers == ("+14255550100",)
    assert set(found.hashes) == {key.hash("+14255550100") for key in keys}


@pytest.mark.parametrize(("text", "told"), [("records: false", "keeps no calls"), ("", "is not there yet")])
def test_where_there_are_no_records_that_is_told(tmp_path: Path, text: str, told: str) -> None:
    """And no empty database is made by looking."""
    (tmp_path / "gateway.yaml").write_text(text, "utf-8")
    with pytest.raises(InputError, match=told):
        database_of(load_deployment(tmp_path / "gateway.yaml", {}))
    assert not (tmp_path / "data").exists()
