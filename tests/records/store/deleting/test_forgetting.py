"""A number is forgotten: no file holds it any more."""

from pathlib import Path

import pytest
from sqlalchemy import select

from gateway.config.records.records import Numbers
from gateway.errors import InputError
from gateway.logs.redaction import Redactor
from gateway.records.masking import Masking
from gateway.records.rows import EventRow, RecordingRow, Row
from gateway.records.store.batches import write
from gateway.records.store.database import Database
from gateway.records.store.deleting.forgetting import Forgotten, forget
from gateway.records.store.keepable import Keepable
from gateway.records.store.number_keys import own_number_key, register
from gateway.records.store.spool import Spool
from gateway.records.store.tables import calls, events
from tests.records.store.deleting.files import Files
from tests.records.store.rows import CALLED, call_row

NUMBER, OTHER = "+14155550123", "+14155550188"
DIGITS = ("4155550123", "415 555 0123", "415-555-0123", "(415) 555-0123")


def told(key: str, caller: str, words: str = "Hello.") -> list[Row]:
    """Return rows of a call from a number."""
    started = {"caller": caller, "called": CALLED}
    return [
        call_row(key, caller=caller, called=CALLED, state="ended", worker="w"),
        EventRow(call_key=key, n=0, at_ms=0, kind="call_started", fields=started),
        EventRow(call_key=key, n=1, at_ms=9, kind="caller_said", fields={"item_id": "i", "text": words}),
    ]


async def filled(database: Database, data: Path, numbers: Numbers) -> None:
    """Write calls of two numbers, one of which mentions the other; some rows wait in the spool of a dead process."""
    await database.migrate()
    key = own_number_key(data)
    keepable = Keepable(key, Masking(numbers=numbers), Redactor())
    async with database.write() as connection:
        await register(database, connection, key)
    rows = [*told("a", NUMBER), *told("b", OTHER, "Call 415-555-0123."), *told("c", NUMBER, "I am at 415 555 0123.")]
    rows += [EventRow(call_key="b", n=2, at_ms=12, kind="said", fields={"texts": ["Hello.", "It is 415-555-0123."]})]
    rows += [RecordingRow(call_key="a", url="file:///a.wav")]
    await write(database, [keepable.row(row) for row in rows])
    spool = Spool(data, "dead", 1 << 20)
    spool.append([keepable.row(row) for row in told("d", NUMBER, "(415) 555-0123 is mine.")])
    spool.close()


def found_in(folder: Path) -> set[str]:
    """Return the files that hold the number, in any spelling."""
    spellings = [spelling.encode() for spelling in DIGITS]
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.name for path in files if any(one in path.read_bytes() for one in spellings)}


@pytest.mark.parametrize("numbers", ["full", "masked", "none"])
async def test_no_file_holds_the_number_any_more(tmp_path: Path, numbers: Numbers) -> None:
    """Neither the database, nor what SQLite keeps beside it, nor the spool; other calls are there still."""
    files = Files()
    async with Database(f"sqlite:///{tmp_path}/data/calls.db") as database:
        await filled(database, tmp_path / "data", numbers)
        assert found_in(tmp_path) >= {"calls.db-wal", "dead.jsonl"}
        done = await forget(database, tmp_path / "data", "415 555 0123", "US", files)
        assert found_in(tmp_path) == set()
        assert done == Forgotten(calls=3, recordings=1, mentions=2)
        assert done.is_complete
        async with database.read() as connection:
            assert (await connection.execute(select(calls.c.call_key))).scalars().all() == ["b"]
        assert await forget(database, tmp_path / "data", NUMBER, "", files) == Forgotten()
    assert found_in(tmp_path) == set()
    assert files.erased == [("a", "file:///a.wav")]


@pytest.mark.parametrize("numbers", ["full", "masked", "none"])
async def test_a_number_that_was_called_is_forgotten_with_its_calls(tmp_path: Path, numbers: Numbers) -> None:
    """As one that calls: it is somebody's, too."""
    async with Database(f"sqlite:///{tmp_path}/data/calls.db") as database:
        await filled(database, tmp_path / "data", numbers)
        done = await forget(database, tmp_path / "data", CALLED, "", Files())
        assert (done.calls, done.is_complete) == (4, True)


@pytest.mark.parametrize("what", [{"running": 1}, {"left": 1}, {"waiting": 1}])
def test_whatever_is_left_makes_a_forgetting_incomplete(what: dict[str, int]) -> None:
    """A call that goes on, one whose recording stays, a process with rows that it has not written."""
    assert Forgotten(calls=3, recordings=1, mentions=1).is_complete
    assert not Forgotten(calls=3, **what).is_complete


async def test_a_server_forgets_too(postgresql_url: str, tmp_path: Path) -> None:
    """In its tables, and in the files of this machine."""
    async with Database(postgresql_url) as database:
        await filled(database, tmp_path, "full")
        assert await forget(database, tmp_path, NUMBER, "", Files()) == Forgotten(calls=3, recordings=1, mentions=2)
        async with database.read() as connection:
            left = "".join([str((await connection.execute(select(table))).all()) for table in (calls, events)])
            assert "0123" not in left
            assert "Call …." in left
    assert found_in(tmp_path) == set()


async def test_what_is_dry_changes_nothing(tmp_path: Path) -> None:
    """It counts what is in the database; rows that wait are left where they are."""
    async with Database(f"sqlite:///{tmp_path}/data/calls.db") as database:
        await filled(database, tmp_path / "data", "masked")
        done = await forget(database, tmp_path / "data", NUMBER, "", None, dry_run=True)
        assert done == Forgotten(calls=2, recordings=1, mentions=2)
        assert "dead.jsonl" in found_in(tmp_path)
        async with database.read() as connection:
            assert len((await connection.execute(select(calls.c.call_key))).all()) == 3


async def test_what_cannot_be_forgotten_now_is_told(tmp_path: Path) -> None:
    """Calls that go on, recordings whose store is away, and rows that a living process has not written yet."""
    data = tmp_path / "data"
    living = Spool(data, "living", 1 << 20)
    async with Database(f"sqlite:///{data}/calls.db") as database:
        await filled(database, data, "full")
        await write(database, [call_row("e", caller=NUMBER, worker="w")])
        living.append(told("f", NUMBER))
        done = await forget(database, data, NUMBER, "", Files("a"))
        assert (done.calls, done.running, done.left, done.waiting) == (2, 1, 1, 1)
        assert not done.is_complete
    living.close()


@pytest.mark.parametrize("number", ["", "12345", "bob"])
async def test_what_is_no_number_is_refused(tmp_path: Path, number: str) -> None:
    """It would match too much."""
    async with Database(f"sqlite:///{tmp_path}/calls.db") as database:
        with pytest.raises(InputError, match="is no phone number"):
            await forget(database, tmp_path, number, "", None)
