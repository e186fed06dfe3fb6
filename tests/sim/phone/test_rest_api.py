"""A provider's REST API on 127.0.0.1, as the gateway would use it."""

import asyncio
from typing import Any

import pytest
from aiohttp import ClientSession

from gateway.errors import GatewayError
from gateway.sim.phone.rest_api import ApiRefusal, ApiRequest, ApiResponse, SimulatedApi


async def ask(method: str, url: str, **how: Any) -> tuple[int, Any]:
    """A request: the status and the JSON of the answer."""
    async with ClientSession() as http, http.request(method, url, **how) as response:
        return response.status, await response.json() if response.content_length else None


async def test_a_request_is_answered_by_its_route_and_kept() -> None:
    """With the variable parts of the path, headers in lower case, and the body as JSON."""
    seen: list[ApiRequest] = []

    def hang_up(request: ApiRequest) -> ApiResponse:
        seen.append(request)
        return ApiResponse(200, {"data": {"result": "ok"}})

    async with SimulatedApi.serving() as api:
        api.on("POST", "/v2/calls/{id}/actions/hangup", hang_up)
        answer = await ask(
            "POST", f"{api.url}/v2/calls/v3%3Aab/actions/hangup?x=1", json={"a": 1}, headers={"X-Key": "k"}
        )
    assert answer == (200, {"data": {"result": "ok"}})
    (request,) = seen
    assert request.match == {"id": "v3:ab"}
    assert (request.path, request.query, request.data) == ("/v2/calls/v3:ab/actions/hangup", {"x": "1"}, {"a": 1})
    assert request.headers["x-key"] == "k"
    assert request.body == b'{"a": 1}'
    assert api.requests == [request]
    assert api.unexpected == []


async def test_a_form_is_read_as_its_fields() -> None:
    """As the Twilio family sends it; a route may be a coroutine, and its answer empty."""

    async def update(request: ApiRequest) -> ApiResponse:
        await asyncio.sleep(0)
        return ApiResponse(204 if request.data == {"Status": "completed"} else 400)

    async with SimulatedApi.serving() as api:
        api.on("POST", "/Calls/{sid}.json", update)
        answer = await ask("POST", f"{api.url}/Calls/CA1.json", data={"Status": "completed"})
    assert answer == (204, None)
    assert api.requests[0].match == {"sid": "CA1"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/calls/7:terminate"),
        ("POST", "/calls/7"),
        ("POST", "/calls/:terminate"),
        ("POST", "/calls/7:terminate/now"),
        ("POST", "/other/7:terminate"),
    ],
)
async def test_what_no_route_takes_is_not_found(method: str, path: str) -> None:
    """Another method, another path; such requests are kept apart too."""
    async with SimulatedApi.serving() as api:
        api.on("POST", "/calls/{id}:terminate", lambda _: ApiResponse(204))
        assert await ask("POST", f"{api.url}/calls/7:terminate") == (204, None)
        assert (await ask(method, api.url + path))[0] == 404
    assert [(request.method, request.path) for request in api.unexpected] == [(method, path)]


async def test_a_route_that_is_taken_away_is_not_found() -> None:
    """The call it belonged to is over."""
    async with SimulatedApi.serving() as api:
        api.on("DELETE", "/calls/1", lambda _: ApiResponse(204))
        api.off("DELETE", "/calls/1")
        assert (await ask("DELETE", f"{api.url}/calls/1"))[0] == 404


async def test_a_route_can_refuse() -> None:
    """With a status of its own."""

    def refuse(_: ApiRequest) -> ApiResponse:
        raise ApiRefusal(503)

    async with SimulatedApi.serving() as api:
        api.on("POST", "/calls/1", refuse)
        assert await ask("POST", f"{api.url}/calls/1") == (503, None)


async def test_a_request_can_be_waited_for() -> None:
    """Whether it came already or comes later."""
    async with SimulatedApi.serving() as api, asyncio.TaskGroup() as tasks:
        api.on("POST", "/calls/{id}/answer", lambda _: ApiResponse())
        later = tasks.create_task(api.requested("POST", "/calls/{id}/answer"))
        await ask("POST", f"{api.url}/other")
        await ask("POST", f"{api.url}/calls/1/answer")
        assert await later == await api.requested("POST", "/calls/1/answer")
        with pytest.raises(GatewayError, match=r"did not ask for POST http://.*/calls/2/answer within 0.01 s"):
            await api.requested("POST", "/calls/2/answer", timeout_s=0.01)
