"""The way to a server, step by step, over real connections."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.doctor.way import reach
from gateway.doctor.way.address import Address, address_of
from gateway.doctor.way.reach import reached
from tests.doctor.stage import Authority, answering, trusted

pytestmark = pytest.mark.usefixtures("transports")


def told(rows: list[Any]) -> list[tuple[str, str]]:
    """Name and outcome of each row."""
    return [(row.name, row.outcome) for row in rows]


async def test_a_server_by_tls(authority: Authority) -> None:
    """Name, connection and certificate are fine."""
    async with answering(200, authority.server()) as url:
        rows = await reached(address_of(url), "x")
    assert told(rows) == [("name", "fine"), ("connection", "fine"), ("tls", "fine")]
    assert "127.0.0.1" in rows[0].detail


async def test_a_port_that_nobody_listens_on(unused_tcp_port: int) -> None:
    """The connection fails, and TLS is not tried."""
    rows = await reached(Address("127.0.0.1", unused_tcp_port, by_tls=True), "x")
    assert told(rows) == [("name", "fine"), ("connection", "failed"), ("tls", "skipped")]
    assert f"let this machine connect to port {unused_tcp_port}" in rows[1].remedy


async def test_one_of_two_addresses_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls work, and lose time with the other."""
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 0)) for ip in ("127.0.0.2", "127.0.0.1")]
    async with answering(200) as url:
        address = address_of(url)
        kept = socket.getaddrinfo
        monkeypatch.setattr(
            socket, "getaddrinfo", lambda host, *a, **o: both if host == "localhost" else kept(host, *a, **o)
        )
        rows = await reached(address, "x")
    assert told(rows) == [("name", "fine"), ("connection", "reduced")]
    assert "not 127.0.0.2" in rows[1].detail


async def test_a_name_server_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a limit of its own."""

    async def never(*_: Any, **__: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(reach, "LOOK_UP_LIMIT_S", 0.05)
    monkeypatch.setattr(aiohttp.DefaultResolver, "resolve", never)
    rows = await reached(Address("a.example.com", 443, by_tls=True), "x")
    assert told(rows) == [("name", "failed"), ("connection", "skipped"), ("tls", "skipped")]
    assert "was not found within 0.05 s" in rows[0].detail


async def test_a_server_that_never_speaks_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a limit of its own."""
    monkeypatch.setattr(reach, "TLS_LIMIT_S", 0.1)
    gone = asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        gone.set()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    rows = await reached(Address("127.0.0.1", server.sockets[0].getsockname()[1], by_tls=True), "x")
    await gone.wait()
    server.close()
    await server.wait_closed()
    assert told(rows)[-1] == ("tls", "failed")
    assert "no TLS with 127.0.0.1 within 0.1 s" in rows[-1].detail


async def test_a_server_without_tls(authority: Authority) -> None:
    """The port is not the one for https."""
    async with answering(200) as url:
        rows = await reached(address_of(url.replace("http:", "https:")), "x")
    assert told(rows)[-1] == ("tls", "failed")
    assert "is the one for https://" in rows[-1].remedy


@pytest.mark.parametrize(
    ("days", "outcome", "words"),
    [(5, "reduced", "expires in 5 days"), (-3, "failed", "renew the certificate"), (90, "fine", "")],
)
async def test_a_certificate_that_ends(authority: Authority, days: int, outcome: str, words: str) -> None:
    """Soon is a warning, over is a failure."""
    async with answering(200, authority.server(days=days)) as url:
        (*_, row) = await reached(address_of(url), "x")
    assert (row.name, row.outcome) == ("tls", outcome)
    assert words in row.remedy


async def test_a_certificate_of_another_host(authority: Authority) -> None:
    """It names localhost, and not the address."""
    async with answering(200, authority.server()) as url:
        (*_, row) = await reached(address_of(url.replace("localhost", "127.0.0.1")), "x")
    assert (row.outcome, row.remedy) == ("failed", "use the host that the certificate names")


async def test_an_authority_that_nobody_knows(tmp_path: Path) -> None:
    """The issuer is told, which names the proxy that opens TLS."""
    (tmp_path / "known").mkdir()
    with trusted(Authority(tmp_path / "known")):
        async with answering(200, Authority(tmp_path, "Some Proxy CA").server()) as url:
            (*_, row) = await reached(address_of(url), "x")
    assert row.outcome == "failed"
    assert "issued by CN=Some Proxy CA" in row.detail
