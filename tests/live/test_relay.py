"""The calls of a gateway's processes, shown to a console elsewhere."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from gateway.call.calls import Calls
from gateway.call.ending import Order
from gateway.call.history.glance import Glance, LastWords
from gateway.call.metrics import Metrics
from gateway.live import relay, server, source, watch
from gateway.live.messages import LiveCall, OrderFor, Outcome
from gateway.live.proof import proof_of
from gateway.live.relay import Relay
from gateway.live.source import sources_at, sources_in
from gateway.live.watch import Watch
from gateway.routes.refusing.refusals import Refusals
from tests.live.conftest import ABOUT, process
from tests.live.played import PlayedCall, going_on

KEY, OLD = "a key that both sides share", "the key of yesterday"
PATIENCE_S = 30.0


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look, write and leave quickly: no test is about these times."""
    monkeypatch.setattr(server, "LOOK_S", 0.01)
    monkeypatch.setattr(relay, "PERIOD_S", 0.01)
    monkeypatch.setattr(watch, "SEEK_S", 0.02)
    monkeypatch.setattr(watch, "LINGER_S", 0.02)


@asynccontextmanager
async def gateway(folder: Path, metrics: Metrics | None = None) -> AsyncIterator[str]:
    """Serve the processes that have a socket in a folder; yield the address."""
    app = web.Application()
    async with Refusals(metrics or Metrics(())) as refusals:
        shown = Relay(Watch(partial(sources_in, folder)), (KEY, OLD), refusals)
        shown.add_to(app)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=PATIENCE_S, lingering_time=0)
        await runner.setup()
        async with shown.running():
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            try:
                yield f"http://127.0.0.1:{runner.addresses[0][1]}"
            finally:
                await runner.cleanup()


async def test_a_console_elsewhere_sees_and_ends_calls_of_all_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They change as they change here, and an order finds the process that has the call, with either key."""
    (mine, others), (calls, more) = (PlayedCall("CA1"), PlayedCall("CA2")), (Calls(1), Calls(1))
    async with asyncio.timeout(20), process(tmp_path, calls):
        monkeypatch.setattr(server, "SOCKET", "live-other-{}.sock")
        async with (
            process(tmp_path, more),
            gateway(tmp_path) as url,
            Watch(lambda: sources_at([url], OLD)).running() as seen,
        ):
            with going_on(calls, mine), going_on(more, others):
                async with seen.looking() as changed:
                    while len(seen.calls) < 2:
                        changed.clear()
                        await changed.wait()
                    assert {(one.call_id, one.gateway) for one in seen.calls} == {("CA1", url), ("CA2", url)}
                    mine.now = Glance("talking", "bot", LastWords("bot", "On its way."))
                    while "On its way." not in [one.words for one in seen.calls]:
                        changed.clear()
                        await changed.wait()
                for call_id in ("CA1", "CA2"):
                    assert await seen.order(OrderFor("twilio", call_id), url) is Outcome.DONE
                assert await seen.order(OrderFor("twilio", "CA9"), url) is Outcome.REFUSED
                assert await seen.order(OrderFor("twilio", "CA1"), "http://127.0.0.1:1") is Outcome.REFUSED
    assert mine.orders == others.orders == [Order()]


async def test_the_state_comes_with_the_last_of_the_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader knows by the state that it has every call: a page that is loaded then misses none."""
    monkeypatch.setattr(relay, "AT_ONCE", 2)
    calls, played = Calls(10), [PlayedCall(f"CA{n}") for n in range(5)]
    async with asyncio.timeout(20), process(tmp_path, calls), gateway(tmp_path) as url, AsyncExitStack() as going:
        for call in played:
            going.enter_context(going_on(calls, call))
        async with source.Reader(sources_at([url], KEY)[0]) as reader:
            first = []
            async for update in reader.updates():
                first.append(update)
                if len(first) == 3:
                    break
        assert [len(update.calls) for update in first] == [2, 2, 1]
        assert [update.about is not None for update in first] == [False, False, True]


