import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from structlog.testing import capture_logs

import gateway
from gateway.sim.emulator import Emulator, Script
from tests.sim.emulator.wire import conversation, quick, scripted, url

VERSION = "api-version=2026-07-15"


@asynccontextmanager
async def emulated(
    script: Script | None = None, api_key: str | None = None
) -> AsyncIterator[tuple[Emulator, aiohttp.ClientSession]]:
    """An emulator and a client without credentials."""
    async with Emulator(script or quick(), api_key=api_key) as emulator, aiohttp.ClientSession() as http:
        yield emulator, http


async def status(http: aiohttp.ClientSession, address: str, **headers: str) -> int:
    """The status of a handshake; 101 for one that opened a session."""
    try:
        async with http.ws_connect(address, headers=headers) as socket:
            assert (await socket.receive_json())["type"] == "session.created"
            return 101
    except aiohttp.WSServerHandshakeError as error:
        return error.status


@pytest.mark.parametrize(
    ("query", "headers", "expected"),
    [
        (f"{VERSION}&model=gpt-4.1", {"api-key": "right"}, 101),
        (f"{VERSION}&model=gpt-4.1&x-ms-client-sdk=any", {"Authorization": "Bearer token"}, 101),
        (f"{VERSION}&model=gpt-4.1&api-key=right", {}, 101),
        (f"{VERSION}&model=gpt-4.1&Authorization=Bearer%20token", {}, 101),
        (f"{VERSION}&agent-name=a&agent-project-name=p", {"Authorization": "Bearer token"}, 101),
        (f"{VERSION}&model=gpt-4.1", {}, 401),
        (f"{VERSION}&model=gpt-4.1", {"api-key": "wrong"}, 401),
        (f"{VERSION}&model=gpt-4.1", {"Authorization": "Bearer "}, 401),
        (f"{VERSION}&agent-name=a&agent-project-name=p", {"api-key": "right"}, 401),
        ("model=gpt-4.1", {"api-key": "right"}, 400),
        (VERSION, {"api-key": "right"}, 400),
        (f"{VERSION}&agent-name=a", {"api-key": "right"}, 400),
    ],
)
async def test_who_is_let_in(query: str, headers: dict[str, str], expected: int) -> None:
    """A key or a bearer token, in a header or the query; a model or an agent; agents take no key."""
    async with emulated(api_key="right") as (emulator, http):
        assert await status(http, f"{emulator.endpoint}/voice-live/realtime?{query}", **headers) == expected


async def test_any_key_is_right_where_none_is_set_but_there_must_be_one() -> None:
    """Without ``api_key`` any credential that is not empty opens a session."""
    async with emulated() as (emulator, http):
        assert await status(http, url(emulator), **{"api-key": "x"}) == 101
        assert await status(http, url(emulator)) == 401


async def test_the_path_may_have_a_prefix() -> None:
    """Endpoints behind a path work; other paths do not exist."""
    async with emulated() as (emulator, http):
        query = f"?{VERSION}&model=gpt-4.1"
        assert await status(http, f"{emulator.endpoint}/a/b/voice-live/realtime{query}", **{"api-key": "x"}) == 101
        assert await status(http, f"{emulator.endpoint}/realtime{query}", **{"api-key": "x"}) == 404


async def test_credentials_are_not_kept() -> None:
    """What a session remembers of its handshake holds no secret."""
    async with emulated() as (emulator, http):
        await status(http, url(emulator, **{"api-key": "secret1"}), **{"Api-Key": "secret2", "X-Call": "7"})
        session = await emulator.session()
        await session.closed.wait()
        kept = json.dumps([session.query, session.headers])
    assert "secret" not in kept
    assert session.query["model"] == session.model == "gpt-4.1"
    assert session.headers["X-Call"] == "7"


@pytest.mark.parametrize("code", [401, 403, 404, 429, 503])
async def test_a_script_refuses_the_first_handshakes(code: int) -> None:
    """``faults.handshake`` answers with a status, as often as it says."""
    script = scripted({"say": "A"}, faults={"handshake": {"status": code, "times": 2}})
    async with emulated(script) as (emulator, http):
        found = [await status(http, url(emulator), **{"api-key": "x"}) for _ in range(3)]
        assert found == [code, code, 101]
        assert emulator.handshakes == 3


async def test_a_redirect_has_a_location() -> None:
    """A 3xx is a real redirect."""
    script = scripted({"say": "A"}, faults={"handshake": {"status": 307}})
    async with (
        emulated(script) as (emulator, http),
        http.get(url(emulator), headers={"api-key": "x"}, allow_redirects=False) as response,
    ):
        assert (response.status, response.headers["Location"]) == (307, "/elsewhere")


async def test_a_handshake_that_is_never_answered() -> None:
    """The client waits in vain, and the emulator can stop all the same."""
    script = scripted({"say": "A"}, faults={"handshake": {"never": True}})
    async with emulated(script) as (emulator, http):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await status(http, url(emulator), **{"api-key": "x"})
        assert emulator.sessions == []


async def test_new_connections_per_minute() -> None:
    """Beyond the limit the answer is 429."""
    async with emulated(scripted({"say": "A"}, faults={"connections_per_minute": 2})) as (emulator, http):
        assert [await status(http, url(emulator), **{"api-key": "x"}) for _ in range(3)] == [101, 101, 429]


