"""The tokens that responses take, and the quota of an emulator."""

from gateway.sim.emulator.speaking.usage import TokenQuota
from tests.sim.emulator.wire import conversation, quick


def test_a_quota_counts_the_last_minute() -> None:
    """What is older does not count; without a limit nothing does."""
    quota = TokenQuota(100)
    assert not quota.is_exhausted(0)
    quota.take(60, 0)
    quota.take(60, 30)
    assert quota.is_exhausted(59)
    assert not quota.is_exhausted(61)
    unlimited = TokenQuota(None)
    unlimited.take(10**9, 0)
    assert not unlimited.is_exhausted(0)


async def test_a_response_beyond_the_quota_fails() -> None:
    """By its code; the session stays."""
    script = quick(faults=quick().faults.model_copy(update={"tokens_per_minute": 10}))
    async with conversation(script) as (wire, session):
        await wire.send("response.create")
        assert (await wire.until("response.done"))["response"]["status"] == "completed"
        await wire.send("response.create")
        response = (await wire.until("response.done"))["response"]
        assert (response["status"], response["output"]) == ("failed", [])
        assert response["status_details"]["error"]["code"] == "rate_limit_exceeded"
        await wire.update(instructions="Still here.")
        assert not [one for one in session.violations if "rate" in one]
