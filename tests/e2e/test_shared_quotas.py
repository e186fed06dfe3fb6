"""Quotas of Voice Live endpoints, which two worker processes count together."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp

from gateway.sim.caller.dial import dial
from gateway.sim.emulator import Emulator
from gateway.sim.phone.connecting import BusyError
from gateway.sim.phone.phone import SimulatedPhone
from tests.e2e.rig import NUMBER, instant
from tests.e2e.test_processes import ACCOUNT, TOKEN, Fleet, fleet

WEST, EAST, OFFERED = 3, 2, 9


async def called(held: Fleet, stack: AsyncExitStack, call_id: str) -> SimulatedPhone | None:
    """Call by the webhook; nobody, where there is no room."""
    phone = dial(
        "twilio",
        f"{held.url.replace('http', 'ws', 1)}/stream/twilio",
        answer_url=f"{held.url}/answer/twilio",
        to=NUMBER,
        from_="+14155550123",
        secrets={"auth_token": TOKEN, "account_sid": ACCOUNT},
        call_id=call_id,
        keep=False,
    )
    try:
        return await stack.enter_async_context(phone)
    except BusyError:
        return None


async def until_free(held: Fleet) -> None:
    """Wait until no call has a place any more."""
    async with aiohttp.ClientSession() as http:
        while True:
            async with http.get(f"{held.url}/readyz") as ready:
                if (await ready.json())["calls"] == 0:
                    return
            await asyncio.sleep(0.05)


async def test_the_quota_of_each_endpoint_is_counted_between_workers(tmp_path: Path) -> None:
    """Nine calls at once, and room for three sessions here and two there: five are answered, whichever worker their
    webhooks reach, each endpoint gets its own, and with their end there is room again.
    """
    async with Emulator(instant()) as west, Emulator(instant()) as east:
        entries = ", ".join(
            f"{{name: {name}, endpoint: '{emulator.endpoint}', key: '${{AZURE_VOICELIVE_API_KEY}}', "
            f"priority: {priority}, limits: {{sessions: {limit}}}}}"
            for name, emulator, priority, limit in (("west", west, 1, WEST), ("east", east, 2, EAST))
        )
        async with fleet(tmp_path, f"voice_live: {{endpoints: [{entries}]}}\n") as held:
            for round_ in range(2):
                before = len(west.sessions), len(east.sessions)
                async with AsyncExitStack() as stack:
                    calls = (called(held, stack, f"CA{round_}{number}") for number in range(OFFERED))
                    found = [phone for phone in await asyncio.gather(*calls) if phone is not None]
                    assert len(found) == WEST + EAST
                    while west.open_sessions + east.open_sessions < WEST + EAST:  # noqa: ASYNC110 -- in other processes
                        await asyncio.sleep(0.02)
                    assert (west.open_sessions, east.open_sessions) == (WEST, EAST)
                    assert await called(held, stack, f"CA{round_}-more") is None
                assert (len(west.sessions) - before[0], len(east.sessions) - before[1]) == (WEST, EAST)
                await until_free(held)
            refused = Counter(entry["reason"] for entry in held.of("webhook_refused"))
            assert refused == {"voice_full": 2 * (OFFERED - WEST - EAST + 1)}
            assert not held.of("endpoint_circuit_opened")
