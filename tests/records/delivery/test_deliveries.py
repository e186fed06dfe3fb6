"""The deliveries of a process: notes of calls become messages at a receiver."""

import asyncio
from pathlib import Path

from prometheus_client import CollectorRegistry

from gateway.call import notes
from gateway.call.record import CallIdentity, TimedNote
from gateway.records.delivery.deliveries import UNTIL_READY_S, Deliveries
from gateway.records.delivery.targets import Targets
from gateway.records.rows import CallRow
from gateway.records.store.database import Database
from tests.records.delivery.receiving import receiving
from tests.records.delivery.stage import START, delivery, stage
from tests.records.delivery.test_events import ENDED, STARTED
from tests.records.delivery.test_reading import put
from tests.virtual_time import virtual_time

IDENTITY = CallIdentity(
    call_id="CA1",
    provider="twilio",
    line="support",
    caller="+14255550111",
    called="+14255550100",
    audio_format="pcmu",
    started_at=100.0,
)


async def test_the_notes_of_a_call_become_messages(tmp_path: Path) -> None:
    """As soon as the rows are written, in their order."""
    registry = CollectorRegistry()
    async with receiving() as server, stage(tmp_path) as kept:
        deliveries = Deliveries(
            Targets([server.receiver()], lambda _: None), kept.database, registry, words=True, worker="w1"
        )
        call = deliveries.of_call("k1", IDENTITY, START)
        assert call is not None
        assert registry.get_sample_value("gateway_deliveries_total", {"target": "crm", "outcome": "dead"}) == 0
        async with asyncio.TaskGroup() as group:
            running = group.create_task(deliveries.run(lambda: True))
            await put(kept.database, CallRow(call_key="k1", call_id="CA1", provider="p", line="support", started=START))
            for passed_s, note in enumerate((STARTED, notes.SilencePrompt(count=1), ENDED)):
                await put(kept.database, *(rows := call.add(TimedNote(100.0 + passed_s, note))))
                deliveries.written(rows)
            async with asyncio.timeout(60):
                while len(server.taken) < 2:
                    server.asked.clear()
                    await server.asked.wait()
            await deliveries.finish()
            running.cancel()
        first, second = server.taken
        assert (first.body["type"], second.body["type"]) == ("call.started", "call.ended")
        assert second.body["data"]["call"]["id"] == "CA1"
        assert second.body["timestamp"] == "2026-05-04T09:00:02Z"


@virtual_time
async def test_it_begins_once_the_database_is_ready(tmp_path: Path) -> None:
    """Not before, because its tables may be missing."""
    async with receiving() as server, stage(tmp_path) as kept:
        deliveries = Deliveries(
            Targets([server.receiver()], lambda _: None), kept.database, CollectorRegistry(), words=True
        )
        await kept.put(delivery("k1"))
        is_ready = False
        async with asyncio.TaskGroup() as group:
            running = group.create_task(deliveries.run(lambda: is_ready))
            await asyncio.sleep(60)
            assert (await kept.states())["k1 call.ended"] == ("waiting", 0)
            is_ready = True
            await asyncio.sleep(2 * UNTIL_READY_S)
            await deliveries.finish()
            running.cancel()
        assert (await kept.states())["k1 call.ended"] == ("dead", 1), "there is no record of the call"


@virtual_time
async def test_nobody_s_calls_make_nothing(tmp_path: Path) -> None:
    """And a process whose configuration names no receiver does not even ask its database."""
    database = Database(f"sqlite:///{tmp_path}/nothing/calls.db")
    deliveries = Deliveries(Targets([], lambda _: None), database, CollectorRegistry(), words=True)
    assert deliveries.of_call("k1", IDENTITY, START) is None
    await deliveries.finish()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(deliveries.run(lambda: True))
        await asyncio.sleep(3 * UNTIL_READY_S)
        deliveries.written([delivery("k1")])
        running.cancel()
    assert not (tmp_path / "nothing").exists()
