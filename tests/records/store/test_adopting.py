"""Rows and calls of a dead process."""

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from gateway.records.store.adopting import Adopted, adopt
from gateway.records.store.database import Database
from gateway.records.store.spool import Spool, spools
from gateway.records.store.tables import calls
from gateway.records.store.workers import beat
from tests.records.store.rows import NOON, call_row, event_row


def left_behind(data: Path) -> Spool:
    """Return the spool of a dead process, locked here."""
    spool = Spool(data, "dead", 1 << 20)
    spool.append([call_row("a", worker="dead"), *(event_row(n, "a") for n in range(30))])
    spool.close()
    with (data / "spool" / "dead.jsonl").open("a") as file:
        file.write('["calls",{"call_key')
    (found,) = spools(data)
    assert found.adopt()
    return found


async def test_rows_are_written_and_calls_are_marked(database_url: str, tmp_path: Path) -> None:
    """The file is gone then; a line that was cut is counted."""
    async with Database(database_url) as database:
        await database.migrate()
        await beat(database, "dead", NOON, [])
        assert await adopt(database, left_behind(tmp_path)) == Adopted(rows=31, lost=1, interrupted=1)
        async with database.read() as connection:
            assert await connection.scalar(select(calls.c.state)) == "interrupted"
    assert list(spools(tmp_path)) == []


async def test_what_cannot_be_written_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the next attempt, all of it."""
    async with Database(f"sqlite:///{tmp_path}/calls.db") as database:
        await database.migrate()

        async def away(*_: object) -> None:
            raise OperationalError("INSERT", None, Exception("database is locked"))

        with monkeypatch.context() as patched:
            patched.setattr(database, "put", away)
            with pytest.raises(OperationalError):
                await adopt(database, left_behind(tmp_path))
        (found,) = spools(tmp_path)
        assert found.adopt()
        assert (await adopt(database, found)).rows == 31
