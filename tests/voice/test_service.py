"""The way to Voice Live: who is let in, what a refusal is told as, and what is left of it."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.ai.voicelive.aio import connect
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError

from gateway.connecting.asked import Asked
from gateway.connecting.by_manager import Handshake
from gateway.sim.emulator import Emulator
from gateway.voice.bot import Agent, Answering, Model
from gateway.voice.service import VoiceLive, VoiceRefusedError, VoiceUnreachableError, _agent_config
from tests.conftest import open_sockets
from tests.doctor.stage import Authority, behind_tls, trusted
from tests.sim.emulator.wire import quick, scripted
from tests.voice.credential import FakeCredential

MODEL = Model("gpt-4.1")
AGENT = Agent("desk", "contoso")


@asynccontextmanager
async def emulator(**faults: Any) -> AsyncIterator[Emulator]:
    """An emulator with these faults."""
    async with asyncio.timeout(20), Emulator(scripted({"say": "A"}, faults=faults), api_key="right") as service:
        yield service


async def closed_down_to(count: int) -> None:
    """Return once no more sockets than so many are open; the emulator's end needs a turn of the loop."""
    async with asyncio.timeout(2):
        while open_sockets() > count:  # noqa: ASYNC110 -- nobody tells
            await asyncio.sleep(0)


async def test_an_api_key_opens_a_session() -> None:
    """The handshake has the key in its header, the model and the API version in its query, and names the SDK."""
    async with emulator() as service, VoiceLive(service.endpoint, "right", api_version="2026-04-10") as live:
        socket = await live.connect(MODEL, {"extra": "1"})
        session = await service.session()
        assert (session.model, session.query["api-version"], session.query["extra"]) == ("gpt-4.1", "2026-04-10", "1")
        assert "api-key" not in session.query
        assert "voicelive" in session.headers["User-Agent"].lower()
        await socket.close()


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (401, VoiceRefusedError, "401: the API key or token is wrong"),
        (403, VoiceRefusedError, "403: the identity lacks the roles"),
        (404, VoiceRefusedError, "404: the endpoint has no Voice Live"),
        (429, VoiceRefusedError, "429: the resource's quota"),
        (400, VoiceRefusedError, "answered the connection with 400"),
        (500, VoiceUnreachableError, "answered the connection with 500"),
        (503, VoiceUnreachableError, "answered the connection with 503"),
    ],
)
async def test_a_refusal_is_told_in_words(status: int, error: type[Exception], words: str) -> None:
    """What the operator can do about it is in the message; the key is not, and no connection is kept."""
    async with emulator(handshake={"status": status}) as service, VoiceLive(service.endpoint, "right") as live:
        sockets = open_sockets()
        with pytest.raises((VoiceRefusedError, VoiceUnreachableError), match=words) as caught:
            await live.connect(MODEL)
        assert isinstance(caught.value, error)
        assert getattr(caught.value, "status", 0) == status
        assert service.endpoint in str(caught.value)
        assert "right" not in str(caught.value)
        await closed_down_to(sockets)


async def test_the_token_is_that_of_the_sessions(credentials: list[FakeCredential]) -> None:
    """Fetched with the same scope, from the process's one identity."""
    async with VoiceLive("http://127.0.0.1:1") as live:
        assert (await live.token()).token == "token-of-the-gateway"
    (identity,) = credentials
    assert identity.scopes == [(live.scope,)]


async def test_a_wrong_key() -> None:
    """The emulator's own 401, as the service answers it."""
    async with emulator() as service, VoiceLive(service.endpoint, "wrong") as live:
        with pytest.raises(VoiceRefusedError, match="401"):
            await live.connect(MODEL)
        assert service.sessions == []


@pytest.mark.parametrize("key", ["se\ncret", "se\x00cret"])
async def test_a_key_that_no_header_can_carry(key: str) -> None:
    """It is a refusal like any other, and stays out of the message."""
    async with emulator() as service, VoiceLive(service.endpoint, key) as live:
        with pytest.raises(VoiceRefusedError, match="the endpoint or the API key is malformed") as caught:
            await live.connect(MODEL)
    assert "cret" not in str(caught.value)