async def test_with_nobody_looking_no_process_is_asked(tmp_path: Path) -> None:
    """Neither before the first look, nor once the last console has gone."""
    calls, call = Calls(1), PlayedCall("CA1")
    async with asyncio.timeout(20), process(tmp_path, calls), gateway(tmp_path) as url:
        with going_on(calls, call):
            async with Watch(lambda: sources_at([url], KEY)).running() as seen:
                await asyncio.sleep(0.1)
                assert call.looks == 0
                async with seen.looking():
                    assert len(seen.calls) == 1
            looks = -1
            while looks != call.looks:
                looks = call.looks
                await asyncio.sleep(0.2)


async def test_nobody_without_the_key_sees_or_ends_anything(tmp_path: Path) -> None:
    """Each attempt is in the log and in the metric, without what was sent."""
    calls, call, metrics = Calls(1), PlayedCall("CA1"), Metrics(())
    order = b'{"provider":"twilio","call_id":"CA1"}'
    with capture_logs() as logs:
        async with asyncio.timeout(20), process(tmp_path, calls), gateway(tmp_path, metrics) as url:
            with going_on(calls, call):
                async with aiohttp.ClientSession(base_url=url) as client:
                    for given in ({}, {"Authorization": f"Bearer {KEY}"}, {"Authorization": proof_of("another key")}):
                        async with client.get("/live", headers=given) as answer:
                            assert answer.status == 403
                            assert "Where" not in await answer.text()
                        async with client.post("/order", headers=given, data=order) as answer:
                            assert answer.status == 403
    assert (call.orders, call.looks) == ([], 0)
    assert {entry["reason"] for entry in logs if entry["event"] == "request_refused"} == {"unauthorized"}
    assert KEY not in str(logs)
    counted = metrics.registry.get_sample_value("gateway_calls_refused_total", {"reason": "unauthorized"})
    assert counted == 6


async def test_what_is_no_order_is_refused(tmp_path: Path) -> None:
    """In a bounded size; and one too many readers is refused as well."""
    async with (
        asyncio.timeout(20),
        gateway(tmp_path) as url,
        aiohttp.ClientSession(base_url=url, headers={"Authorization": proof_of(KEY)}) as client,
    ):
        for body, status in ((b"", 400), (b"[1]", 400), (b"\xff", 400), (b"x" * 5000, 413)):
            async with client.post("/order", data=body) as answer:
                assert answer.status == status
        readers = [await client.get("/live") for _ in range(relay.MOST_READERS)]
        assert {one.status for one in readers} == {200}
        async with client.get("/live") as answer:
            assert answer.status == 503
        for one in readers:
            one.close()


async def test_a_reader_that_has_gone_makes_room_for_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A console that is started again and again is not shut out by what it was."""
    monkeypatch.setattr(relay, "LOOK_S", 0.01)
    async with (
        asyncio.timeout(20),
        process(tmp_path, Calls(1)),
        gateway(tmp_path) as url,
        aiohttp.ClientSession(base_url=url, headers={"Authorization": proof_of(KEY)}) as client,
    ):
        for _ in range(relay.MOST_READERS):
            (await client.get("/live")).close()
        status = 503
        while status == 503:
            async with client.get("/live") as answer:
                status = answer.status
        assert status == 200


async def test_a_reader_gets_what_has_changed_alone() -> None:
    """A call of which nothing is new comes once, however often others change; so does the state of the gateway."""
    first, other = (LiveCall(provider="twilio", call_id=name, line="a", started=1, state="talking") for name in "AB")
    seen = SimpleNamespace(calls=[first, other], about=[ABOUT])
    updates = relay._Updates(seen)  # type: ignore[arg-type]  # as good as one

    def written() -> list[Any]:
        return [msgspec.json.decode(line) for line in updates.lines()]

    (all_of_it,) = written()
    assert ([call["call_id"] for call in all_of_it["calls"]], all_of_it["about"]["limit"]) == (["A", "B"], 10)
    assert written() == []
    seen.calls = [first, msgspec.structs.replace(other, words="On its way.")]
    (changed,) = written()
    assert ([call["call_id"] for call in changed["calls"]], set(changed)) == (["B"], {"calls"})
    seen.calls = [first]
    assert written() == [{"gone": ["twilio/B"]}]
    assert written() == []


async def test_a_reader_to_whom_nothing_is_new_learns_that_the_gateway_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By an empty line from time to time: without one it would take the gateway for gone."""
    monkeypatch.setattr(relay, "LOOK_S", 0.01)
    monkeypatch.setattr(relay, "ALIVE_S", 0.02)
    async with (
        asyncio.timeout(20),
        process(tmp_path, Calls(1)),
        gateway(tmp_path) as url,
        aiohttp.ClientSession(base_url=url, headers={"Authorization": proof_of(KEY)}) as client,
        client.get("/live") as answer,
    ):
        assert b"about" in await answer.content.readline()
        assert [await answer.content.readline() for _ in range(2)] == [b"\n", b"\n"]


