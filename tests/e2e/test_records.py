"""Records of whole calls: by a gateway whose database goes away, and by one that is killed."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from bench.target import free_port
from gateway.records.store.database import Database
from gateway.records.store.tables import calls, events, turns, workers
from gateway.sim.caller.dial import dial
from gateway.sim.emulator import Emulator
from tests.e2e.rig import GATEWAY, LINE, NUMBER, Rig, configuration, instant, noise, rig, session_of
from tests.e2e.test_deliveries import served
from tests.records.conftest import database_url  # noqa: F401 -- the fixture
from tests.virtual_time import virtual_time

CALLS, ROUNDS, ROUND_S = 50, 4, 8.0
AWAY_FROM_S, AWAY_S = 4.0, 30.0


class Outage:
    """Lets every transaction that writes fail while it is on."""

    is_on = False

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write = Database.write

        @asynccontextmanager
        async def failing(database: Database) -> AsyncIterator[AsyncConnection]:
            if self.is_on:
                raise OperationalError("BEGIN", None, ConnectionRefusedError("stopped"))
            async with write(database) as connection:
                yield connection

        monkeypatch.setattr(Database, "write", failing)

    async def run(self) -> None:
        """Be on for a while."""
        await asyncio.sleep(AWAY_FROM_S)
        self.is_on = True
        await asyncio.sleep(AWAY_S)
        self.is_on = False


async def talk(held: Rig, number: int) -> None:
    """Call, say something every few seconds, listen to the answer, and hang up."""
    call_id = f"CA{number}"

    async def answered(times: int) -> None:
        await held.until(lambda: len(held.fields(call_id, "reply_heard")) >= times)

    async with dial("twilio", held.stream_url, to=NUMBER, from_=f"+1415555{number:04}", call_id=call_id):
        session = await session_of(held, call_id)
        for n in range(ROUNDS):
            await answered(n + 1)
            await session.speech_started()
            await session.speech_stopped(f"Question {n} of caller {number}.")
            await asyncio.sleep(ROUND_S)
    await held.end_of(call_id)


@virtual_time
async def test_calls_go_on_without_a_database_and_nothing_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fifty calls, thirty seconds without it: no frame is late, and every note of every call is in the records."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)
    outage = Outage(monkeypatch)
    line = LINE.replace("Hello.", "600 ms of a greeting")
    file = configuration(tmp_path, {"support": line}, GATEWAY)
    async with rig(
        file, instant(*[{"say": f"{900 + n} ms of an answer"} for n in range(ROUNDS)]), limit_s=300, keep_records=True
    ) as held:
        async with asyncio.TaskGroup() as group:
            group.create_task(outage.run())
            for number in range(CALLS):
                await asyncio.sleep(0.0101)  # so that the phones' frames do not come all at once
                group.create_task(talk(held, number))
        assert await held.metric("gateway_frames_late_total") == 0
        assert await held.metric("gateway_records_lost_total") == 0
        assert await held.metric("gateway_records_spooled_total") > 0
    async with Database(f"sqlite:///{tmp_path}/data/calls.db") as database, database.read() as connection:
        for number in range(CALLS):
            await compare(connection, held, f"CA{number}", number)


async def compare(connection: AsyncConnection, held: Rig, call_id: str, number: int) -> None:
    """Compare the record of a call with what the gateway told of it while it went on."""
    row = (await connection.execute(select(calls).where(calls.c.call_id == call_id))).one()
    assert (row.state, row.reason, row.by) == ("ended", "caller_hung_up", "caller")
    of_call = events.c.call_key == row.call_key
    kinds = await connection.execute(select(events.c.kind).where(of_call).order_by(events.c.n))
    assert list(kinds.scalars()) == [note.note.event for note in held.notes[call_id]]
    said = await connection.execute(
        select(turns.c.words).where(turns.c.call_key == row.call_key, turns.c.who == "caller").order_by(turns.c.n)
    )
    assert list(said.scalars()) == [f"Question {n} of caller {number}." for n in range(ROUNDS)]
    assert f"+1415555{number:04}" not in str(row)


async def states(url: str) -> dict[str, str]:
    """The state of each call."""
    async with Database(url) as database, database.read() as connection:
        return dict((await connection.execute(select(calls.c.call_id, calls.c.state))).all())


async def words(url: str) -> list[str]:
    """The words of the callers; none while the gateway has not made its tables."""
    found = select(turns.c.words).where(turns.c.who == "caller")
    async with Database(url) as database:
        try:
            async with database.read() as connection:
                return list((await connection.execute(found)).scalars())
        except DBAPIError:
            return []


async def test_a_call_that_was_killed_is_interrupted(tmp_path: Path, database_url: str) -> None:  # noqa: F811 -- the fixture
    """``kill -9`` in the middle of it: the last turn is there, and the next process says that the call was cut."""
    port = free_port()
    gateway = GATEWAY + "records: {url: '${DATABASE}'}\n"
    config = configuration(tmp_path, {"support": LINE}, gateway)
    url = f"ws://127.0.0.1:{port}/stream/twilio"
    environ = {"DATABASE": database_url}
    async with asyncio.timeout(100), Emulator(instant()) as emulator, AsyncExitStack() as phones:
        async with served(tmp_path, config, emulator, port, environ):
            await phones.enter_async_context(dial("twilio", url, to=NUMBER, from_="+14155550123", call_id="CA1"))
            session = await emulator.session(0)
            await session.until(lambda one: any(record.type == "response.done" for record in one.sent))
            await session.speech_started()
            await session.speech_stopped("My last words.")
            while await words(database_url) != ["My last words."]:  # noqa: ASYNC110 -- another process writes them
                await asyncio.sleep(0.05)
            assert await states(database_url) == {"CA1": "running"}
        async with served(tmp_path, config, emulator, port, environ):
            while await states(database_url) != {"CA1": "interrupted"}:  # noqa: ASYNC110 -- likewise
                await asyncio.sleep(0.05)
    assert await words(database_url) == ["My last words."]
    async with Database(database_url) as database, database.read() as connection:
        row = (await connection.execute(select(calls))).one()
    assert row.ended is not None
    assert row.duration_s == round((row.ended - row.started).total_seconds(), 1)


async def test_the_calls_of_a_worker_that_died_are_interrupted_by_the_others(tmp_path: Path) -> None:
    """Within seconds, though the service goes on; the worker's successor is another process."""
    port = free_port()
    config = configuration(tmp_path, {"support": LINE}, GATEWAY)
    data = f"sqlite:///{tmp_path}/data/calls.db"
    url = f"ws://127.0.0.1:{port}/stream/twilio"
    async with (
        asyncio.timeout(110),
        Emulator(instant()) as emulator,
        AsyncExitStack() as phones,
        served(tmp_path, config, emulator, port, options=["--workers", "2", "--drain", "0"]) as supervisor,
    ):
        await phones.enter_async_context(dial("twilio", url, to=NUMBER, from_="+14155550123", call_id="CA1"))
        while not (pid := await worker_of(data, "CA1")):  # noqa: ASYNC110 -- another process writes it
            await asyncio.sleep(0.05)
        assert pid != supervisor.pid
        os.kill(pid, signal.SIGKILL)
        while await states(data) != {"CA1": "interrupted"}:  # noqa: ASYNC110 -- likewise
            await asyncio.sleep(0.05)
        assert supervisor.returncode is None
        supervisor.terminate()
        await supervisor.wait()
    async with Database(data) as database, database.read() as connection:
        assert (await connection.execute(select(workers))).all() == []


async def worker_of(url: str, call_id: str) -> int:
    """The process that has a call; 0 while nobody has written it."""
    found = select(workers.c.pid).join(calls, calls.c.worker == workers.c.worker).where(calls.c.call_id == call_id)
    async with Database(url) as database:
        try:
            async with database.read() as connection:
                return await connection.scalar(found) or 0
        except DBAPIError:
            return 0
