"""*Now*: the calls of a gateway, and what an operator does with them."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from gateway.call.calls import Calls
from gateway.call.ending import Order
from gateway.call.history.glance import Glance, LastWords
from gateway.console.state import console_for
from gateway.live import server
from gateway.live.messages import Outcome
from gateway.live.watch import Watch
from tests.console.access.people import another, console_of_people, sign_in
from tests.console.conftest import browser, console_with, text_of
from tests.e2e.bare_phone import bare_phone
from tests.e2e.rig import configuration, instant, load, rig
from tests.live.conftest import process
from tests.live.played import PlayedCall, going_on

SPOKEN = "<img src=x onerror=alert(1)> \"'\x1b[31m"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at calls often."""
    monkeypatch.setattr(server, "LOOK_S", 0.01)


async def next_event(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    """Return the next event of a page."""
    async for line in answer.content:
        if line.startswith(b"data: "):
            found: dict[str, Any] = json.loads(line[6:])
            return found
    raise EOFError


def token_in(page: str) -> str:
    """Return the token of a page's forms."""
    (token,) = re.findall(r'name="csrf" content="(\w+)"', page)
    return str(token)


async def test_the_page_shows_calls_and_follows_them(tmp_path: Path) -> None:
    """Words are inert; a call that changes, and one that is over, are events."""
    calls, call = Calls(1), PlayedCall("CA1", Glance("talking", "caller", LastWords("caller", SPOKEN), ("desk",)))
    async with (
        asyncio.timeout(20),
        process(tmp_path, calls),
        browser(console_for(console_with(tmp_path).deployment, tmp_path)) as client,
    ):
        with going_on(calls, call):
            page = await text_of(client, "/")
            assert "<img" not in page
            assert "&lt;img src=x onerror=alert(1)&gt;" in page
            assert "Caller speaks" in page
            async with client.get("/now/changes") as answer:
                first = await next_event(answer)
                assert set(first) == {"call twilio/CA1", "overview"}
                assert "<img" not in first["call twilio/CA1"]
                call.now = Glance("talking", "bot", LastWords("bot", "On its way."))
                assert "Bot speaks" in (await next_event(answer))["call twilio/CA1"]
        assert "No call is in progress" in await text_of(client, "/")


async def test_a_call_that_is_over_leaves_the_page(tmp_path: Path) -> None:
    """Its row is taken away as it has come: the page is not loaded again."""
    calls, row = Calls(1), "call twilio/CA1"
    async with (
        asyncio.timeout(20),
        process(tmp_path, calls),
        browser(console_for(console_with(tmp_path).deployment, tmp_path)) as client,
        client.get("/now/changes") as answer,
    ):
        assert set(await next_event(answer)) == {"overview"}
        with going_on(calls, PlayedCall("CA1")):
            while not (await next_event(answer)).get(row):
                pass
        while (await next_event(answer)).get(row, "") is not None:
            pass


async def test_who_follows_the_words_of_calls_is_noted(tmp_path: Path) -> None:
    """A listener; not a viewer, who gets none."""
    words = "Where is my order?"
    calls, got = Calls(1), {}
    with capture_logs() as logs, going_on(calls, PlayedCall("CA1")):
        async with (
            asyncio.timeout(20),
            process(tmp_path, calls),
            browser(console_of_people(tmp_path, live=tmp_path)) as client,
        ):
            for name in ("vera", "lisa"):
                async with another(client) as somebody:
                    assert await sign_in(somebody, name) == 303
                    async with somebody.get("/now/changes") as answer:
                        got[name] = words in (await next_event(answer))["call twilio/CA1"]
    assert got == {"vera": False, "lisa": True}
    acts = [(entry["who"], entry["act"]) for entry in logs if entry["event"] == "console_audit"]
    assert [act for act in acts if act[1] != "signed_in"] == [("lisa", "watched")]


@pytest.mark.parametrize(
    ("outcome", "noted", "told"),
    [
        (Outcome.DONE, True, "was ended"),
        (Outcome.UNKNOWN, True, "did not answer"),
        (Outcome.REFUSED, False, "Nothing was done"),
    ],
)
async def test_an_order_that_may_have_been_carried_out_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outcome: Outcome, noted: bool, told: str
) -> None:
    """Also where the gateway did not answer: nobody knows that it was not."""

    async def order(*_: object) -> Outcome:
        return outcome

    monkeypatch.setattr(Watch, "order", order)
    with capture_logs() as logs:
        async with browser(console_for(console_with(tmp_path).deployment, tmp_path)) as client:
            form = {"csrf": token_in(await text_of(client, "/")), "provider": "twilio", "call_id": "CA1"}
            assert told in await text_posted(client, form)
    acts = [(entry["act"], entry["call"]) for entry in logs if entry["event"] == "console_audit"]
    assert (("ended", "twilio/CA1") in acts) is noted


