"""The outbox is worked off: in virtual time, on SQLite, with receivers that fail in each way."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from aiohttp import web
from prometheus_client import CollectorRegistry

from gateway.records.delivery.deliverer import AT_ONCE, LEASE_MARGIN_S
from gateway.records.delivery.listing import again
from gateway.records.delivery.outbox import Due, Outbox
from gateway.records.delivery.schedule import GIVE_UP_S
from tests.records.delivery.receiving import Server, receiving
from tests.records.delivery.stage import Clock, Stage, delivering, delivery, stage
from tests.virtual_time import virtual_time

TIMEOUT_S = 15.0
BOTH = ("call.started", "call.ended")


async def until(happened: Callable[[], object]) -> None:
    """Return once ``happened()`` is true."""
    async with asyncio.timeout(3 * GIVE_UP_S):
        while not happened():  # noqa: ASYNC110 -- in virtual time
            await asyncio.sleep(0.1)


async def until_settled(kept: Stage, look_s: float = 1) -> None:
    """Return once nothing waits."""
    async with asyncio.timeout(3 * GIVE_UP_S):
        while (await kept.outbox.waiting()).pending:  # noqa: ASYNC110 -- in virtual time
            await asyncio.sleep(look_s)


def order(server: Server, call_key: str) -> list[str]:
    """The events of a call, as the receiver took them."""
    return [got.body["type"] for got in server.taken if got.body["call"] == call_key]


@virtual_time
async def test_a_receiver_that_fails_ten_times_gets_everything_in_order_over_a_restart(tmp_path: Path) -> None:
    """Each call's events in their order, each under one id, taken once."""
    async with receiving() as server, stage(tmp_path) as kept:
        server.answer = lambda n: 500 if n <= 10 else 204
        clock, receivers = Clock(), {"crm": server.receiver()}
        events = ("call.started", "tool.failed", "call.ended")
        await kept.put(*(delivery(key, seq, event) for key in ("a", "b") for seq, event in enumerate(events, 1)))
        async with delivering(kept.outbox, clock, receivers):
            await until(lambda: len(server.got) >= 5)
        assert not server.taken
        async with delivering(kept.outbox, clock, receivers):
            await until_settled(kept)
        assert order(server, "a") == order(server, "b") == [*events]
        assert len(server.got) == 16
        assert len({got.id for got in server.got}) == 6
        assert set((await kept.states()).values()) >= {("delivered", 1)}
        assert clock.passed_s < 3600, "it is tried often at first"


class Crashing(Outbox):
    """An outbox whose process dies between the POST and the change of the row."""

    async def settle(self, due: Due, state: str, detail: str, next_at: datetime) -> bool:
        raise OSError("killed")


@virtual_time
async def test_a_crash_after_the_post_gives_a_second_delivery_of_the_same_id(tmp_path: Path) -> None:
    """Once the lease of the dead process is over; no event is lost by it."""
    async with receiving() as server, stage(tmp_path) as kept:
        clock, receivers = Clock(), {"crm": server.receiver()}
        await kept.put(delivery("a"))
        async with delivering(Crashing(kept.database), clock, receivers):
            await server.asked.wait()
        assert await kept.states() == {"a call.ended": ("waiting", 1)}
        async with delivering(kept.outbox, clock, receivers):
            await until_settled(kept)
        first, second = server.got
        assert first.id == second.id
        assert await kept.states() == {"a call.ended": ("delivered", 2)}
        assert LEASE_MARGIN_S <= clock.passed_s <= TIMEOUT_S + LEASE_MARGIN_S + 10


@virtual_time
async def test_several_processes_deliver_each_event_once(tmp_path: Path) -> None:
    """At the same time, each call's events in their order."""
    await delivered_by_two(tmp_path)


async def test_several_processes_deliver_from_a_server(postgresql_url: str) -> None:
    """The same on PostgreSQL, where they claim at the same time."""
    await delivered_by_two(postgresql_url)


async def delivered_by_two(where: Path | str) -> None:
    """Let two processes deliver the events of thirty calls."""
    async with receiving() as server, stage(where) as kept:
        clock, receivers = Clock(), {"crm": server.receiver()}
        keys = {f"c{n}" for n in range(30)}
        await kept.put(*(delivery(key, seq, event) for key in keys for seq, event in enumerate(BOTH, 1)))
        async with delivering(kept.outbox, clock, receivers), delivering(kept.outbox, clock, receivers):
            await until_settled(kept)
        assert len(server.got) == len({got.id for got in server.got}) == 60
        assert all(order(server, key) == ["call.started", "call.ended"] for key in keys)


