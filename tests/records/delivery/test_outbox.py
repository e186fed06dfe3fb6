"""The outbox, on SQLite and on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import msgspec
import pytest

from gateway.records.delivery.outbox import DEAD, DELIVERED, WAITING, Due, Outbox, Waiting
from tests.records.delivery.stage import START, Stage, delivery, stage

NOW = START + timedelta(seconds=1)
LEASE_S = 60.0


@pytest.fixture
async def kept(database_url: str) -> AsyncIterator[Stage]:
    """An outbox on each database."""
    async with stage(database_url) as made:
        yield made


def calls(claimed: Sequence[Due]) -> list[str]:
    """The calls of claims."""
    return [due.call_key for due in claimed]


async def test_a_claim_is_for_one_process_until_its_lease_ends(kept: Stage) -> None:
    """Then the row is due again, under the same id and with one more try."""
    await kept.put(delivery("a"))
    (due,) = await kept.outbox.claim("crm", NOW, 4, LEASE_S)
    assert (due.id, due.attempts, due.created) == (delivery("a").id, 1, START)
    assert await kept.outbox.claim("crm", NOW, 4, LEASE_S) == []
    assert await kept.outbox.targets(NOW) == []
    later = NOW + timedelta(seconds=LEASE_S)
    (again,) = await kept.outbox.claim("crm", later, 4, LEASE_S)
    assert (again.id, again.attempts) == (due.id, 2)


async def test_who_settles_after_the_lease_changes_nothing(kept: Stage) -> None:
    """The row belongs to the process that claimed it last."""
    await kept.put(delivery("a"))
    (due,) = await kept.outbox.claim("crm", NOW, 4, LEASE_S)
    (again,) = await kept.outbox.claim("crm", NOW + timedelta(seconds=LEASE_S), 4, LEASE_S)
    assert not await kept.outbox.settle(due, DEAD, "late", NOW)
    assert await kept.outbox.settle(again, DELIVERED, "answered with 204", NOW)
    assert not await kept.outbox.settle(again, WAITING, "late", NOW), "what is done stays done"
    assert await kept.states() == {"a call.ended": ("delivered", 2)}


async def test_the_events_of_a_call_go_out_in_their_order(kept: Stage) -> None:
    """The second is not due before the first is done or dead; other calls and other receivers do not wait."""
    await kept.put(delivery("a", 2), delivery("a", 1, "call.started"), delivery("b", 5), delivery("a", 2, target="x"))
    first = await kept.outbox.claim("crm", NOW, 4, LEASE_S)
    assert sorted((due.call_key, due.event) for due in first) == [("a", "call.started"), ("b", "call.ended")]
    assert calls(await kept.outbox.claim("x", NOW, 4, LEASE_S)) == ["a"]
    (started,) = (due for due in first if due.call_key == "a")
    await kept.outbox.settle(started, WAITING, "answered with 500", NOW + timedelta(seconds=5))
    assert await kept.outbox.claim("crm", NOW + timedelta(seconds=4), 4, LEASE_S) == []
    (started,) = await kept.outbox.claim("crm", NOW + timedelta(seconds=5), 4, LEASE_S)
    await kept.outbox.settle(started, DEAD, "answered with 500", NOW)
    assert [due.event for due in await kept.outbox.claim("crm", NOW, 4, LEASE_S)] == ["call.ended"]


async def test_a_claim_is_bounded_and_takes_what_waits_longest(kept: Stage) -> None:
    """In the order in which it came."""
    rows = [msgspec.structs.replace(delivery(f"c{n}"), created=START - timedelta(seconds=n)) for n in range(5)]
    await kept.put(*rows)
    assert await kept.outbox.targets(NOW) == ["crm"]
    assert calls(await kept.outbox.claim("crm", NOW, 2, LEASE_S)) == ["c4", "c3"]
    assert calls(await kept.outbox.claim("crm", NOW, 9, LEASE_S)) == ["c2", "c1", "c0"]


async def test_processes_that_claim_at_once_get_different_rows(kept: Stage) -> None:
    """Each row is claimed by one of them."""
    keys = {f"c{n}" for n in range(40)}
    await kept.put(*(delivery(key) for key in keys))
    other = Outbox(kept.database)

    async def all_of(outbox: Outbox) -> list[str]:
        found: list[str] = []
        while claimed := await outbox.claim("crm", NOW, 3, LEASE_S):
            found += calls(claimed)
        return found

    both = await asyncio.gather(*(all_of(outbox) for outbox in (kept.outbox, other, kept.outbox, other)))
    left = await all_of(kept.outbox)
    found = [key for each in (*both, left) for key in each]
    assert sorted(found) == sorted(keys)


async def test_what_was_broken_off_is_due_at_once(kept: Stage) -> None:
    """A restart does not wait for the lease."""
    await kept.put(delivery("a"))
    claimed = await kept.outbox.claim("crm", NOW, 4, LEASE_S)
    await kept.outbox.release(claimed, NOW)
    assert calls(await kept.outbox.claim("crm", NOW, 4, LEASE_S)) == ["a"]


async def test_what_is_buried_is_dead_and_what_is_claimed_is_not_buried(kept: Stage) -> None:
    """All that is due, or the old of it."""
    await kept.put(delivery("a"), delivery("b"), delivery("c", target="x"))
    await kept.outbox.claim("crm", NOW, 1, LEASE_S)
    assert await kept.outbox.bury("crm", "too old", NOW, before=START) == 0
    assert await kept.outbox.bury("crm", "too old", NOW, before=NOW) == 1
    assert await kept.outbox.bury("crm", "gone", NOW) == 0
    assert sorted(state for state, _ in (await kept.states()).values()) == ["dead", "waiting", "waiting"]
    assert await kept.outbox.waiting() == Waiting(2, START, 1)


async def test_an_empty_outbox_has_no_oldest(kept: Stage) -> None:
    """Its counts are 0."""
    assert await kept.outbox.waiting() == Waiting(0, None, 0)


async def test_a_receiver_is_gone_at_its_address_alone(kept: Stage) -> None:
    """Another address of the same name is another receiver."""
    assert not await kept.outbox.is_gone("crm", "http://a")
    await kept.outbox.mark_gone("crm", "http://a")
    await kept.outbox.mark_gone("crm", "http://a")
    assert await kept.outbox.is_gone("crm", "http://a")
    assert not await kept.outbox.is_gone("crm", "http://b")
    assert not await kept.outbox.is_gone("x", "http://a")
    await kept.outbox.forget_gone("crm")
    assert not await kept.outbox.is_gone("crm", "http://a")
