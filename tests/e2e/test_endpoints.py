"""Calls over several Voice Live endpoints."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.app import Gateway, serving
from gateway.sim.emulator import Emulator, Script
from tests.e2e.bare_phone import bare_phone
from tests.e2e.rig import GATEWAY, LINE, configuration, instant, load, noise
from tests.virtual_time import in_virtual_time, virtual_time

CONNECT_S = 0.4


@pytest.fixture(autouse=True)
def quick_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator speaks as long as a text says."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)


@asynccontextmanager
async def two(
    folder: Path, first: Script, second: Script, keys: str = ""
) -> AsyncIterator[tuple[Gateway, Emulator, Emulator]]:
    """A gateway with two endpoints, the first before the second; ``keys`` are further ones of ``gateway.yaml``."""
    async with Emulator(first) as west, Emulator(second) as east:
        where = f"[{{name: west, endpoint: '{west.endpoint}', key: '${{K}}'}}, "
        where += f"{{name: east, endpoint: '{east.endpoint}', key: '${{K}}', priority: 2}}]"
        file = configuration(
            folder,
            {"support": LINE + "on_trouble: {tries: 0}\n"},
            f"{GATEWAY}{keys}voice_live: {{endpoints: {where}}}\n",
        )
        deployment, read = load(file, {"K": "any"})
        clock = asyncio.get_running_loop().time
        async with serving(deployment, read, host="127.0.0.1", port=0, clock=clock) as gateway:
            yield gateway, west, east


def slow(**keys: Any) -> Script:
    """A service that takes a while to answer a handshake."""
    return instant({"say": "1 ms"}, latency_ms={"handshake": CONNECT_S * 1000}, **keys)


async def greeted(gateway: Gateway) -> float:
    """The seconds until a caller hears the greeting."""
    loop = asyncio.get_running_loop()
    async with bare_phone(gateway.url.replace("http", "ws", 1) + "/stream/twilio") as phone:
        begun = loop.time()
        await phone.start()
        await phone.next("media")
        heard = loop.time() - begun
        await phone.hang_up()
    return heard


async def ready(gateway: Gateway) -> Mapping[str, Any]:
    """What ``/readyz`` says."""
    async with aiohttp.ClientSession() as http, http.get(f"{gateway.url}/readyz") as response:
        return dict(await response.json())


def test_refused_by_the_first_the_greeting_is_late_by_no_more_than_the_second_connect(tmp_path: Path) -> None:
    """429 costs one answer of the first endpoint; the next call does not ask it at all."""

    async def alone() -> float:
        async with two(tmp_path / "a", slow(), slow()) as (gateway, _, _):
            return await greeted(gateway)

    async def beside() -> tuple[float, float]:
        refusing = slow(faults={"handshake": {"status": 429, "retry_after_s": 60}})
        async with two(tmp_path / "b", refusing, slow()) as (gateway, west, east):
            found = await greeted(gateway), await greeted(gateway)
            assert (west.handshakes, east.handshakes) == (1, 2)
            shown = await ready(gateway)
            assert (shown["status"], shown["voice_live"]) == ("ready", "reachable")
            assert [(one["name"], one["circuit"]) for one in shown["endpoints"]] == [
                ("west", "open"),
                ("east", "closed"),
            ]
            return found

    usual = in_virtual_time(alone)
    first, second = in_virtual_time(beside)
    assert first - usual <= CONNECT_S + 0.02
    assert second - usual <= 0.02


@virtual_time
async def test_where_when_full_is_set_the_webhooks_stay_with_a_gateway_that_reaches_no_endpoint(tmp_path: Path) -> None:
    """A load balancer keeps it among its targets: every other replica is in the same trouble, as the metric tells."""
    away = instant(faults={"handshake": {"status": 503, "times": 2}})
    for number, (keys, status) in enumerate(
        [("", 503), ("when_full: busy\n", 200), ("when_full: {say: Later.}\n", 200)]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        async with two(folder, away, away, keys) as (gateway, _, _):
            async with bare_phone(gateway.url.replace("http", "ws", 1) + "/stream/twilio") as phone:
                await phone.start()
                await phone.closed()
            async with aiohttp.ClientSession() as http, http.get(f"{gateway.url}/readyz") as response:
                shown = await response.json()
                assert (response.status, shown["status"], shown["voice_live"]) == (status, *["unreachable"] * 2)
            async with aiohttp.ClientSession() as http, http.get(f"{gateway.url}/metrics") as metrics:
                assert "gateway_voice_live_up 0.0" in await metrics.text()


@virtual_time
async def test_without_an_endpoint_that_can_be_reached_the_gateway_is_not_ready(tmp_path: Path) -> None:
    """Until the background check finds one; it made no connection before."""
    away = instant(faults={"handshake": {"status": 503, "times": 2}})
    async with two(tmp_path, away, away) as (gateway, west, east):
        assert (await ready(gateway))["status"] == "ready"
        await asyncio.sleep(600)
        assert (west.handshakes, east.handshakes) == (0, 0)
        async with bare_phone(gateway.url.replace("http", "ws", 1) + "/stream/twilio") as phone:
            await phone.start()
            await phone.closed()
        shown = await ready(gateway)
        assert (shown["status"], shown["voice_live"]) == ("unreachable", "unreachable")
        await asyncio.sleep(30)
        shown = await ready(gateway)
        assert (shown["status"], [one["circuit"] for one in shown["endpoints"]]) == ("ready", ["closed", "closed"])
