"""The console of several workers: served once, it sees and ends the calls of all; so does one elsewhere."""

from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from bench.target import free_port
from gateway.live.messages import OrderFor, Outcome
from gateway.live.source import sources_at
from gateway.live.watch import Watch
from tests.console.access.people import token_in
from tests.e2e.test_processes import fleet, quick_voice  # noqa: F401 -- the fixture

KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
CALLS = 8
"""Enough for both workers: the kernel spreads connections over them."""


@pytest.mark.timeout(200)
async def test_the_calls_of_all_workers_are_shown_and_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One console for all; an order finds the worker that has the call, whose record of it says who ended it.

    A console elsewhere sees as much, whichever worker answers it.
    """
    console, private = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    monkeypatch.setenv("CONSOLE_KEY", KEY)
    keys = f"console: {{listen: '{console}', key: '${{CONSOLE_KEY}}'}}\nlisten: {{private: '{private}'}}\n"
    async with (
        fleet(tmp_path, keys) as held,
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
        url = f"http://{private}"
        async with Watch(lambda: sources_at([url], KEY)).running() as seen, seen.looking() as changed:
            while len(seen.calls) < CALLS:
                changed.clear()
                await changed.wait()
            assert sorted(call.call_id for call in seen.calls) == names
        assert await seen.order(OrderFor("twilio", names.pop()), url) is Outcome.DONE
        for name in names:
            form = {"csrf": token_in(page), "provider": "twilio", "call_id": name}
            async with client.post(f"http://{console}/calls/end", data=form) as answer:
                assert "was ended" in await answer.text()
        ended = await held.until("call_ended", CALLS)
    assert {(entry["reason"], entry["by"]) for entry in ended} == {("ended_by_operator", "operator")}
    assert len(held.of("console")) == 1
