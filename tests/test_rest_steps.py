"""Steps against an API: each request with the answer to the one before."""

import asyncio

import pytest

from gateway.phone.requests import HttpRequest, Steps
from gateway.phone.shared.access_token import access_token
from gateway.rest import CallControl, CallControlError
from tests.test_rest import api
from tests.virtual_time import virtual_time


def with_token(url: str, count: int = 1, *, repeatable: bool = False) -> Steps[None]:
    """Requests that each want a token first."""
    for _ in range(count):
        token = yield from access_token(HttpRequest("POST", f"{url}/token", repeatable=True))
        yield HttpRequest("DELETE", f"{url}/call", {"Authorization": f"Bearer {token}"}, repeatable=repeatable)


async def test_the_answer_to_one_step_goes_into_the_next() -> None:
    """Here a token, which becomes the bearer of the request that needs it; the steps return what came of it."""

    def steps() -> Steps[str]:
        yield from with_token(url)
        return "done"

    async with api(200, body='{"access_token":"t0k","expires_in":3600}') as (url, seen), CallControl() as control:
        assert await control.follow(steps()) == "done"
        await control.perform(with_token(url))
    assert [(request.path, request.headers.get("Authorization")) for request in seen] == [
        ("/token", None),
        ("/call", "Bearer t0k"),
    ] * 2


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"access_token":7}', '{"access_token":"t0k'])
async def test_a_step_that_fails_names_itself(body: str) -> None:
    """No step after it is taken, and what was answered, which may hold a secret, is not repeated."""
    async with api(200, body=body) as (url, seen), CallControl() as control:
        with pytest.raises(CallControlError) as caught:
            await control.perform(with_token(url))
    assert str(caught.value) == f"POST {url}/token: the answer has no access_token"
    assert [request.path for request in seen] == ["/token"]


async def test_a_step_that_is_refused_names_itself() -> None:
    """Its status and its code; no step after it is taken."""
    async with api(401, body='{"error":"invalid_client"}') as (url, seen), CallControl() as control:
        with pytest.raises(CallControlError) as caught:
            await control.perform(with_token(url))
    assert str(caught.value) == f"POST {url}/token was answered with 401 (invalid_client)"
    assert caught.value.refused
    assert [request.path for request in seen] == ["/token"]


async def test_steps_that_cannot_be_written_are_a_refusal() -> None:
    """A call id may hold bytes that are no text: a header brought it."""

    def steps() -> Steps[None]:
        yield HttpRequest("POST", "caf\udce9".encode().decode())

    async with CallControl() as control:
        with pytest.raises(CallControlError, match="cannot be made: UnicodeEncodeError"):
            await control.perform(steps())


async def test_steps_are_closed_where_a_request_fails() -> None:
    """The resources that the steps hold are released at once."""
    closed = []

    def steps() -> Steps[None]:
        try:
            yield HttpRequest("POST", "http://127.0.0.1:1/")
        finally:
            closed.append(True)

    async with CallControl() as control:
        with pytest.raises(CallControlError):
            await control.perform(steps())
        assert closed == [True]


@pytest.mark.parametrize("repeatable", [False, True])
@pytest.mark.parametrize("has_token", [False, True])
@virtual_time
async def test_a_caller_waits_five_seconds_at_most(repeatable: bool, has_token: bool) -> None:
    """And no less, with all tries and the token before: one that takes long may do it all the same."""
    loop = asyncio.get_running_loop()
    async with api(0) as (url, _), CallControl() as control:
        plain = [HttpRequest("DELETE", url, repeatable=repeatable)] * 3
        began = loop.time()
        with pytest.raises(CallControlError, match="was not answered within"):
            await control.perform(with_token(url, 3, repeatable=repeatable) if has_token else plain)
        assert 4.9 <= loop.time() - began <= 5.1


async def test_a_token_that_cannot_be_sent_is_a_refusal() -> None:
    """The answer of the token's endpoint becomes a header."""
    async with api(200, body='{"access_token":"a\\nb"}') as (url, seen), CallControl() as control:
        with pytest.raises(CallControlError, match="header"):
            await control.perform(with_token(url))
    assert [request.path for request in seen] == ["/token"]
