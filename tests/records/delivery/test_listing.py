"""Lists of deliveries, and deliveries that go out again."""

from datetime import timedelta

from gateway.records.delivery.listing import again, calls_of, listed
from gateway.records.delivery.outbox import DEAD, DELIVERED
from gateway.records.rows import CallRow
from tests.records.delivery.stage import START, Stage, delivery, stage
from tests.records.delivery.test_reading import put

NOW = START + timedelta(days=2)


async def settled(kept: Stage, call_key: str, state: str, target: str = "crm") -> None:
    """A delivery of a call, in a state."""
    await kept.put(delivery(call_key, target=target))
    (due,) = await kept.outbox.claim(target, NOW, 9, 60)
    await kept.outbox.settle(due, state, f"{state} is told", NOW)


async def filled(kept: Stage) -> None:
    """One delivered, two dead, one waiting, of calls that the provider calls CA1 to CA3."""
    calls = [CallRow(call_key=f"key{n}", call_id=f"CA{n}", provider="p", line="l", started=START) for n in (1, 2, 3)]
    await put(kept.database, *calls)
    await settled(kept, "key1", DELIVERED)
    await settled(kept, "key2", DEAD)
    await settled(kept, "key2", DEAD, target="pager")
    await kept.put(delivery("key3"))


async def test_a_list_can_be_narrowed(database_url: str) -> None:
    """By state, receiver, and the beginning of a call's key, of the provider's id or of the delivery's."""
    async with stage(database_url) as kept:
        await filled(kept)

        async def found(**chosen: object) -> list[str]:
            rows = await listed(kept.database, **chosen)  # type: ignore[arg-type]  # of all parameters at once
            return sorted(f"{row.call_key} {row.target} {row.state}" for row in rows)

        assert len(await found()) == 4
        assert await found(state=DEAD) == ["key2 crm dead", "key2 pager dead"]
        assert await found(target="pager") == ["key2 pager dead"]
        assert await found(named=["CA1", "key3"]) == ["key1 crm delivered", "key3 crm waiting"]
        assert await found(named=[delivery("key1").id]) == ["key1 crm delivered"]
        assert await found(named=["%", "nobody"]) == []
        assert len(await found(limit=3)) == 3
        (row,) = await listed(kept.database, named=["key1"])
        assert (row.attempts, row.last_error, row.created) == (1, "delivered is told", START)


async def test_a_call_is_named_by_the_last_part_of_its_key(database_url: str) -> None:
    """As lists of calls show it; a shorter end names nobody."""
    async with stage(database_url) as kept:
        await kept.put(delivery("019a-0000-abcdef"), delivery("019a-0000-fedcba"))
        assert [row.call_key for row in await listed(kept.database, named=["abcdef"])] == ["019a-0000-abcdef"]
        assert await listed(kept.database, named=["def"]) == []
        assert len(await calls_of(kept.database, "019a")) == 2


async def test_a_call_of_several_streams_is_one(database_url: str) -> None:
    """It is named by the whole id that the provider gave it."""
    async with stage(database_url) as kept:
        rows = [CallRow(call_key=key, call_id="CA1", provider="p", line="l", started=START) for key in ("k1", "k2")]
        await put(kept.database, *rows)
        await kept.put(delivery("k1"), delivery("k2"))
        assert len(await calls_of(kept.database, "CA1")) == 1
        assert len(await listed(kept.database, named=["CA1"])) == 2
        assert len(await calls_of(kept.database, "CA")) == 2


async def test_the_dead_live_again_for_a_day(database_url: str) -> None:
    """With no tries so far, at once; a receiver that was gone is asked again."""
    async with stage(database_url) as kept:
        await filled(kept)
        await kept.outbox.mark_gone("crm", "http://a")
        await kept.outbox.mark_gone("pager", "http://b")
        assert await again(kept.database, NOW, target="crm") == 1
        assert await again(kept.database, NOW, named=["nobody"]) == 0
        (due,) = [due for due in await kept.outbox.claim("crm", NOW, 9, 60) if due.call_key == "key2"]
        assert (due.attempts, due.created) == (1, NOW)
        assert not await kept.outbox.is_gone("crm", "http://a")
        assert await kept.outbox.is_gone("pager", "http://b")
        assert (await kept.states())["key1 call.ended"] == ("delivered", 1)


async def test_what_was_delivered_goes_out_again_if_it_is_named(database_url: str) -> None:
    """Under its old id, so that the receiver can tell."""
    async with stage(database_url) as kept:
        await filled(kept)
        assert await again(kept.database, NOW, state="", named=["CA1"]) == 1
        claimed = await kept.outbox.claim("crm", NOW, 9, 60)
        assert delivery("key1").id in {due.id for due in claimed}
