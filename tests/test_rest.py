"""Call control against a provider's REST API that misbehaves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from pydantic import SecretStr

from gateway import rest
from gateway.config.providers import Twilio as Settings
from gateway.phone.provider import HttpRequest
from gateway.phone.twilio import Twilio
from gateway.rest import CallControl, CallControlError, described


@asynccontextmanager
async def api(*statuses: int, body: str = "") -> AsyncIterator[tuple[str, list[web.Request]]]:
    """A REST API that answers with these statuses, the last one again and again; 0 never answers."""
    seen: list[web.Request] = []
    over = asyncio.Event()

    async def handle(request: web.Request) -> web.Response:
        seen.append(request)
        await request.read()
        status = statuses[min(len(seen), len(statuses)) - 1]
        if not status:
            await over.wait()
        return web.Response(status=status, text=body, headers={"Location": "/elsewhere"} if status == 302 else {})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", seen
    finally:
        over.set()
        await runner.cleanup()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow one another at once."""
    monkeypatch.setattr(rest, "BACKOFF_S", 0.0)


async def test_requests_are_made_in_order() -> None:
    """Method, headers and body arrive as they were described; the last answer comes back."""
    async with api(200, body="done") as (url, seen), CallControl() as control:
        requests = [HttpRequest("POST", f"{url}/a", {"X-Key": "k"}, b"one"), HttpRequest("DELETE", f"{url}/b")]
        assert await control.perform(requests) == b"done"
    assert [(request.method, request.path) for request in seen] == [("POST", "/a"), ("DELETE", "/b")]
    assert seen[0].headers["X-Key"] == "k"
    assert await seen[0].read() == b"one"


async def test_a_token_is_fetched_first() -> None:
    """The token's answer becomes the bearer of the request that needs it, and its own header is overridden."""
    async with api(200, body='{"access_token":"t0k","expires_in":3600}') as (url, seen), CallControl() as control:
        token = HttpRequest("POST", f"{url}/token", {"Authorization": "Basic eA=="}, b"grant_type=client_credentials")
        await control.perform([HttpRequest("POST", f"{url}/call", {"X-Key": "k"}, b"{}", authorize=token)])
    assert [(request.path, request.headers["Authorization"]) for request in seen] == [
        ("/token", "Basic eA=="),
        ("/call", "Bearer t0k"),
    ]
    assert seen[1].headers["X-Key"] == "k"


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"access_token":7}', '{"access_token":"t0k'])
async def test_an_answer_without_a_token_ends_it(body: str) -> None:
    """The request itself is not made, and what was answered, which may hold a secret, is not repeated."""
    async with api(200, body=body) as (url, seen), CallControl() as control:
        with pytest.raises(CallControlError) as caught:
            await control.perform([HttpRequest("POST", f"{url}/call", authorize=HttpRequest("POST", f"{url}/token"))])
    assert str(caught.value) == f"POST {url}/token was answered without an access_token"
    assert [request.path for request in seen] == ["/token"]


async def test_a_call_that_is_over_is_done() -> None:
    """404 for a call that has ended is as good as an end."""
    async with api(404) as (url, seen), CallControl() as control:
        await control.perform([HttpRequest("POST", url)])
    assert len(seen) == 1


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_what_was_not_carried_out_is_tried_again(status: int) -> None:
    """A provider that is busy is asked again."""
    async with api(status, 200) as (url, seen), CallControl() as control:
        await control.perform([HttpRequest("POST", url)])
    assert len(seen) == 2


async def test_a_refusal_is_told_in_one_line() -> None:
    """Where, what status, and the provider's own words; without the query, which may hold a secret."""
    async with api(400, body='{"message":\n"no such call"}') as (url, _), CallControl() as control:
        with pytest.raises(CallControlError) as caught:
            await control.perform([HttpRequest("POST", f"{url}/calls?key=s3cret")])
    assert str(caught.value) == f'POST {url}/calls was answered with 400: {{"message": "no such call"}}'


async def test_redirects_are_not_followed() -> None:
    """Credentials go nowhere else."""
    async with api(302) as (url, seen), CallControl() as control:
        with pytest.raises(CallControlError, match="302"):
            await control.perform([HttpRequest("POST", url)])
    assert len(seen) == 1


async def test_a_provider_that_never_answers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time-out holds for each try, and the tries are counted."""
    monkeypatch.setattr(rest, "TIMEOUT_S", 0.05)
    async with api(0) as (url, seen), CallControl() as control:
        with pytest.raises(CallControlError, match="was not answered within"):
            await control.perform([HttpRequest("POST", url)])
    assert len(seen) == rest.TRIES


async def test_a_provider_that_is_not_there() -> None:
    """No connection is a failure in one line."""
    async with CallControl() as control:
        with pytest.raises(CallControlError, match="failed"):
            await control.perform([HttpRequest("POST", "http://127.0.0.1:1/")])


@pytest.mark.parametrize("value", ["Bearer se\ncret", "Bearer se\rcret", "Bearer se\x00cret"])
async def test_a_header_that_cannot_be_sent_is_a_refusal(value: str) -> None:
    """Told in one line, without the value, which may be a secret; trying again would not help."""
    async with api(200) as (url, seen), CallControl() as control:
        with pytest.raises(CallControlError, match="a header has characters that HTTP does not allow") as caught:
            await control.perform([HttpRequest("POST", url, {"Authorization": value})])
    assert "cret" not in str(caught.value)
    assert not seen


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example.com",
        "http://a..b/",
        f"http://{'a' * 64}.example/",
        "http://h:99999/",
        "http://[::1/",
        "ftp://h/",
    ],
)
async def test_an_address_that_is_none_is_a_refusal(url: str) -> None:
    """Whatever is wrong with it, the caller has one error to handle."""
    async with CallControl() as control:
        with pytest.raises(CallControlError):
            await control.perform([HttpRequest("POST", url)])


async def test_a_token_that_cannot_be_sent_is_a_refusal() -> None:
    """What the token's endpoint answers becomes a header."""
    async with api(200, body='{"access_token":"a\\nb"}') as (url, seen), CallControl() as control:
        with pytest.raises(CallControlError, match="header"):
            await control.perform([HttpRequest("POST", f"{url}/call", authorize=HttpRequest("POST", f"{url}/token"))])
    assert [request.path for request in seen] == ["/token"]


def test_a_request_that_cannot_be_written_is_a_refusal() -> None:
    """A call id may hold bytes that are no text: a header brought it."""
    twilio = Twilio(Settings(account_sid="AC1", auth_token=SecretStr("t")))
    assert described(twilio.hang_up, "CA1")[0].url.endswith("/Calls/CA1.json")
    with pytest.raises(CallControlError, match="cannot be made"):
        described(twilio.hang_up, "caf\udce9")
