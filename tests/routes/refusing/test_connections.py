"""What a connection may cost before it has asked for anything, and how many there may be."""

import asyncio
import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from gateway.routes.refusing import connections
from gateway.routes.refusing.connections import BoundedRunner, Connections
from tests.e2e.bare_phone import bare_phone
from tests.e2e.rig import GATEWAY, Rig, configuration, instant, rig
from tests.virtual_time import virtual_time

HEAD = b"GET /healthz HTTP/1.1\r\nHost: here\r\n"
PRIVATE = GATEWAY + "listen: {private: '127.0.0.1:0'}\n"

Peer = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def peers(held: Rig, count: int, first: bytes = b"") -> AsyncIterator[list[Peer]]:
    """Connections that each said this much."""
    address = urlsplit(held.gateway.url)
    opened: list[Peer] = []
    try:
        for _ in range(count):
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            writer.write(first)
            opened.append((reader, writer))
        yield opened
    finally:
        for _, writer in opened:
            writer.transport.abort()


async def last_words(peer: Peer) -> bytes:
    """What the gateway says until it closes; a reset is an end too."""
    said = bytearray()
    try:
        while piece := await peer[0].read(65_536):
            said += piece
    except ConnectionError:
        pass
    return bytes(said)


async def asked(held: Rig, path: str = "/healthz") -> int:
    """The status of a route, by a connection of its own."""
    async with aiohttp.ClientSession() as http, http.get(held.gateway.url + path) as said:
        return said.status


@virtual_time
async def test_a_head_has_ten_seconds(tmp_path: Path) -> None:
    """From the connection's beginning, however steadily its bytes come; 408, a line of the log, and a count."""
    async with rig(configuration(tmp_path), instant()) as held:
        loop = asyncio.get_running_loop()
        with capture_logs() as logs:
            async with peers(held, 1, HEAD) as (peer,):
                began = loop.time()
                for _ in range(9):
                    await asyncio.sleep(1)
                    peer[1].write(b"X: y\r\n")
                said = await last_words(peer)
                assert 9.5 < loop.time() - began < 11
        assert said == b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        assert b"Server:" not in said
        (entry,) = [entry for entry in logs if entry["event"] == "request_refused"]
        assert (entry["reason"], entry["detail"]) == ("too_slow", f"{len(HEAD) + 9 * 6} bytes of a head in 10 s")
        assert entry["hint"].endswith("somebody holds connections open, or a proxy opens them early")
        assert await held.metric("gateway_calls_refused_total", reason="too_slow") == 1


@virtual_time
async def test_a_connection_that_says_nothing_is_closed(tmp_path: Path) -> None:
    """After the same time, and without a word: nothing was asked for."""
    async with rig(configuration(tmp_path), instant()) as held:
        loop = asyncio.get_running_loop()
        async with peers(held, 1) as (peer,):
            began = loop.time()
            assert await last_words(peer) == b""
            assert 9.5 < loop.time() - began < 11


@virtual_time
async def test_a_connection_that_was_used_may_rest(tmp_path: Path) -> None:
    """For 75 s, as a proxy keeps some; its next head has ten seconds from its first byte."""
    async with rig(configuration(tmp_path), instant(), limit_s=200) as held:
        loop = asyncio.get_running_loop()
        async with peers(held, 2, HEAD + b"\r\n") as (resting, slow):
            for reader, _ in (resting, slow):
                assert b"200 OK" in await reader.readuntil(b"}")
            began = loop.time()
            await asyncio.sleep(30)
            slow[1].write(HEAD)
            assert (await last_words(slow)).startswith(b"HTTP/1.1 408 ")
            assert 39 < loop.time() - began < 41
            assert await last_words(resting) == b""
            assert 74 < loop.time() - began < 77


@virtual_time
async def test_a_request_that_takes_long_is_not_cut_off(tmp_path: Path) -> None:
    """Neither a stream, which lasts as long as its call, nor a body: ten seconds are for a head."""
    async with rig(configuration(tmp_path), instant(), limit_s=200) as held:
        async with bare_phone(held.stream_url) as phone:
            await phone.start()
            await phone.next("media")
            for _ in range(3):
                await asyncio.sleep(5)
                await phone.send('{"event":"news"}')
            await phone.hang_up()
        assert (await held.end_of(phone.call_id))["reason"] == "caller_hung_up"


