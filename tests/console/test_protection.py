"""What the console refuses, whoever makes the request."""

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from gateway.console import forms, protection
from gateway.console.application import application
from gateway.console.pages import audit
from gateway.console.route import Route
from gateway.console.state import console_for
from gateway.console.visitors import Need
from gateway.routes.refusing.flood import LOGGED, PERIOD_S
from tests.console.conftest import browser, console_with, fill, text_of

Served = AbstractAsyncContextManager[aiohttp.ClientSession]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8088", "127.0.0.1.nip.io", "localhost.evil.example", ""]
)
async def test_another_name_is_refused(served: Served, host: str) -> None:
    """A name that points here by a trick makes another page ours to a browser (DNS rebinding)."""
    async with served as client:
        assert "localhost" in await text_of(client, "/", 421, headers={"Host": host})


@pytest.mark.parametrize("host", ["localhost", "localhost:9000", "127.0.0.1:1", "[::1]:8088"])
async def test_every_name_of_this_machine_is_taken(served: Served, host: str) -> None:
    """Through a tunnel the port is another."""
    async with served as client:
        await text_of(client, "/", headers={"Host": host})


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "audio"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
        {"X-Forwarded-For": "203.0.113.7"},
        {"Forwarded": "for=203.0.113.7"},
    ],
)
async def test_another_page_gets_nothing(served: Served, headers: dict[str, str]) -> None:
    """Neither by a script, nor as a picture, a sound or a frame, nor through a proxy that lets others in."""
    async with served as client:
        for path in ("/", "/static/console.css", "/nowhere"):
            await text_of(client, path, 403, headers=headers)


async def test_a_link_from_elsewhere_may_be_followed(served: Served) -> None:
    """It shows a page to the person at the browser, and nothing to the other page."""
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    async with served as client:
        await text_of(client, "/", headers=followed)
        async with client.post("/calls/end", headers=followed) as answer:  # a form that its script sends on a page
            assert (answer.status, await answer.text()) == (403, "Another page has asked for this.\n")


async def test_a_form_needs_the_token_of_its_visitor(tmp_path: Path) -> None:
    """Without it, with another's, or without the cookie it belongs to, nothing is done."""
    done: list[str] = []

    async def act(request: web.Request) -> web.Response:
        done.append(request.path)
        return web.Response()

    app = application(console_with(tmp_path), [Route("POST", "/act", act, Need.OPERATOR), *_pages()])
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with asyncio.timeout(10), _client(url) as mine, _client(url) as other:
            token, others = (await text_of(mine, "/token")), (await text_of(other, "/token"))
            for client, fields in ((mine, {}), (mine, {"csrf": others}), (mine, {"csrf": token[:-1]})):
                assert await _status(client, fields) == 403
            async with _client(url) as stranger:
                assert await _status(stranger, {"csrf": token}) == 403
            assert done == []
            assert await _status(mine, {"csrf": token}) == 200
            assert await _status(mine, {}, {"X-CSRF-Token": token}) == 200
    finally:
        await runner.cleanup()
    assert done == ["/act", "/act"]


def _pages() -> list[Route]:
    async def token(request: web.Request) -> web.Response:
        answer = web.Response(text=forms.token_of(request))
        forms.set_cookie(request, answer)
        return answer

    return [Route("GET", "/token", token, Need.VIEWER)]


def _client(url: str) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(base_url=url, cookie_jar=aiohttp.CookieJar(unsafe=True))


async def _status(client: aiohttp.ClientSession, fields: dict[str, str], headers: dict[str, str] | None = None) -> int:
    async with client.post("/act", data=fields, headers=headers) as answer:
        return answer.status


async def test_refusals_are_counted_and_a_flood_is_summed_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each by its reason; what the log has left out it says with the next refusal after a minute."""
    counted: list[str] = []
    now = [1000.0]
    monkeypatch.setattr(protection, "monotonic", lambda: now[0])
    console = console_for(console_with(tmp_path).deployment, on_refusal=counted.append)
    with capture_logs() as logs:
        async with browser(console) as client:
            for _ in range(LOGGED + 3):
                await text_of(client, "/", 421, headers={"Host": "evil.example"})
            now[0] += PERIOD_S
            await text_of(client, "/", 403, headers={"Origin": "https://evil.example"})
    assert counted == ["wrong_host"] * (LOGGED + 3) + ["other_origin"]
    said = [(entry["event"], entry["reason"], entry.get("count")) for entry in logs]
    assert said[LOGGED:] == [("refusals_left_out", "wrong_host", 3), ("console_refused", "other_origin", None)]


async def test_a_page_that_fails_says_so_and_shows_nothing_of_it(tmp_path: Path) -> None:
    """A database that is broken is 503, a bug 500; neither text names what failed, the log does."""

    async def fails(request: web.Request) -> web.Response:
        raise RuntimeError("words of a caller")

    console = console_with(tmp_path)
    await fill(console, [])
    assert console.database is not None
    assert console.database.file is not None
    console.database.file.write_bytes(b"no database" * 1000)
    app = application(console, [Route("GET", "/audit", audit.page, Need.VIEWER), Route("GET", "/", fails, Need.VIEWER)])
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        with capture_logs() as logs:
            async with _client(f"http://127.0.0.1:{runner.addresses[0][1]}") as client:
                assert "does not answer" in await text_of(client, "/audit", 503)
                async with client.get("/") as answer:
                    assert (answer.status, "words" in await answer.text()) == (500, False)
                    assert answer.headers["X-Frame-Options"] == "DENY"
    finally:
        await runner.cleanup()
        await console.database.close()
    assert [entry["event"] for entry in logs] == ["console_without_records", "console_page_failed"]
