"""The wiring: what is served, what a line means to a call, and how it all ends."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from gateway.app import serving
from tests.e2e.bare_phone import bare_phone
from tests.e2e.rig import configuration, instant, load, rig


async def test_the_end_of_serving_is_the_end_of_its_calls(tmp_path: Path) -> None:
    """Streams and sessions are closed in order, and a stream that has yet to start does not hold it up."""
    async with AsyncExitStack() as phones:
        async with rig(configuration(tmp_path), instant()) as held:
            talking = await phones.enter_async_context(bare_phone(held.stream_url, "CA1"))
            waiting = await phones.enter_async_context(bare_phone(held.stream_url, "CA2"))
            await talking.start()
            await talking.next("media")
            group = await phones.enter_async_context(asyncio.TaskGroup())
            closing = [group.create_task(phone.closed()) for phone in (talking, waiting)]
            async with asyncio.timeout(2):
                await held.gateway.calls.drain(0, 10)
            assert await held.metric("gateway_call_ends_total", by="gateway", reason="shut_down") == 1
            assert await held.metric("gateway_calls_refused_total", reason="shut_down") == 1
        assert [await task for task in closing] == [1000, 1001]
        assert held.emulator.sessions[0].close_code == 1000
    (end,) = held.fields("CA1", "call_ended")
    assert (end["reason"], end["by"]) == ("shut_down", "gateway")


async def test_a_drain_lets_calls_finish(tmp_path: Path) -> None:
    """With a grace, calls in progress end by themselves; new ones are turned away meanwhile."""
    async with rig(configuration(tmp_path), instant()) as held, bare_phone(held.stream_url) as phone:
        await phone.start()
        await phone.next("media")
        async with asyncio.TaskGroup() as group:
            group.create_task(held.gateway.calls.drain(20, 0))
            await asyncio.sleep(0)
            with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
                async with bare_phone(held.stream_url):
                    pass
            await phone.hang_up()
        assert (await held.end_of(phone.call_id))["reason"] == "caller_hung_up"


async def test_only_what_is_named_is_served(tmp_path: Path) -> None:
    """A provider that ``gateway.yaml`` leaves out has no stream and no webhook."""
    async with rig(configuration(tmp_path, gateway="lines: lines/*.yaml\n"), instant()) as held:
        async with aiohttp.ClientSession() as http:
            for path in ("/answer/twilio", "/status/twilio"):
                async with http.post(held.gateway.url + path) as said:
                    assert said.status == 404
        with pytest.raises(aiohttp.WSServerHandshakeError, match="404"):
            async with bare_phone(held.stream_url):
                pass


async def test_it_says_where_it_serves(tmp_path: Path) -> None:
    """The log has the address with the port that was really got, and the lines."""
    with capture_logs() as logs:
        async with rig(configuration(tmp_path), instant()) as held:
            url = held.gateway.url
    (serving_note,) = [entry for entry in logs if entry["event"] == "serving"]
    assert url == f"http://{serving_note['host']}:{serving_note['port']}"
    assert serving_note["lines"] == ["support"]
    assert (serving_note["api_version"], serving_note["api_version_from"]) == ("2026-07-15", "default")


async def test_an_address_that_is_taken(tmp_path: Path) -> None:
    """It is the operating system's error, and nothing is left open."""
    deployment, lines = load(configuration(tmp_path))
    where: dict[str, Any] = {"endpoint": "http://127.0.0.1:1", "api_key": "any", "host": "127.0.0.1"}
    async with serving(deployment, lines, port=0, **where) as first:
        port = int(first.url.rpartition(":")[2])
        with pytest.raises(OSError, match=str(port)):
            async with serving(deployment, lines, port=port, **where):
                pass


async def test_what_fails_inside_is_raised_as_it_is(tmp_path: Path) -> None:
    """An exception of the block is not wrapped in a group: the commands tell it as one line."""
    deployment, lines = load(configuration(tmp_path))
    with pytest.raises(ZeroDivisionError):
        async with serving(deployment, lines, endpoint="http://127.0.0.1:1", api_key="any", host="127.0.0.1", port=0):
            raise ZeroDivisionError