async def test_sessions_are_counted_and_kept_in_order() -> None:
    """Open sessions are those that have not ended; ended ones stay, or only the newest of them."""
    async with (
        Emulator(quick(), keep_sessions=1) as emulator,
        aiohttp.ClientSession(headers={"api-key": "x"}) as http,
        AsyncExitStack() as stack,
    ):
        sockets = [await stack.enter_async_context(http.ws_connect(url(emulator))) for _ in range(3)]
        last = await emulator.session(2)
        assert emulator.open_sessions == 3
        first, second = emulator.sessions[:2]
        for socket, session in zip(sockets, (first, second), strict=False):
            await socket.close(code=1000)
            await session.closed.wait()
            assert session.close_code == 1000
        await last.until(lambda _: emulator.sessions == [second, last] or emulator.open_sessions == 1)
        assert emulator.open_sessions == 1


async def test_check_names_what_the_client_did_wrong() -> None:
    """``check`` is silent about an orderly client and about rules that are allowed."""
    async with emulated() as (emulator, http), http.ws_connect(url(emulator), headers={"api-key": "x"}) as socket:
        emulator.check()
        await socket.send_str('{"type": "input_audio_buffer.commit"}')
        session = await emulator.session()
        await session.until(lambda one: one.violations)
        with pytest.raises(AssertionError, match=rf"{session.id}: input_audio_buffer_commit_empty: .*100ms"):
            emulator.check()
        emulator.check(allow=["input_audio_buffer_commit_empty"])


async def test_stopping_closes_open_sessions() -> None:
    """The emulator's end is 1001 for every client."""
    async with aiohttp.ClientSession(headers={"api-key": "x"}) as http:
        async with Emulator(quick()) as emulator:
            socket = await http.ws_connect(url(emulator))
            session = await emulator.session()
            async with asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(_to_the_end(socket))
                await session.until(lambda one: one.sent)
                session.end()
        assert reading.result() == 1001


async def test_stopping_does_not_wait_for_a_client_that_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be written is dropped with the connection."""
    monkeypatch.setattr("gateway.sim.emulator.server._CLOSE_TIMEOUT_S", 0.05)
    huge = {"at": "session.created", "event": {"type": "huge"}, "padding_bytes": 64 << 20}
    async with aiohttp.ClientSession(headers={"api-key": "x"}) as http:
        async with Emulator(scripted({"say": "A"}, faults={"send": [huge]})) as emulator:
            await http.ws_connect(url(emulator))
            session = await emulator.session()
            await session.until(lambda one: one.sent)
        assert session.close_code == 1006


@pytest.mark.parametrize("moment", ["session.created", "response.created", "response.audio.delta"])
async def test_a_client_that_vanishes(moment: str, caplog: pytest.LogCaptureFixture) -> None:
    """A connection that is lost at any moment ends the session, and nothing is logged as an error."""
    async with conversation(quick(pace=0.1)) as (wire, session):
        await wire.send("response.create")
        if moment != "session.created":
            await wire.until(moment)
        wire.socket._response.close()
        await session.closed.wait()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def _to_the_end(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    async for _ in socket:
        pass
    return socket.close_code


async def test_a_port_that_is_taken_is_an_error() -> None:
    """The same port twice is the operating system's error, and leaves nothing open."""
    async with Emulator(quick()) as emulator:
        port = int(emulator.endpoint.rpartition(":")[2])
        with pytest.raises(OSError, match=str(port)):
            async with Emulator(quick(), port=port):
                pass


async def test_logs_hold_no_words_of_the_caller(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was heard and said goes over the wire and not into the log."""
    with caplog.at_level(logging.DEBUG):
        async with conversation(scripted({"heard": "Confidential words.", "say": "Likewise."})) as (wire, session):
            await session.speech_started()
            await session.speech_stopped()
            await wire.until("response.done")
    logged = capsys.readouterr()
    for text in (caplog.text, logged.out, logged.err):
        assert "Confidential" not in text
        assert "Likewise" not in text


async def test_what_is_logged_names_the_call() -> None:
    """Events in one word, with the session's id and, once the client's settings name one, the call's."""
    with capture_logs() as logs:
        async with emulated() as (emulator, http), http.ws_connect(url(emulator), headers={"api-key": "x"}) as socket:
            await socket.send_json({"type": "session.update", "session": {"metadata": {"call_id": "CA7"}}})
            await socket.send_json({"type": "no.such.event"})
            await (await emulator.session()).until(lambda session: session.violations)
    told = [(entry["event"], entry.get("call")) for entry in logs if entry["event"] != "emulator_listens"]
    assert told == [("session_opened", None), ("rule_broken", "CA7"), ("session_closed", "CA7")]
    assert all(entry["session_id"] for entry in logs if entry["event"] != "emulator_listens")


def test_every_event_of_the_log_is_one_word() -> None:
    """In the emulator and everywhere else: a search for it finds it."""
    code = "".join(path.read_text("utf-8") for path in (Path(gateway.__file__).parent).rglob("*.py"))
    events = re.findall(r'\blog\.(?:debug|info|warning|error|exception)\(\s*f?"([^"]*)"', code)
    assert len(events) > 20
    assert [event for event in events if not re.fullmatch(r"[a-z]+(_[a-z]+)*", event)] == []


async def test_an_address_of_ipv6_stands_in_brackets() -> None:
    """Or nobody could use it as an endpoint."""
    async with Emulator(quick(), "::1") as emulator, aiohttp.ClientSession() as http:
        assert emulator.endpoint.startswith("http://[::1]:")
        assert await status(http, f"{emulator.endpoint}/voice-live/realtime?{VERSION}&model=gpt-4.1") == 401
