"""Nobody without a session reads a word or hears a sound: every route of the console, tried by those it is not for."""

import re
from pathlib import Path

import aiohttp
import pytest

from gateway.call.calls import Calls
from gateway.console.route import Route
from gateway.console.table import ROUTES
from gateway.console.visitors import Need
from tests.console.access.people import another, browser, console_of_people, sign_in, token_in
from tests.console.conftest import fill, text_of
from tests.live.conftest import process
from tests.live.played import PlayedCall, going_on
from tests.records.kept import rows_of

WORDS = ("Where is my order", "Welcome to Contoso", "It is on")
"""What is said in the calls of this test: one of the records, and one in progress."""
HAVE = {"vera": {Need.VIEWER}, "otto": {Need.VIEWER, Need.OPERATOR}, "lisa": {Need.VIEWER, Need.LISTENER}}
"""What each of them may do, by name."""
NO_BODY = {"Sec-Fetch-Mode": "cors"}


def path_of(route: Route) -> str:
    """Return an address of a route."""
    names = {"call": "k1", "key": "k1", "line": "support", "name": "console.css"}
    return re.sub(r"\{(\w+)[^}]*\}", lambda found: names.get(found[1], "k1"), route.path)


async def status_of(client: aiohttp.ClientSession, route: Route, headers: dict[str, str]) -> tuple[int, str]:
    """Return what a route answers to somebody: the status, and the text of whatever comes at once."""
    form = {"csrf": "0" * 64, "provider": "twilio", "call_id": "CA1", "target": "desk"}
    data = form if route.method == "POST" else None
    async with client.request(
        route.method, path_of(route), allow_redirects=False, headers=headers, data=data
    ) as answer:
        if answer.status == 200 and answer.content_type == "text/event-stream":
            return answer.status, (await answer.content.readuntil(b"\n\n")).decode()
        return answer.status, (await answer.read()).decode("utf-8", "replace")


@pytest.fixture
def played() -> PlayedCall:
    """A call in progress."""
    return PlayedCall("CA1")


async def test_without_a_session_nothing_but_the_sign_in_answers(tmp_path: Path, played: PlayedCall) -> None:
    """Whoever is not signed in is sent to sign in, or refused."""
    calls = Calls(1)
    console = console_of_people(tmp_path, live=tmp_path)
    await fill(console, rows_of())
    async with process(tmp_path, calls), browser(console) as client:
        with going_on(calls, played):
            for route in ROUTES:
                status, text = await status_of(client, route, NO_BODY)
                assert not any(words in text for words in WORDS), route
                if route.need is not Need.NOTHING:
                    assert status == 401, route
    assert played.orders == []


@pytest.mark.parametrize("name", HAVE)
async def test_each_role_gets_its_own_routes_and_no_words_but_a_listeners(
    tmp_path: Path, played: PlayedCall, name: str
) -> None:
    """A route that needs another role is refused; whoever does not listen finds no word in any answer."""
    calls = Calls(1)
    console = console_of_people(tmp_path, live=tmp_path)
    await fill(console, rows_of())
    async with process(tmp_path, calls), browser(console) as client:
        assert await sign_in(client, name) == 303
        heard = ""
        with going_on(calls, played):
            for route in ROUTES:
                if route.path == "/sign-out":
                    continue
                status, text = await status_of(client, route, NO_BODY)
                if route.need is not Need.NOTHING and route.need not in HAVE[name]:
                    assert status == 403, route
                heard += text
        assert any(words in heard for words in WORDS) == (name == "lisa")
    assert played.orders == []


async def test_another_origin_and_another_session_do_nothing(tmp_path: Path, played: PlayedCall) -> None:
    """A page from elsewhere neither reads nor ends, and the token of one session is none for another."""
    calls = Calls(1)
    console = console_of_people(tmp_path, live=tmp_path)
    async with process(tmp_path, calls), browser(console) as client, another(client) as vera:
        assert await sign_in(client, "otto") == 303
        assert await sign_in(vera, "vera") == 303
        with going_on(calls, played):
            for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
                for route in ROUTES:
                    status, text = await status_of(client, route, headers)
                    assert status == 403, route
                    assert "twilio" not in text
            form = {"provider": "twilio", "call_id": "CA1"}
            others = token_in(await text_of(vera, "/"))
            async with client.post("/calls/end", data=form | {"csrf": others}) as answer:
                assert answer.status == 403
            async with vera.post("/calls/end", data=form | {"csrf": others}) as answer:
                assert answer.status == 403
            assert played.orders == []
            own = token_in(await text_of(client, "/"))
            async with client.post("/calls/end", data=form | {"csrf": own}) as answer:
                assert answer.status == 200
    assert len(played.orders) == 1