@pytest.mark.parametrize("host", ["a..b", "a" * 64])
async def test_an_endpoint_that_is_no_name(host: str) -> None:
    """The call ends for want of a voice, not by a fault."""
    async with VoiceLive(f"https://{host}", "right") as live:
        with pytest.raises(VoiceRefusedError, match="malformed"):
            await live.connect(MODEL)


async def test_a_redirect_is_not_followed() -> None:
    """It would carry the key elsewhere."""
    async with emulator(handshake={"status": 307}) as service, VoiceLive(service.endpoint, "right") as live:
        with pytest.raises(VoiceUnreachableError, match="redirect"):
            await live.connect(MODEL)
        assert service.handshakes == 1


async def test_a_handshake_that_is_never_answered() -> None:
    """It is given up after the connect time-out, with its socket; nothing is left to warn of."""
    async with (
        emulator(handshake={"never": True}) as service,
        VoiceLive(service.endpoint, "right", connect_timeout_s=0.1) as live,
    ):
        sockets = open_sockets()
        with pytest.raises(VoiceUnreachableError, match=r"did not answer within 0\.1 s"):
            await live.connect(MODEL)
        gc.collect()  # an unclosed session or connection would warn here, and a warning is an error
        await closed_down_to(sockets)


async def test_a_connection_that_is_cancelled_leaves_nothing() -> None:
    """A caller who hangs up while the session opens."""
    async with emulator(handshake={"never": True}) as service, VoiceLive(service.endpoint, "right") as live:
        sockets = open_sockets()
        async with asyncio.TaskGroup() as group:
            connecting = group.create_task(live.connect(MODEL))
            while not service.handshakes:  # noqa: ASYNC110 -- the emulator has no such event
                await asyncio.sleep(0)
            connecting.cancel()
        gc.collect()
        await closed_down_to(sockets)


async def test_nobody_there(unused_tcp_port: int) -> None:
    """A connection that is refused is told with its endpoint."""
    async with VoiceLive(f"http://127.0.0.1:{unused_tcp_port}", "any") as live:
        with pytest.raises(VoiceUnreachableError, match=rf"127\.0\.0\.1:{unused_tcp_port} cannot be reached"):
            await live.connect(MODEL)


async def test_without_a_key_one_credential_serves_the_process(credentials: list[FakeCredential]) -> None:
    """``DefaultAzureCredential`` is made once, asked for one token for all calls, and closed at the end."""
    async with emulator() as service, VoiceLive(service.endpoint) as live:
        for number in range(3):
            socket = await live.connect(MODEL)
            session = await service.session(number)
            assert "Authorization" not in session.headers
            await socket.close()
        (credential,) = credentials
        assert credential.scopes == [("https://ai.azure.com/.default",)]
        assert credential.closed == 0
    assert credential.closed == 1


async def test_with_a_key_there_is_no_credential(credentials: list[FakeCredential]) -> None:
    """Looking for an identity takes half a second that a key does not need."""
    async with VoiceLive("http://127.0.0.1:1", "key"):
        pass
    assert credentials == []


@pytest.mark.usefixtures("credentials")
async def test_an_agent_is_named_in_the_query() -> None:
    """In the parameters of the SDK, and without a model; what is empty is left out."""
    whole = Agent("desk", "contoso", "3", "conv_1", "other", "0000-1111")
    async with emulator() as service, VoiceLive(service.endpoint, "right") as live:
        for number, agent in enumerate((AGENT, whole)):
            socket = await live.connect(agent, {"extra": "1"})
            await service.session(number)
            await socket.close()
        bare, full = (session.query for session in service.sessions)
    assert bare.keys() == {"api-version", "x-ms-client-sdk", "agent-name", "agent-project-name", "extra"}
    assert full == {
        "extra": "1",
        "api-version": "2026-07-15",
        "x-ms-client-sdk": full["x-ms-client-sdk"],
        "agent-name": "desk",
        "agent-project-name": "contoso",
        "agent-version": "3",
        "conversation-id": "conv_1",
        "agent-authentication-identity-client-id": "0000-1111",
        "foundry-resource-override": "other",
    }