async def test_an_order_is_carried_out_and_noted_though_its_page_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An order counts, although its page is closed while the gateway answers."""
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def order(*_: object) -> Outcome:
        begun.set()
        await may_end.wait()
        return Outcome.DONE

    monkeypatch.setattr(Watch, "order", order)
    with capture_logs() as logs:
        async with (
            asyncio.timeout(20),
            browser(console_for(console_with(tmp_path).deployment, tmp_path)) as client,
            asyncio.TaskGroup() as group,
        ):
            form = {"csrf": token_in(await text_of(client, "/")), "provider": "twilio", "call_id": "CA1"}
            posting = group.create_task(text_posted(client, form))
            await begun.wait()
            posting.cancel()
            await asyncio.sleep(0.1)  # by now the console has noticed
            may_end.set()
            while "ended" not in [entry.get("act") for entry in logs]:  # noqa: ASYNC110 -- nobody tells
                await asyncio.sleep(0.01)


async def text_posted(client: aiohttp.ClientSession, form: dict[str, str]) -> str:
    """Return what the console answers to an order to end a call."""
    async with client.post("/calls/end", data=form) as answer:
        return await answer.text()


async def test_an_operator_ends_and_transfers(tmp_path: Path) -> None:
    """And learns whether it was done; a form that names nothing is refused."""
    calls, call = Calls(1), PlayedCall("CA1")
    async with (
        asyncio.timeout(20),
        process(tmp_path, calls),
        browser(console_for(console_with(tmp_path).deployment, tmp_path)) as client,
    ):
        with going_on(calls, call):
            known = {"csrf": token_in(await text_of(client, "/")), "provider": "twilio", "call_id": "CA1"}
            for path, fields, done in (
                ("/calls/transfer", known | {"target": "desk"}, "being transferred"),
                ("/calls/transfer", known | {"target": "+14155550199"}, "Nothing was done"),
                ("/calls/end", known, "was ended"),
                ("/calls/end", known | {"call_id": "CA9"}, "Nothing was done"),
            ):
                async with client.post(path, data=fields) as answer:
                    assert answer.url.path == "/"
                    assert done in await answer.text()
            for path, fields in (("/calls/transfer", known), ("/calls/end", {"csrf": known["csrf"]})):
                async with client.post(path, data=fields) as answer:
                    assert answer.status == 400
    assert call.orders == [Order("desk"), Order()]


async def test_a_call_that_an_operator_ends_says_so(tmp_path: Path) -> None:
    """In its note, which the log and the record have, and in the metric."""
    file = configuration(tmp_path)
    deployment, _ = load(file)
    live = tmp_path / "live"
    live.mkdir()
    async with rig(file, instant(), live=live) as held, bare_phone(held.stream_url, "CA1") as phone:
        await phone.start()
        await phone.next("media")
        async with browser(console_for(deployment, live)) as client:
            page = await text_of(client, "/")
            assert "support" in page
            form = {"csrf": token_in(page), "provider": "twilio", "call_id": "CA1"}
            async with client.post("/calls/end", data=form) as answer:
                assert "was ended" in await answer.text()
        end = await held.end_of("CA1")
        assert (end["reason"], end["by"]) == ("ended_by_operator", "operator")
        assert await held.metric("gateway_call_ends_total", by="operator", reason="ended_by_operator") == 1
