"""The public URL, as seen from here."""

import aiohttp
import pytest
from aiohttp import web

from gateway.doctor.row import Row
from gateway.doctor.way.public_url import public_url_checked
from tests.doctor.stage import Authority, answering


async def rows_of(url: str) -> list[Row]:
    """The rows of a public URL with an account at Twilio."""
    async with aiohttp.ClientSession() as http:
        return await public_url_checked(http, url, "twilio")


@pytest.mark.parametrize(
    ("status", "outcome", "words"),
    [
        (200, "fine", "/healthz answers"),
        (403, "fine", "refuses what is not signed"),
        (404, "failed", "/answer/twilio is not there"),
        (502, "failed", "reaches no gateway behind it"),
        (302, "unclear", "answers with 302"),
    ],
)
async def test_what_answers_there(authority: Authority, status: int, outcome: str, words: str) -> None:
    """A gateway, one with private health, a proxy with another path or with nothing behind it, something else."""
    async with answering(status, authority.server()) as url:
        (*_, row) = await rows_of(url)
    assert (row.name, row.outcome) == ("gateway", outcome)
    assert words in row.detail


async def test_health_may_be_private() -> None:
    """Then the webhook is asked, which refuses what is not signed."""
    app = web.Application()

    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=403)

    app.router.add_get("/answer/twilio", refuse)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        (*_, row) = await rows_of(f"http://127.0.0.1:{runner.addresses[0][1]}")
    finally:
        await runner.cleanup()
    assert row.outcome == "fine"


async def test_nobody_is_there(unused_tcp_port: int) -> None:
    """The connection fails, and nothing is asked."""
    rows = await rows_of(f"http://127.0.0.1:{unused_tcp_port}")
    assert [(row.name, row.outcome) for row in rows] == [
        ("name", "fine"),
        ("connection", "failed"),
        ("gateway", "skipped"),
    ]