async def test_the_agent_is_what_the_sdk_s_own_connect_would_ask_for() -> None:
    """The SDK's public ``connect()`` with the same agent prepares the same address."""
    whole = Agent("desk", "contoso", "3", "conv_1", "other", "0000-1111")
    theirs = connect(
        credential=AzureKeyCredential("any"),
        endpoint="https://contoso.services.ai.azure.com",
        agent_name="desk",
        project_name="contoso",
        agent_version="3",
        conversation_id="conv_1",
        foundry_resource_override="other",
        authentication_identity_client_id="0000-1111",
    )
    where = "https://contoso.services.ai.azure.com"
    ours = Handshake(Asked(where, "2026-07-15", AzureKeyCredential("any"), agent=_agent_config(whole)))
    assert ours.url() == theirs._prepare_url()  # type: ignore[attr-defined]  # the SDK's private class


async def test_an_agent_never_gets_the_key(credentials: list[FakeCredential]) -> None:
    """Agents take Entra alone: the first agent's call makes the credential, models go on with the key."""
    calls: tuple[Answering, ...] = (MODEL, AGENT, MODEL, AGENT)
    async with emulator() as service, VoiceLive(service.endpoint, "right") as live:
        for number, answering in enumerate(calls):
            socket = await live.connect(answering)
            await service.session(number)  # the emulator admits a key for models alone
            assert len(credentials) == (number > 0)
            await socket.close()
        (credential,) = credentials
        assert credential.scopes == [("https://ai.azure.com/.default",)]
        assert credential.closed == 0
    assert credential.closed == 1


async def test_first_calls_of_agents_at_once_share_the_credential(credentials: list[FakeCredential]) -> None:
    """It is made in the background, and made once."""
    async with emulator() as service, VoiceLive(service.endpoint, "right") as live:
        sockets = await asyncio.gather(*(live.connect(AGENT) for _ in range(5)))
        assert len(credentials) == 1
        await asyncio.gather(*(socket.close() for socket in sockets))


async def test_an_identity_that_cannot_be_made_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The identity library's own word for an ``AZURE_TOKEN_CREDENTIALS`` that it does not know."""
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "nonsense")
    async with emulator() as service, VoiceLive(service.endpoint, "right") as live:
        with pytest.raises(VoiceRefusedError, match=r"no Microsoft Entra identity: .*AZURE_TOKEN_CREDENTIALS"):
            await live.connect(AGENT)


async def test_no_token_is_a_refusal(credentials: list[FakeCredential]) -> None:
    """The first line of the identity library's long story."""
    FakeCredential.failure = ClientAuthenticationError("DefaultAzureCredential failed.\nAttempted credentials:\n…")
    async with emulator() as service, VoiceLive(service.endpoint) as live:
        with pytest.raises(VoiceRefusedError, match=r"no Microsoft Entra token for Voice Live: .* failed\.$"):
            await live.connect(MODEL)
    assert credentials[0].closed == 1


async def test_outside_its_context_it_is_a_bug() -> None:
    """Whoever forgets ``async with`` is told."""
    with pytest.raises(RuntimeError, match="outside its context"):
        await VoiceLive("http://127.0.0.1:1", "key").connect(MODEL)


async def test_connections_of_many_calls() -> None:
    """Calls do not wait for one another's connection, nor does a closed one stay."""
    async with Emulator(quick()) as service, VoiceLive(service.endpoint, "any") as live:
        before = open_sockets()
        async with asyncio.TaskGroup() as group:
            opening = [group.create_task(live.connect(MODEL)) for _ in range(30)]
        await service.session(29)
        assert service.open_sessions == 30
        async with asyncio.TaskGroup() as group:
            for task in opening:
                group.create_task(task.result().close())
        await closed_down_to(before)


