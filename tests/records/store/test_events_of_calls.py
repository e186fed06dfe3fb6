"""The events of calls go into the outbox with the records, and out from there."""

import asyncio
from pathlib import Path

from prometheus_client import CollectorRegistry
from sqlalchemy import select

from gateway.call import notes
from gateway.call.record import TimedNote
from gateway.logs.redaction import Redactor
from gateway.records.delivery.deliveries import Deliveries
from gateway.records.delivery.targets import Targets
from gateway.records.masking import Masking
from gateway.records.rows import DeliveryRow
from gateway.records.store.batches import write
from gateway.records.store.database import Database
from gateway.records.store.intake import Intake
from gateway.records.store.keepable import Keepable
from gateway.records.store.number_keys import NumberKey
from gateway.records.store.store import RecordStore, StoreSettings
from gateway.records.store.tables import deliveries
from gateway.records.store.workers import beat, mark_interrupted, mark_orphans
from tests.records.delivery.receiving import Server, receiving
from tests.records.store.rows import CALLER, NOON, call_row, identity, story

EVENTS = ("call.started", "call.ended", "call.interrupted", "transfer.failed")


def targets(server: Server) -> Targets:
    """One receiver of all calls."""
    return Targets([server.receiver(events=EVENTS, include=("transcript",))], lambda _: None)


async def test_events_are_made_with_the_rows_of_their_notes() -> None:
    """In one batch, and what a provider says as it may be kept: without numbers and secrets."""
    server = Server("http://127.0.0.1:9/")
    made = Deliveries(targets(server), Database("sqlite:///unused.db"), CollectorRegistry(), words=True)
    keepable = Keepable(NumberKey("k", b"s"), Masking(words=True, numbers="masked"), Redactor(["token-of-twilio"]))
    taken = Intake(100, keepable, worker="w", clock=lambda: 0.0, now=lambda: NOON, events_of=made.of_call)
    of = identity()
    begin, *_, end = story(of)
    failed = notes.TransferFailed("desk", f"no token-of-twilio for {CALLER}")
    for whose, note in (begin, (of, TimedNote(1.0, failed)), end):
        taken.observe(whose, note)
    rows = [row for row in await taken.rows() if isinstance(row, DeliveryRow)]
    assert [row.event for row in rows] == ["call.started", "transfer.failed", "call.ended"]
    assert len({row.call_key for row in rows}) == 1
    assert CALLER not in str(rows)
    assert "token-of-twilio" not in str(rows)
    assert "+1415…23" in rows[1].body


async def test_a_call_is_delivered_up_to_its_end_at_the_end_of_the_process(tmp_path: Path) -> None:
    """With the words as they were heard; nothing waits for the next start."""
    async with receiving() as server:
        settings = StoreSettings(tmp_path / "data", f"sqlite:///{tmp_path}/data/calls.db")
        clock = asyncio.get_running_loop().time
        store = RecordStore(settings, CollectorRegistry(), clock=clock, targets=targets(server))
        begin, *rest = story(identity(started_at=clock()))
        async with asyncio.timeout(60), store.running():
            store.intake.observe(*begin)
            await server.asked.wait()
            for of, note in rest:
                store.intake.observe(of, note)
        started, ended = server.taken
        assert (started.body["type"], ended.body["type"]) == ("call.started", "call.ended")
        said = [(turn["who"], turn["words"]) for turn in ended.body["data"]["transcript"]]
        assert said[:2] == [("caller", "Question 0."), ("bot", "Answer 0.")]
        assert ended.body["data"]["call"]["caller"] == "+1415…23"
        assert CALLER not in str(server.got)


async def test_an_interrupted_call_has_its_event(database_url: str) -> None:
    """Written with its state, once, whoever finds it."""
    made = Deliveries(targets(Server("http://127.0.0.1:9/")), Database(database_url), CollectorRegistry(), words=True)
    async with Database(database_url) as database:
        await database.migrate()
        await beat(database, "w1", NOON, [])
        await write(database, [call_row("a", worker="w1"), call_row("b", worker="gone"), call_row("c", state="ended")])
        assert await mark_interrupted(database, "w1", made.of_interrupted) == 1
        assert await mark_orphans(database, "w2", made.of_interrupted) == 1
        assert await mark_orphans(database, "w2", made.of_interrupted) == 0
        async with database.read() as connection:
            found = await connection.execute(select(deliveries).order_by(deliveries.c.call_key))
            rows = found.all()
    assert [(row.call_key, row.event, row.target, row.state) for row in rows] == [
        ("a", "call.interrupted", "crm", "waiting"),
        ("b", "call.interrupted", "crm", "waiting"),
    ]


async def test_who_was_taken_for_dead_takes_the_event_back(database_url: str) -> None:
    """If it was not delivered yet: the call goes on."""
    made = Deliveries(targets(Server("http://127.0.0.1:9/")), Database(database_url), CollectorRegistry(), words=True)
    async with Database(database_url) as database:
        await database.migrate()
        await beat(database, "w1", NOON, [])
        await write(database, [call_row("a", worker="w1"), call_row("b", worker="w1")])
        assert await mark_interrupted(database, "w1", made.of_interrupted) == 2
        assert await beat(database, "w1", NOON, ["a"])
        async with database.read() as connection:
            left = (await connection.execute(select(deliveries.c.call_key))).scalars().all()
    assert left == ["b"]
