"""The console of several workers: it is served once, and sees and ends the calls of all of them."""

from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from tests.cli.test_workers import free_port
from tests.console.access.people import token_in
from tests.e2e.test_processes import fleet, quick_voice  # noqa: F401 -- the fixture

CALLS = 8
"""Enough for both workers: the kernel spreads connections over them."""


@pytest.mark.timeout(200)
async def test_the_calls_of_all_workers_are_shown_and_ended(tmp_path: Path) -> None:
    """One console for all; an order finds the worker that has the call, whose record of it says who ended it."""
    console = f"127.0.0.1:{free_port()}"
    async with (
        fleet(tmp_path, f"console: {{listen: '{console}'}}\n") as held,
        AsyncExitStack() as phones,
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client,
    ):
        await held.until("console")
        names = [f"CA{n}" for n in range(CALLS)]
        for name in names:
            await phones.enter_async_context(held.call(name))
        async with client.get(f"http://{console}/") as answer:
            page = await answer.text()
        assert all(f'data-part="call twilio/{name}"' in page for name in names)
        for name in names:
            form = {"csrf": token_in(page), "provider": "twilio", "call_id": name}
            async with client.post(f"http://{console}/calls/end", data=form) as answer:
                assert "was ended" in await answer.text()
        ended = await held.until("call_ended", CALLS)
    assert {(entry["reason"], entry["by"]) for entry in ended} == {("ended_by_operator", "operator")}
    assert len(held.of("console")) == 1