@virtual_time
async def test_after_a_day_it_is_dead(tmp_path: Path) -> None:
    """Told once for each event, and not before the day is over."""
    registry = CollectorRegistry()
    async with receiving() as server, stage(tmp_path) as kept:
        server.answer = lambda _: 500
        clock = Clock()
        await kept.put(delivery("a"), delivery("b"))
        async with delivering(kept.outbox, clock, {"crm": server.receiver()}, registry=registry, poll_s=300):
            await asyncio.sleep(GIVE_UP_S - 60)
            assert {state for state, _ in (await kept.states()).values()} == {"waiting"}
            await until_settled(kept, look_s=300)
        assert {state for state, _ in (await kept.states()).values()} == {"dead"}
        assert GIVE_UP_S <= clock.passed_s < GIVE_UP_S + 3600
    sample = registry.get_sample_value
    assert sample("gateway_deliveries_total", {"target": "crm", "outcome": "dead"}) == 2
    assert (sample("gateway_deliveries_total", {"target": "crm", "outcome": "failed"}) or 0) > 50
    assert sample("gateway_deliveries_pending") in (0, 1)


@virtual_time
async def test_a_receiver_that_fails_is_tried_by_one_message_at_growing_intervals(tmp_path: Path) -> None:
    """However many wait for it: after 5, 10, 20 and 40 s, and not with each look into the outbox."""
    async with receiving() as server, stage(tmp_path) as kept:
        server.answer = lambda _: 500
        clock = Clock()
        await kept.put(*(delivery(f"c{n}") for n in range(40)))
        async with delivering(kept.outbox, clock, {"crm": server.receiver()}):
            await until(lambda: clock.passed_s >= 60)
        assert AT_ONCE + 2 <= len(server.got) <= AT_ONCE + 4


@virtual_time
async def test_a_receiver_that_is_well_again_gets_several_messages_at_once(tmp_path: Path) -> None:
    """As before its failure: what has waited for it is worked off soon."""
    async with receiving() as server, stage(tmp_path) as kept:
        server.answer = lambda n: 500 if n == 1 else 204
        clock = Clock()
        await kept.put(delivery("first"))
        async with delivering(kept.outbox, clock, {"crm": server.receiver()}):
            await until_settled(kept)
            assert len(server.got) == 2
            server.hold = asyncio.Event()
            await kept.put(*(delivery(f"c{n}") for n in range(20)))
            await until(lambda: len(server.got) > 2)
            await asyncio.sleep(1)
            assert len(server.got) == 2 + AT_ONCE
            server.hold.set()
            await until_settled(kept)


@virtual_time
async def test_a_receiver_that_never_answers_holds_up_no_other(tmp_path: Path) -> None:
    """Nor does it get more than a few messages at once."""
    async with receiving() as silent, receiving() as server, stage(tmp_path) as kept:
        silent.hold = asyncio.Event()
        clock, receivers = Clock(), {"crm": server.receiver(), "silent": silent.receiver()}
        await kept.put(*(delivery(f"c{n}", target=target) for n in range(20) for target in receivers))
        async with delivering(kept.outbox, clock, receivers):
            await until(lambda: len(server.taken) >= 20)
            assert clock.passed_s < TIMEOUT_S
            assert len(silent.got) == AT_ONCE
            await asyncio.sleep(TIMEOUT_S)
        silent.hold.set()
    assert len(server.got) == 20


@virtual_time
async def test_one_message_that_is_refused_holds_up_no_other_call(tmp_path: Path) -> None:
    """Its own call waits for it; all others go on."""
    async with receiving() as server, stage(tmp_path) as kept:
        clock = Clock()
        server.refused = "bad"
        keys = ["bad", *(f"c{n}" for n in range(30))]
        await kept.put(
            *(delivery(key, seq, event) for key in keys for seq, event in ((1, "call.started"), (2, "call.ended")))
        )
        async with delivering(kept.outbox, clock, {"crm": server.receiver()}):
            await until(lambda: len(server.taken) >= 60)
        assert clock.passed_s < 600
        assert not order(server, "bad")
        assert {got.body["type"] for got in server.got if got.body["call"] == "bad"} == {"call.started"}


@virtual_time
async def test_who_is_gone_gets_nothing_more(tmp_path: Path) -> None:
    """What waits for it is dead at once, also after a restart; at another address it is another receiver."""
    async with receiving() as server, receiving("/new") as moved, stage(tmp_path) as kept:
        server.answer = lambda _: 410
        clock = Clock()
        await kept.put(delivery("a"))
        async with delivering(kept.outbox, clock, {"crm": server.receiver()}):
            await until_settled(kept)
            await kept.put(delivery("b"))
            await until_settled(kept)
        async with delivering(kept.outbox, clock, {"crm": server.receiver()}):
            await kept.put(delivery("c"))
            await until_settled(kept)
        assert len(server.got) == 1
        assert {state for state, _ in (await kept.states()).values()} == {"dead"}
        await kept.put(delivery("d"))
        async with delivering(kept.outbox, clock, {"crm": moved.receiver()}):
            await until_settled(kept)
        assert len(moved.taken) == 1


@virtual_time
async def test_who_asks_for_time_gets_it(tmp_path: Path) -> None:
    """By ``Retry-After``."""
    async with receiving() as server, stage(tmp_path) as kept:
        busy = web.Response(status=503, headers={"Retry-After": "300"})
        server.answer = lambda n: busy if n == 1 else 204
        clock = Clock()
        await kept.put(delivery("a"))
        async with delivering(kept.outbox, clock, {"crm": server.receiver()}):
            await until_settled(kept)
        assert 300 <= clock.passed_s < 320


