"""Names of hosts: looked up once a minute, and served stale where that fails."""

import asyncio
import socket

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from structlog.testing import capture_logs

from gateway.network.name_look_up import FRESH_S, HOSTS_LIMIT, PATIENCE_S, RETRY_S, Connector, NameLookUp
from gateway.rest import CallControl
from gateway.tools.client import open_session
from gateway.voice.service import VoiceLive
from tests.virtual_time import virtual_time

HOST = "voice.example.com"


def at(address: str) -> ResolveResult:
    """An address of the host."""
    return ResolveResult(
        hostname=HOST, host=address, port=443, family=socket.AF_INET, proto=0, flags=socket.AI_NUMERICHOST
    )


class Names(AbstractResolver):
    """A name service that answers after ``delay_s`` with ``address``, or fails without one."""

    def __init__(self) -> None:
        self.address = "192.0.2.1"
        self.delay_s = 0.0
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Answer."""
        self.asked += 1
        await asyncio.sleep(self.delay_s)
        if not self.address:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return [at(self.address)]

    async def close(self) -> None:
        """Nothing is open."""


async def looked_up(names: NameLookUp) -> str:
    """The address of the host."""
    (found,) = await names.resolve(HOST, 443)
    return found["host"]


@virtual_time
async def test_a_name_is_looked_up_once_a_minute() -> None:
    """All who ask meanwhile wait for the one look-up, or get what it brought; then a new address is seen."""
    service = Names()
    service.delay_s = 2.0
    names = NameLookUp(service)
    assert set(await asyncio.gather(*(looked_up(names) for _ in range(50)))) == {"192.0.2.1"}
    service.address, service.delay_s = "192.0.2.2", 0.1
    assert (await looked_up(names), service.asked) == ("192.0.2.1", 1)
    await asyncio.sleep(FRESH_S)
    assert (await looked_up(names), service.asked) == ("192.0.2.2", 2)
    await names.close()


@virtual_time
async def test_a_name_service_that_fails_costs_no_call() -> None:
    """The last good addresses serve, one line tells so, and after a while it is asked again."""
    service = Names()
    names = NameLookUp(service)
    await looked_up(names)
    service.address = ""
    await asyncio.sleep(FRESH_S)
    with capture_logs() as logs:
        for _ in range(20):
            assert await looked_up(names) == "192.0.2.1"
        assert service.asked == 2
        await asyncio.sleep(RETRY_S)
        assert await looked_up(names) == "192.0.2.1"
    assert [(log["event"], log["host"]) for log in logs] == [("addresses_stale", HOST)]
    service.address = "192.0.2.3"
    await asyncio.sleep(RETRY_S)
    assert await looked_up(names) == "192.0.2.3"
    await names.close()


@virtual_time
async def test_a_name_service_that_hangs_costs_one_caller_half_a_second() -> None:
    """Further callers do not wait at all while it hangs, and its answer counts when it comes."""
    service = Names()
    names = NameLookUp(service)
    await looked_up(names)
    await asyncio.sleep(FRESH_S)
    service.address, service.delay_s = "192.0.2.9", 30.0
    loop = asyncio.get_running_loop()
    waited = []
    with capture_logs() as logs:
        for _ in range(3):
            began = loop.time()
            assert await looked_up(names) == "192.0.2.1"
            waited.append(round(loop.time() - began, 2))
    assert waited == [PATIENCE_S, 0.0, 0.0]
    assert [log["event"] for log in logs] == ["addresses_stale"]
    assert service.asked == 2
    await asyncio.sleep(30)
    assert await looked_up(names) == "192.0.2.9"
    await names.close()


@virtual_time
async def test_a_host_that_was_never_reached_has_no_address() -> None:
    """Its failure is told, and is not kept."""
    service = Names()
    service.address = ""
    names = NameLookUp(service)
    for _ in range(2):
        with pytest.raises(socket.gaierror):
            await looked_up(names)
    assert service.asked == 2
    await names.close()


@virtual_time
async def test_what_is_closed_leaves_nothing_behind() -> None:
    """A look-up that hangs is ended, and so is one whose caller has gone."""
    service = Names()
    service.delay_s = 3600.0
    names = NameLookUp(service)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await looked_up(names)
    await names.close()
    assert len(asyncio.all_tasks()) == 1


async def test_a_bounded_number_of_hosts_is_kept() -> None:
    """The one that was not asked for longest goes."""
    service = Names()
    names = NameLookUp(service)
    for number in range(HOSTS_LIMIT + 1):
        await names.resolve(f"{number}.example.com")
    await names.resolve("0.example.com")
    assert service.asked == HOSTS_LIMIT + 2
    await names.close()


async def test_every_client_looks_names_up_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Voice Live, the providers' REST APIs and tools."""
    async with CallControl() as control, VoiceLive("https://a.example", "key") as voice, open_session(1) as tools:
        assert control._http is not None
        assert voice._http is not None
        assert all(isinstance(one.connector, Connector) for one in (control._http, voice._http, tools))


async def test_a_server_is_reached_by_its_name() -> None:
    """Over the system's own resolver."""

    async def handle(request: web.Request) -> web.Response:
        return web.Response(text="here")

    app = web.Application()
    app.router.add_get("/", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://localhost:{runner.addresses[0][1]}/"
    async with aiohttp.ClientSession(connector=Connector()) as http:
        for _ in range(2):
            async with http.get(url) as answer:
                assert await answer.text() == "here"
    await runner.cleanup()
