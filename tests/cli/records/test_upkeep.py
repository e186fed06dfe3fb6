"""``gateway records migrate``, ``purge`` and ``forget``."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from gateway.cli import main
from gateway.records.rows import RecordingRow, Row
from gateway.records.store.batches import write
from gateway.records.store.database import Database
from gateway.records.store.tables import calls
from tests.e2e.rig import GATEWAY, LINE, configuration
from tests.records.store.rows import CALLED, CALLER, call_row

NOW = datetime.now(UTC)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A deployment with two lines, one of which keeps calls for a week; numbers are kept in full."""
    short = LINE.replace("0100", "0101") + "records: {keep_days: 7}\n"
    lines = {"support": LINE, "short": short}
    return configuration(tmp_path, lines, GATEWAY + "records: {numbers: full}\n")


def put(config: Path, rows: Sequence[Row]) -> None:
    """Write rows into the deployment's database."""

    async def run() -> None:
        async with Database(f"sqlite:///{config.parent}/data/calls.db") as database:
            await database.migrate()
            assert await write(database, rows) == []

    asyncio.run(run())


def keys(config: Path) -> list[str]:
    """The calls that are there."""

    async def run() -> list[str]:
        async with Database(f"sqlite:///{config.parent}/data/calls.db") as database, database.read() as connection:
            return sorted((await connection.execute(select(calls.c.call_key))).scalars())

    return asyncio.run(run())


def days_ago(days: int, key: str, **values: object) -> Row:
    """Return the row of a call that is over."""
    return call_row(key, state="ended", started=NOW - timedelta(days=days), **values)


def test_migrate_makes_the_tables(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Once; then there is nothing to do."""
    assert main(["records", "migrate", "--config", str(config)]) == 0
    assert "calls.db: applied 0001" in capsys.readouterr().out
    assert main(["records", "migrate", "--config", str(config)]) == 0
    assert "the tables are the newest" in capsys.readouterr().out


def test_purge_deletes_what_was_kept_for_long_enough(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By line; with their recordings, which are files here."""
    wav = config.parent / "data" / "recordings" / "a.wav"
    wav.parent.mkdir(parents=True)
    wav.write_bytes(b"RIFF")
    put(
        config,
        [
            days_ago(100, "a"),
            days_ago(10, "b"),
            days_ago(10, "c", line="short"),
            RecordingRow(call_key="a", url=wav.as_uri(), state="stored"),
        ],
    )
    assert main(["records", "purge", "--dry-run", "--config", str(config)]) == 0
    assert capsys.readouterr().out == "would delete 2 calls and 1 recording\n"
    assert keys(config) == ["a", "b", "c"]
    assert main(["records", "purge", "--json", "--config", str(config)]) == 0
    assert json.loads(capsys.readouterr().out) == {"calls": 2, "recordings": 1, "left": 0}
    assert keys(config) == ["b"]
    assert not wav.exists()


def test_forget_leaves_nothing_of_a_number(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The folder of the deployment is searched for its digits."""
    put(
        config,
        [
            days_ago(1, "a", caller=CALLER),
            days_ago(1, "b", caller="+14155550177", detail=f"busy: {CALLER}"),
            days_ago(1, "c", caller="+14155550177"),
        ],
    )
    assert main(["records", "forget", CALLER, "--dry-run", "--config", str(config)]) == 0
    assert capsys.readouterr().out == (
        "would delete 1 call and 0 recordings; would change 1 row of other calls in which the number stood\n"
    )
    assert main(["records", "forget", CALLER, "--json", "--config", str(config)]) == 0
    assert json.loads(capsys.readouterr().out) == {
        **dict.fromkeys(("recordings", "running", "left", "waiting"), 0),
        "calls": 1,
        "mentions": 1,
        "complete": True,
    }
    assert keys(config) == ["b", "c"]
    holding = [path for path in config.parent.rglob("*") if path.is_file() and b"4155550123" in path.read_bytes()]
    assert holding == []


def test_forget_says_what_it_cannot_do_yet(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A call of the number goes on: the exit code is 1."""
    put(config, [call_row("a", caller=CALLER)])
    assert main(["records", "forget", CALLER, "--config", str(config)]) == 1
    assert "1 call of this number still running: run this again" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["forget", CALLED], 2, "+14255550100 is a number of the line support"),
        (["forget", "bob"], 2, "bob: is no phone number"),
        (["purge"], 1, "no such file"),
        (["forget", CALLER], 1, "no such file"),
    ],
)
def test_mistakes_are_told(
    config: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    """In words, with the exit code of a wrong input or of a failure."""
    if "no such" not in said:
        put(config, [])
    assert main(["records", *arguments, "--config", str(config)]) == code
    assert said in capsys.readouterr().err