@virtual_time
async def test_an_event_of_a_forgotten_call_is_dead(tmp_path: Path) -> None:
    """There is nothing that could be sent."""

    async def forgotten(_: Due) -> None:
        return None

    async with receiving() as server, stage(tmp_path) as kept:
        await kept.put(delivery("a"))
        async with delivering(kept.outbox, Clock(), {"crm": server.receiver()}, write=forgotten):
            await until_settled(kept)
        assert await kept.states() == {"a call.ended": ("dead", 1)}
        assert server.got == []


@virtual_time
async def test_an_event_for_a_receiver_that_is_not_known_waits_for_a_day(tmp_path: Path) -> None:
    """Another process with another configuration may know it; after a day it is dead."""
    async with receiving() as server, stage(tmp_path) as kept:
        clock = Clock()
        await kept.put(delivery("a", target="removed"), delivery("b", target="new"))
        async with delivering(kept.outbox, clock, {"crm": server.receiver()}, poll_s=600):
            await asyncio.sleep(GIVE_UP_S / 2)
            assert {state for state, _ in (await kept.states()).values()} == {"waiting"}
            async with delivering(kept.outbox, clock, {"new": server.receiver()}):
                await until(lambda: server.taken)
            await until_settled(kept, look_s=600)
        assert await kept.states() == {"a call.ended": ("dead", 0), "b call.ended": ("delivered", 1)}
        assert clock.passed_s > GIVE_UP_S


@virtual_time
async def test_what_was_given_up_is_delivered_if_it_is_asked_for(tmp_path: Path) -> None:
    """Under its old id, to a receiver that is up again."""
    async with receiving() as server, stage(tmp_path) as kept:
        server.answer = lambda _: 500
        clock, receivers = Clock(), {"crm": server.receiver()}
        await kept.put(delivery("a"))
        async with delivering(kept.outbox, clock, receivers, poll_s=600):
            await until_settled(kept, look_s=600)
            assert await kept.states() == {"a call.ended": ("dead", len(server.got))}
            server.answer = lambda _: 204
            assert await again(kept.database, clock()) == 1
            await until_settled(kept)
        assert {got.id for got in server.got} == {delivery("a").id}
        assert len(server.taken) == 1


@virtual_time
async def test_a_bug_in_writing_a_message_fails_that_message(tmp_path: Path) -> None:
    """It is tried again, and all others are delivered."""

    async def written(due: Due) -> bytes:
        if due.call_key == "bad":
            raise KeyError("bug")
        return b'{"type": "", "call": "good"}'

    async with receiving() as server, stage(tmp_path) as kept:
        await kept.put(delivery("bad"), delivery("good"))
        async with delivering(kept.outbox, Clock(), {"crm": server.receiver()}, write=written):
            while (await kept.states())["good call.ended"][0] == "waiting":  # noqa: ASYNC110 -- in virtual time
                await asyncio.sleep(1)
        assert await kept.states() == {"bad call.ended": ("waiting", 1), "good call.ended": ("delivered", 1)}


class Out(Outbox):
    """An outbox whose database is away for a while."""

    away = True

    async def targets(self, now: datetime) -> list[str]:
        if Out.away:
            raise OSError("no database")
        return await super().targets(now)


@virtual_time
async def test_a_database_that_is_away_ends_nothing(tmp_path: Path) -> None:
    """Deliveries go on when it is back."""
    async with receiving() as server, stage(tmp_path) as kept:
        await kept.put(delivery("a"))
        clock = Clock()
        async with delivering(Out(kept.database), clock, {"crm": server.receiver()}):
            await asyncio.sleep(60)
            assert server.got == []
            Out.away = False
            await until_settled(kept)
        assert len(server.taken) == 1
        assert clock.passed_s < 70


@virtual_time
async def test_what_is_put_into_the_outbox_goes_out_at_once(tmp_path: Path) -> None:
    """By :meth:`wake`, without waiting for the next look."""
    async with receiving() as server, stage(tmp_path) as kept:
        clock = Clock()
        async with delivering(kept.outbox, clock, {"crm": server.receiver()}) as deliverer:
            await asyncio.sleep(1)
            await kept.put(delivery("a"))
            deliverer.wake()
            await server.asked.wait()
            assert clock.passed_s < 1.1
            await until_settled(kept)


@virtual_time
async def test_a_message_under_way_at_the_end_is_due_at_once_again(tmp_path: Path) -> None:
    """The next start does not wait for the lease."""
    async with receiving() as server, stage(tmp_path) as kept:
        server.hold = asyncio.Event()
        clock = Clock()
        await kept.put(delivery("a"))
        async with delivering(kept.outbox, clock, {"crm": server.receiver()}):
            await server.asked.wait()
        server.hold.set()
        assert await kept.outbox.targets(clock()) == ["crm"]
        async with delivering(kept.outbox, clock, {"crm": server.receiver()}):
            await until_settled(kept)
        assert clock.passed_s < 5
