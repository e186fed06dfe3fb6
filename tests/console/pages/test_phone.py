"""The pages of the phone in a browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from msgspec.structs import replace

from gateway.console.phone.way import PhoneWay
from tests.console.conftest import browser, console_with, fill, text_of
from tests.e2e.rig import LINE
from tests.records.kept import rows_of

WAY = PhoneWay("http://127.0.0.1:1", "k" * 32, emulated=True)


@asynccontextmanager
async def pages(folder: Path, way: PhoneWay | None = WAY, line: str = LINE) -> AsyncIterator[aiohttp.ClientSession]:
    """Serve a console with one line."""
    (folder / "lines").mkdir(exist_ok=True)
    (folder / "lines" / "sales & more.yaml").write_text(line, "utf-8")
    console = replace(console_with(folder), phone=way)
    await fill(console, rows_of("k1", call_id="browser-1"))
    async with browser(console) as client:
        yield client


async def token_of(client: aiohttp.ClientSession) -> dict[str, str]:
    """Return the header that proves that a request comes from a page."""
    page = await text_of(client, "/phone")
    return {"X-CSRF-Token": page.partition('name="csrf" content="')[2].partition('"')[0]}


async def test_a_line_is_chosen_and_called(tmp_path: Path) -> None:
    """Its name is inert, the file is named, and the emulator is named where it answers."""
    async with pages(tmp_path) as client:
        assert '/phone/sales%20%26%20more"' in await text_of(client, "/phone")
        page = await text_of(client, "/phone/sales%20%26%20more")
        assert "Try sales &amp; more" in page
        assert "lines/sales &amp; more.yaml" in page
        assert "answers from a script" in page
        await text_of(client, "/phone/nobody", 404)


async def test_a_service_is_not_called_an_emulator(tmp_path: Path) -> None:
    """The words are there only where they are true."""
    async with pages(tmp_path, replace(WAY, emulated=False)) as client:
        assert "emulator" not in (await text_of(client, "/phone/sales%20%26%20more")).lower()


async def test_a_mistake_in_the_file_is_shown(tmp_path: Path) -> None:
    """Calls then use the version before."""
    async with pages(tmp_path, line=LINE + "tool: []\n") as client:
        assert "The file has a mistake" in await text_of(client, "/phone/sales%20%26%20more")


async def test_this_page_alone_gets_the_microphone(tmp_path: Path) -> None:
    """The policy of all others denies it."""
    async with pages(tmp_path) as client:
        for path, allowed in (("/phone/sales%20%26%20more", True), ("/phone", False), ("/", False)):
            async with client.get(path) as answer:
                assert ("microphone=(self)" in answer.headers["Permissions-Policy"]) == allowed


async def test_a_call_is_granted_to_our_own_page_alone(tmp_path: Path) -> None:
    """With the token of its forms; the path of its stream has another, for one call."""
    async with pages(tmp_path) as client:
        path = "/phone/sales%20%26%20more/calls"
        async with client.post(path) as answer:
            assert answer.status == 403
        headers = await token_of(client)
        async with client.post(path, headers=headers) as answer:
            granted = await answer.json()
        assert granted["path"].startswith("/phone/sales%20%26%20more/stream/")
        async with client.post("/phone/nobody/calls", headers=headers) as answer:
            assert answer.status == 404
        await text_of(client, granted["path"], 426)
        async with client.ws_connect(granted["path"]) as page:  # the gateway is not there
            await page.receive()
            assert page.close_code == 1013


async def test_another_page_opens_no_stream(tmp_path: Path) -> None:
    """Neither with a token that it may have seen."""
    async with pages(tmp_path) as client:
        path, headers = "/phone/sales%20%26%20more/stream/t", {"Origin": "https://evil.example", "Upgrade": "websocket"}
        await text_of(client, path, 403, headers=headers)


async def test_without_a_gateway_nothing_is_called(tmp_path: Path) -> None:
    """The page says what is missing."""
    async with pages(tmp_path, None) as client:
        assert "The phone needs a gateway" in await text_of(client, "/phone")
        assert "The phone needs a gateway" in await text_of(client, "/phone/sales%20%26%20more", 503)


async def test_the_record_of_a_call_is_found_by_its_id(tmp_path: Path) -> None:
    """Once it has an end."""
    async with pages(tmp_path) as client:
        await text_of(client, "/phone-record/browser-2", 404)
        assert '"/calls/k1"' in await text_of(client, "/phone-record/browser-1")
