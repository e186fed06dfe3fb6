"""Processes that live, and processes that have died."""

from datetime import datetime, timedelta

from sqlalchemy import select, update

from gateway.records.rows import DeliveryRow, TurnRow
from gateway.records.store.batches import write
from gateway.records.store.database import Database
from gateway.records.store.tables import calls, deliveries, workers
from gateway.records.store.workers import SILENT_S, Watch, beat, leave, mark_interrupted, mark_orphans
from tests.records.store.rows import NOON, call_row, event_row


async def states(database: Database) -> dict[str, str]:
    """The state of each call, by its key."""
    async with database.read() as connection:
        found = await connection.execute(select(calls.c.call_key, calls.c.state))
        return dict(found.all())


async def test_the_calls_of_a_dead_process_are_interrupted(database_url: str) -> None:
    """They ended with its last beat, or their last event; those that had ended, and those of others, stay."""
    async with Database(database_url) as database:
        await database.migrate()
        assert await beat(database, "w1", NOON + timedelta(seconds=8), [])
        assert await beat(database, "w2", NOON, [])
        turns = [
            TurnRow(call_key="a", n=0, who="caller", item_id="i", started_ms=1),
            TurnRow(call_key="a", n=1, who="bot", item_id="j", started_ms=1),
        ]
        late = [event_row(n, key="b") for n in range(500)]
        ended = call_row("c", worker="w1", state="ended", ended=NOON)
        running = [call_row("a", worker="w1"), call_row("b", worker="w1"), call_row("d", worker="w2")]
        await write(database, [*running, ended, *turns, *late])
        assert await mark_interrupted(database, "w1") == 2
        assert await mark_interrupted(database, "w1") == 0
        assert await states(database) == {"a": "interrupted", "b": "interrupted", "c": "ended", "d": "running"}
        async with database.read() as connection:
            found = await connection.execute(select(calls).where(calls.c.worker == "w1").order_by(calls.c.call_key))
            a, b, _ = found.all()
            assert list((await connection.execute(select(workers.c.worker))).scalars()) == ["w2"]
    assert (a.ended, a.duration_s, a.turns) == (NOON + timedelta(seconds=8), 8.0, 1)
    assert a.heartbeat == NOON + timedelta(seconds=8)
    assert (b.ended, b.duration_s) == (NOON + timedelta(milliseconds=20 * 499), 10.0)


async def test_who_was_taken_for_dead_says_that_its_calls_run(database_url: str) -> None:
    """With its next beat; those of its calls that have ended meanwhile are no matter."""
    async with Database(database_url) as database:
        await database.migrate()
        await beat(database, "w1", NOON, [])
        await write(database, [call_row("a", worker="w1"), call_row("b", worker="w1")])
        assert not await beat(database, "w1", NOON, ["a", "b"])
        await mark_interrupted(database, "w1")
        assert await beat(database, "w1", NOON, ["a"])
        assert await states(database) == {"a": "running", "b": "interrupted"}
        async with database.read() as connection:
            row = (await connection.execute(select(calls).where(calls.c.call_key == "a"))).one()
        assert (row.ended, row.heartbeat, row.duration_s) == (None, None, None)


async def test_what_is_not_delivered_yet_of_such_an_interruption_is_withdrawn(database_url: str) -> None:
    """Of the calls that run; what a receiver has got already cannot be."""

    def events_of(key: str, line: str, ended: datetime) -> list[DeliveryRow]:
        return [
            DeliveryRow(
                id=f"{key} {target}",
                call_key=key,
                seq=9,
                target=target,
                event="call.interrupted",
                body="{}",
                created=ended,
            )
            for target in ("crm", "bi")
        ]

    async with Database(database_url) as database:
        await database.migrate()
        await write(database, [call_row("a", worker="w1"), call_row("b", worker="w1")])
        await mark_interrupted(database, "w1", events_of)
        async with database.write() as connection:
            sent = update(deliveries).where(deliveries.c.id == "a bi").values(state="delivered")
            await connection.execute(sent)
        assert await beat(database, "w1", NOON, ["a"])
        async with database.read() as connection:
            left = await connection.execute(select(deliveries.c.id).order_by(deliveries.c.id))
            assert left.scalars().all() == ["a bi", "b bi", "b crm"]


async def test_calls_of_nobody_are_interrupted(database_url: str) -> None:
    """But not the own ones, whose process may be about to say that it lives."""
    async with Database(database_url) as database:
        await database.migrate()
        await beat(database, "w2", NOON, [])
        await write(database, [call_row("a", worker="w1"), call_row("b", worker="w2"), call_row("c", worker="own")])
        assert await mark_orphans(database, "own") == 1
        assert await mark_orphans(database, "own") == 0
        assert await states(database) == {"a": "interrupted", "b": "running", "c": "running"}
        await leave(database, "w2")
        assert await mark_orphans(database, "own") == 1


async def test_a_process_is_silent_once_its_beats_have_not_changed_for_a_minute(database_url: str) -> None:
    """By the clock of the one that watches; the time of day is no matter. Time without the database does not count."""
    now = 0.0
    async with Database(database_url) as database:
        await database.migrate()
        for worker in ("own", "alive", "dead"):
            await beat(database, worker, NOON, [])
        watch = Watch("own", lambda: now)

        async def after(seconds: float) -> list[str]:
            nonlocal now
            now += seconds
            await beat(database, "alive", NOON - timedelta(days=1), [])
            return await watch.silent(database)

        assert await after(0) == []
        assert await after(SILENT_S - 1) == []
        watch.lost_sight()
        assert await after(10) == []
        assert await after(SILENT_S - 1) == []
        assert await after(1) == ["dead"]