@pytest.mark.parametrize("line", [b"X: " + b"y" * 1000 + b"\r\n", b"X-" + b"y" * 4000 + b": z\r\n"])
async def test_a_head_is_bounded(tmp_path: Path, line: bytes) -> None:
    """Whatever it is made of: 431 before its end, a line of the log, and a count."""
    async with rig(configuration(tmp_path), instant()) as held:
        with capture_logs() as logs:
            async with peers(held, 1, HEAD + line * (connections.HEAD_LIMIT // len(line) + 1)) as (peer,):
                said = await last_words(peer)
        assert said == b"" or said.startswith(
            b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
        )  # a reset may overtake the answer
        (entry,) = [entry for entry in logs if entry["event"] == "request_refused"]
        assert (entry["reason"], entry["detail"]) == ("too_large", "more than 32768 bytes of a head")
        assert entry["hint"].endswith("look at the proxy in front")
        assert entry["hint"].startswith("no provider's request has so many")
        assert await asked(held) == 200


async def test_a_head_that_is_a_byte_too_long_is_told_so(tmp_path: Path) -> None:
    """Where nothing more of it is under way the answer arrives, and then the end of the connection."""
    async with rig(configuration(tmp_path), instant()) as held:
        line = b"X: " + b"y" * 4000 + b"\r\n"
        filled = HEAD + line * ((connections.HEAD_LIMIT - len(HEAD)) // len(line))
        async with peers(held, 1, filled + b"X" * (connections.HEAD_LIMIT + 1 - len(filled))) as (peer,):
            said = await last_words(peer)
        assert said == b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


async def test_headers_are_bounded(tmp_path: Path) -> None:
    """In number, though they be short."""
    async with rig(configuration(tmp_path), instant()) as held:
        async with peers(held, 1, HEAD + b"X: y\r\n" * (connections.HEADERS_LIMIT + 1) + b"\r\n") as (peer,):
            assert b" 400 Bad Request\r\n" in await last_words(peer)
        async with peers(held, 1, HEAD + b"X: y\r\n" * (connections.HEADERS_LIMIT - 10) + b"\r\n") as (peer,):
            assert b"200 OK" in await peer[0].readline()


async def test_idle_connections_make_way(tmp_path: Path) -> None:
    """Beyond the limit the one that was idle for longest is closed, so that who asks for something is answered."""
    async with rig(configuration(tmp_path, gateway=GATEWAY + "limits: {connections: 20}\n"), instant()) as held:
        with capture_logs() as logs:
            async with peers(held, 50) as opened:
                assert await asked(held) == 200
                for peer in opened[:30]:
                    assert await last_words(peer) == b""
                assert await held.metric("gateway_connections_limit") == 20
                assert await held.metric("gateway_connections") <= 20
                async with bare_phone(held.stream_url) as phone:
                    await phone.start()
                    await phone.next("media")
                    await phone.hang_up()
        told = [entry for entry in logs if entry.get("reason") == "too_many_connections"]
        assert told[0]["detail"] == "20 connections are open: the one that was idle for longest was closed"
        assert "limits.connections" in told[0]["hint"]
        assert await held.metric("gateway_calls_refused_total", reason="too_many_connections") >= 30


async def test_where_all_are_busy_a_new_one_is_refused(tmp_path: Path) -> None:
    """None that has asked for something is closed for another: 503, and a count."""
    head = b"POST /answer/twilio HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\n"
    async with rig(configuration(tmp_path, gateway=GATEWAY + "limits: {connections: 10}\n"), instant()) as held:
        async with peers(held, 10, head) as busy, peers(held, 1, HEAD + b"\r\n") as (late,):
            said = await last_words(late)
            assert said == b"" or said.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
            for reader, writer in busy:
                writer.write(b"0123456789")
                assert b" 403 " in await reader.readline()
        assert await held.metric("gateway_calls_refused_total", reason="too_many_connections") >= 1


async def test_who_does_not_read_an_answer_makes_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As who asks for nothing does: else asking for much, and reading none of it, would keep everybody out."""
    head = b"POST /answer/twilio HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\n"
    file = configuration(tmp_path, gateway=GATEWAY + "limits: {connections: 10}\n")
    async with rig(file, instant()) as held, peers(held, 10, head) as unread:
        await asyncio.sleep(0)
        monkeypatch.setattr(connections._Connection, "writing_paused", property(lambda _: True))
        assert await asked(held) == 200
        assert await last_words(unread[0]) == b""


async def test_calls_are_no_idle_connections(tmp_path: Path) -> None:
    """However many there are, and however quiet they are: the limit is of those that carry none."""
    async with rig(configuration(tmp_path, gateway=GATEWAY + "limits: {connections: 10}\n"), instant()) as held:
        async with bare_phone(held.stream_url) as phone:
            await phone.start()
            await phone.next("media")
            async with peers(held, 30):
                assert await asked(held) == 200
            await phone.hang_up()
        assert (await held.end_of(phone.call_id))["reason"] == "caller_hung_up"


async def test_descriptors_bound_connections_and_calls_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call needs two of them; what is idle makes way before they are gone."""
    monkeypatch.setattr("gateway.app.left_for_connections", lambda: 12)
    async with rig(configuration(tmp_path), instant()) as held:
        with capture_logs() as logs:
            async with bare_phone(held.stream_url) as phone:
                await phone.start()
                await phone.next("media")
                async with peers(held, 30):
                    assert await asked(held) == 200
                    assert await held.metric("gateway_connections") <= 10
                await phone.hang_up()
        told = [entry for entry in logs if entry.get("reason") == "too_many_connections"]
        assert "limit of open files" in told[0]["hint"]


async def test_health_may_have_a_listener_of_its_own(tmp_path: Path) -> None:
    """Then it is there, and not where everybody comes; it answers when the other one is full."""
    async with rig(configuration(tmp_path, gateway=PRIVATE + "limits: {connections: 10}\n"), instant()) as held:
        head = b"POST /answer/twilio HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\n"
        with capture_logs() as logs:
            assert [await asked(held, path) for path in ("/healthz", "/readyz", "/metrics")] == [404, 404, 404]
        assert ["listen.private" in entry["hint"] for entry in logs] == [True] * 3
        async with peers(held, 10, head), aiohttp.ClientSession() as http:
            for path in ("/healthz", "/readyz", "/metrics"):
                async with http.get(held.gateway.private_url + path) as said:
                    assert said.status == 200
            async with http.post(held.gateway.private_url + "/answer/twilio") as said:
                assert said.status == 404


@pytest.mark.parametrize(
    "name",
    [
        b"Host",
        b"Content-Type",
        b"Content-Length",
        b"Content-Encoding",
        b"Authorization",
        b"X-Cx-Apikey",
        b"Audiohook-Session-Id",
        b"Audiohook-Organization-Id",
        b"X-Ms-Call-Connection-Id",
    ],
)
async def test_a_header_that_counts_may_come_once(tmp_path: Path, name: bytes) -> None:
    """In whatever case it is written, and whoever finds it first, aiohttp or we: 400."""
    line = name + b": 0\r\n" + name.upper() + b": 0\r\n"
    request = b"POST /answer/twilio HTTP/1.1\r\n" + line + b"Host: x\r\n\r\n"
    async with rig(configuration(tmp_path), instant()) as held, peers(held, 1, request) as (peer,):
        assert b" 400 " in await peer[0].readline()


@pytest.mark.parametrize(("kind", "name"), [("AppRunner", "_make_server"), ("RequestHandler", "_request_count")])
async def test_without_aiohttp_s_private_names_connections_are_served_unbounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, name: str
) -> None:
    """A release of aiohttp that moves one of them stops no gateway; the log says what is missing."""
    known = inspect.getsource
    monkeypatch.setattr(inspect, "getsource", lambda of: "" if of.__name__ == kind else known(of))
    connections.lack_of_names.cache_clear()
    try:
        with capture_logs() as logged:
            async with rig(configuration(tmp_path), instant()) as held:
                assert await asked(held) == 200
    finally:
        connections.lack_of_names.cache_clear()
    found = [entry["detail"] for entry in logged if entry["event"] == "connections_unbounded"]
    assert found == [f"aiohttp's {kind} has no {name}"]


async def test_an_answer_that_nobody_waits_for_is_ended_where_that_is_wanted() -> None:
    """``handler_cancellation`` is aiohttp's, and holds here: a handler does not go on once its connection is closed."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def endless(request: web.Request) -> web.Response:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return web.Response()

    app = web.Application()
    app.router.add_get("/", endless)
    runner = BoundedRunner(app, Connections(10, None, lambda what, refused: None), handler_cancellation=True)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        async with asyncio.timeout(10):
            _, writer = await asyncio.open_connection(*runner.addresses[0])
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await begun.wait()
            writer.close()
            await writer.wait_closed()
            await ended.wait()
    finally:
        await runner.cleanup()
