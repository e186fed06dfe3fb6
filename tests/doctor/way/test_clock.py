"""This machine's clock beside a server's."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from gateway.doctor.way.address import Address, address_of
from gateway.doctor.way.clock import compared


@asynccontextmanager
async def telling(date: str) -> AsyncIterator[Address]:
    """A server whose answers carry this ``Date``."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(headers={"Date": date})

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield address_of(f"http://127.0.0.1:{runner.addresses[0][1]}")
    finally:
        await runner.cleanup()


DATE, AT_S = "Sun, 29 Nov 2026 17:00:00 GMT", 1795971600.0


@pytest.mark.parametrize(
    ("off_s", "outcome", "words"),
    [
        (0, "fine", "as that of 127.0.0.1"),
        (4, "fine", "as that of 127.0.0.1"),
        (-30, "reduced", "is 30 s behind 127.0.0.1"),
        (59, "reduced", "is 59 s ahead of"),
        (60, "failed", "is 60 s ahead of"),
        (-600, "failed", "is 10 min behind"),
    ],
)
async def test_a_clock(off_s: float, outcome: str, words: str) -> None:
    """Some seconds are the way, half a minute is a warning, a minute may refuse signatures."""
    async with telling(DATE) as address, aiohttp.ClientSession() as http:
        row = await compared(http, address, "x", lambda: AT_S + off_s)
    assert row.outcome == outcome
    assert words in row.detail


async def test_a_server_that_tells_no_time() -> None:
    """The check could not tell."""
    async with telling("yesterday") as address, aiohttp.ClientSession() as http:
        row = await compared(http, address, "x", time.time)
    assert (row.outcome, row.detail) == ("unclear", "127.0.0.1 told no time")


async def test_a_server_that_is_gone(unused_tcp_port: int) -> None:
    """The check could not tell."""
    async with aiohttp.ClientSession() as http:
        row = await compared(http, Address("127.0.0.1", unused_tcp_port, by_tls=False), "x", time.time)
    assert row.outcome == "unclear"