async def test_an_error_whose_first_line_is_empty_is_told_by_its_kind(credentials: list[FakeCredential]) -> None:
    """A refusal without a reason would tell the operator nothing."""
    FakeCredential.failure = ClientAuthenticationError("\nAttempted credentials:\n…")
    async with emulator() as service, VoiceLive(service.endpoint) as live:
        with pytest.raises(VoiceRefusedError, match=r"Entra token for Voice Live: ClientAuthenticationError$"):
            await live.connect(MODEL)
    assert len(credentials) == 1


@pytest.mark.needs_fast_sockets
async def test_a_refusal_is_told_in_the_service_s_own_words() -> None:
    """With the id of its request, which support asks for; not all of a long page."""

    async def refuse(request: web.Request) -> web.Response:
        body = {"error": {"code": "PermissionDenied", "message": "The principal lacks a role. " + "x" * 900}}
        return web.json_response(body, status=401, headers={"apim-request-id": "0f3c-11"})

    async with served(refuse) as endpoint, VoiceLive(endpoint, "right") as live:
        with pytest.raises(VoiceRefusedError) as caught:
            await live.connect(MODEL)
    told = str(caught.value)
    assert (
        "lacks the roles Cognitive Services User and Foundry User: PermissionDenied: The principal lacks a role. xxx"
        in told
    )
    assert told.endswith("… (request 0f3c-11)")
    assert told.count("x") < 300
    assert (caught.value.status, caught.value.passes) == (401, False)


async def test_a_body_that_never_comes_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The status is told without it."""
    monkeypatch.setattr("gateway.sockets.upgrade.REFUSAL_TIMEOUT_S", 0.05)
    held = asyncio.Event()

    async def refuse(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=503, headers={"Content-Length": "100"})
        await response.prepare(request)
        await held.wait()
        return response

    async with served(refuse) as endpoint, VoiceLive(endpoint, "right") as live:
        with pytest.raises(VoiceUnreachableError, match=r"with 503$") as caught:
            await live.connect(MODEL)
        held.set()
    assert caught.value.passes


async def test_a_connection_that_breaks_before_the_answer_may_pass() -> None:
    """Unlike one that nobody takes."""
    async with emulator(handshake={"reset": True}) as service, VoiceLive(service.endpoint, "right") as live:
        with pytest.raises(VoiceUnreachableError) as caught:
            await live.connect(MODEL)
    assert caught.value.passes
    async with VoiceLive("http://127.0.0.1:1", "right") as live:
        with pytest.raises(VoiceUnreachableError) as caught:
            await live.connect(MODEL)
    assert not caught.value.passes


@pytest.mark.usefixtures("credentials")
async def test_an_agent_of_kind_voice_has_a_route_of_its_own() -> None:
    """With a version and a header of its own; the SDK's query for agents is not sent."""
    asked: list[web.Request] = []

    async def note(request: web.Request) -> web.Response:
        asked.append(request)
        return web.Response(status=404)

    agent = Agent("my desk", "contoso", "3", kind="voice")
    async with served(note) as endpoint, VoiceLive(endpoint + "/base") as live:
        with pytest.raises(VoiceRefusedError, match="404"):
            await live.connect(agent)
    (request,) = asked
    assert request.raw_path == (
        "/base/api/projects/contoso/agents/my%20desk/endpoint/protocols/voice"
        "?api-version=2025-11-15-preview&agent-version=3"
    )
    assert request.headers["Foundry-Features"] == "VoiceAgents=V1Preview"
    assert request.headers["Authorization"] == "Bearer token-of-the-gateway"


@asynccontextmanager
async def served(handle: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """A server that answers every request so; its address."""
    server = TestServer(web.Application())
    server.app.router.add_get("/{path:.*}", handle)
    async with asyncio.timeout(20), server:
        yield str(server.make_url("")).rstrip("/")


async def test_a_socket_by_tls_may_be_closed_twice(tmp_path: Path) -> None:
    """As without TLS, where its transport is gone after the first time."""
    authority = Authority(tmp_path)
    with trusted(authority):
        async with (
            emulator() as service,
            behind_tls(int(service.endpoint.rpartition(":")[2]), authority.server()) as endpoint,
            VoiceLive(endpoint, "right") as live,
        ):
            socket = await live.connect(MODEL)
            await socket.close()
            await socket.close()