async def test_a_reader_that_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection is ended, which its machine may be gone from."""
    monkeypatch.setattr(relay, "UNREAD_S", 0.01)
    aborted: list[bool] = []
    transport = SimpleNamespace(abort=lambda: aborted.append(True))
    seen = Watch(lambda: ())
    async with asyncio.timeout(20), Refusals(Metrics(())) as refusals, seen.running():
        seen._about["live-1.sock"] = ABOUT

        async def write(line: bytes) -> None:
            await asyncio.Event().wait()

        request: Any = SimpleNamespace(transport=transport)
        response: Any = SimpleNamespace(write=write)
        await Relay(seen, (KEY,), refusals)._write(request, response)
    assert aborted == [True]


async def test_an_order_that_is_too_long_is_not_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused as soon as it is longer than any, and not when its time is over."""
    async with asyncio.timeout(20), gateway(tmp_path) as url:
        address = urlsplit(url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        headers = f"Host: here\r\nAuthorization: {proof_of(KEY)}\r\nContent-Length: 1000000\r\n"
        writer.write(f"POST /order HTTP/1.1\r\n{headers}\r\n".encode() + b"x" * (relay.ORDER_BYTES + 1))
        assert b" 413 " in await reader.readline()
        writer.close()
        await writer.wait_closed()


async def test_a_gateway_that_stops_lets_its_readers_go(tmp_path: Path) -> None:
    """At once, and not when its patience with open requests is over."""
    loop = asyncio.get_running_loop()
    headers = {"Authorization": proof_of(KEY)}
    async with asyncio.timeout(60), process(tmp_path, Calls(1)), aiohttp.ClientSession(headers=headers) as client:
        async with gateway(tmp_path) as url:
            answer = await client.get(f"{url}/live")
            await answer.content.readline()
            began = loop.time()
        assert loop.time() - began < PATIENCE_S / 2
        answer.close()


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take a request and answer nothing, until the other side has enough."""
    await reader.read()
    writer.close()
    await writer.wait_closed()


async def test_a_gateway_that_does_not_answer_holds_no_other_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is gone, one takes connections and is silent, one has another key, one is something else: each says so."""
    monkeypatch.setattr(source, "ANSWER_S", 0.3)
    monkeypatch.setattr(source, "GATEWAY_ANSWER_S", 0.3)
    calls, call = Calls(1), PlayedCall("CA1")
    silent = await asyncio.start_server(_silent, "127.0.0.1", 0)
    deaf = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
    gone = "http://127.0.0.1:1"
    async with asyncio.timeout(20), process(tmp_path, calls), silent, gateway(tmp_path) as url:
        sources = [*sources_at([gone, deaf, url], KEY), *sources_at([url + "/elsewhere"], KEY)]
        with going_on(calls, call), capture_logs() as logs:
            async with Watch(lambda: sources).running() as seen, seen.looking() as changed:
                while len([one for one in seen.gateways if one.failure]) < 3 or not seen.calls:
                    changed.clear()
                    await changed.wait()
                failures = {one.name: one.failure for one in seen.gateways}
            assert await seen.order(OrderFor("twilio", "CA1"), deaf) is Outcome.UNKNOWN
            assert await seen.order(OrderFor("twilio", "CA1"), gone) is Outcome.UNKNOWN
    assert failures[gone] == "is not reached"
    assert failures[deaf] == "does not answer in time"
    assert failures[url] == ""
    assert failures[url + "/elsewhere"].startswith("does not show its calls")
    reported = [entry["gateway"] for entry in logs if entry["event"] == "live_unreachable"]
    assert sorted(reported) == sorted({gone, deaf, url + "/elsewhere"})
    assert call.orders == []
