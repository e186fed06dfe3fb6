"""Leases."""

from datetime import timedelta

from gateway.records.store.database import Database
from gateway.records.store.leases import give_up_lease, take_lease
from tests.records.store.rows import NOON


async def test_a_lease_has_one_holder_at_a_time(database_url: str) -> None:
    """It is renewed by its holder, and taken by another one once it is over or given up."""
    async with Database(database_url) as database:
        await database.migrate()

        async def take(holder: str, after_s: float, name: str = "purge") -> bool:
            return await take_lease(database, name, holder, 60, NOON + timedelta(seconds=after_s))

        assert await take("a", 0)
        assert not await take("b", 1)
        assert await take("b", 1, "another")
        assert await take("a", 50)
        assert not await take("b", 100)
        assert await take("b", 111)
        assert not await take("a", 112)
        await give_up_lease(database, "purge", "a")
        assert not await take("a", 113)
        await give_up_lease(database, "purge", "b")
        assert await take("a", 114)
