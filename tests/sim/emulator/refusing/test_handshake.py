from typing import Any

import aiohttp
import pytest

from gateway.sim.emulator import Emulator
from tests.sim.emulator.wire import quick, scripted, url


async def answer(script: Any, address: str | None = None, **headers: str) -> tuple[int, Any, Any]:
    """Status, headers and body of a handshake's answer."""
    async with Emulator(script) as emulator, aiohttp.ClientSession() as http:
        where = url(emulator) if address is None else f"{emulator.endpoint}{address}"
        async with http.get(where, headers=headers or {"api-key": "x"}, allow_redirects=False) as response:
            return response.status, response.headers, await response.text()


def failing(**fault: Any) -> Any:
    """A script whose handshakes fail so."""
    return scripted({"say": "A"}, faults={"handshake": fault})


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "invalid subscription key"),
        (403, "PermissionDenied"),
        (404, "Resource not found"),
        (429, "rate limit"),
        (503, "unavailable"),
        (418, "The request was refused."),
    ],
)
async def test_a_status_has_the_body_that_azure_gives_it(status: int, words: str) -> None:
    """JSON with code and message, and two ids of the request."""
    found, headers, body = await answer(failing(status=status))
    assert found == status
    assert words in body
    assert headers["x-ms-request-id"]
    assert headers["apim-request-id"]


async def test_an_answer_in_the_words_of_the_script() -> None:
    """Code, message, Retry-After and headers of its own; a body as it stands."""
    status, headers, body = await answer(
        failing(status=401, code="PermissionDenied", message="Ask an owner.", headers={"x-ms-request-id": "r1"})
    )
    assert (status, headers["x-ms-request-id"]) == (401, "r1")
    assert body == '{"error": {"code": "PermissionDenied", "message": "Ask an owner."}}'
    status, headers, body = await answer(failing(status=429, retry_after_s=3, body="<html>Busy</html>"))
    assert (status, headers["Retry-After"], body) == (429, "3", "<html>Busy</html>")
    assert headers["Content-Type"].startswith("text/html")


async def test_the_quota_says_when_to_come_again() -> None:
    """A 429 by the number of connections has Retry-After."""
    _, headers, _ = await answer(scripted({"say": "A"}, faults={"connections_per_minute": 0}))
    assert headers["Retry-After"] == "60"


async def test_a_handshake_that_is_reset() -> None:
    """The connection ends without an answer, as often as the script says; aiohttp asks once more by itself."""
    async with (
        Emulator(failing(reset=True, times=2)) as emulator,
        aiohttp.ClientSession(headers={"api-key": "x"}) as http,
    ):
        with pytest.raises(aiohttp.ClientConnectionError):
            await http.ws_connect(url(emulator))
        async with http.ws_connect(url(emulator)) as socket:
            assert (await socket.receive_json())["type"] == "session.created"
        assert emulator.handshakes == 3


async def test_agents_at_an_older_host() -> None:
    """A cognitiveservices host has no agents; models it has."""
    agent = "/voice-live/realtime?api-version=2026-07-15&agent-name=a&agent-project-name=p"
    token = {"Authorization": "Bearer token"}
    script = quick(host="contoso.cognitiveservices.azure.com")
    status, _, body = await answer(script, agent, **token)
    assert status == 400
    assert "contoso.cognitiveservices.azure.com" in body
    status, _, _ = await answer(quick(), agent, **token, Host="contoso.cognitiveservices.azure.com:443")
    assert status == 400
    async with (
        Emulator(script) as emulator,
        aiohttp.ClientSession(headers={"api-key": "x"}) as http,
        http.ws_connect(url(emulator)) as socket,
    ):
        assert (await socket.receive_json())["type"] == "session.created"


async def test_an_accepted_handshake_names_its_request() -> None:
    """The ids stand in the answer with 101 as well."""
    async with (
        Emulator(quick()) as emulator,
        aiohttp.ClientSession(headers={"api-key": "x"}) as http,
        http.ws_connect(url(emulator)) as socket,
    ):
        assert socket._response.headers["x-ms-request-id"]


@pytest.mark.parametrize("fault", [{}, {"status": 401, "never": True}, {"reset": True, "body": "x"}])
def test_a_fault_has_one_way(fault: dict[str, Any]) -> None:
    """Words need a status."""
    with pytest.raises(ValueError, match=r"give either|needs a status"):
        failing(**fault)
