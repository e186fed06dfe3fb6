"""However a call ends, and whoever ends it: the right reason, and nothing left of it."""

import asyncio
import gc
import os
import tracemalloc
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from gateway import call_setup as preparation
from gateway.call.settings import CallSettings
from gateway.connecting import asked
from gateway.sim.emulator import Session
from gateway.voice import opening
from tests.e2e.bare_phone import BarePhone, bare_phone, media
from tests.e2e.rig import LINE, Rig, configuration, instant, noise, rig, session_of

SAY = "4000 ms"
TALKER = {"support": LINE.replace("Hello.", SAY) + "on_trouble: {tries: 0}\n"}
ENDER = {"support": LINE.replace("Hello.", "100 ms") + "tools: [end_call]\n"}
WAYS = {"stop": "caller_hung_up", "close": "caller_hung_up", "reset": "stream_lost"}


@pytest.fixture(autouse=True)
def quick_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator speaks as long as a text says."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)


WATCHES = ("anon_inode:inotify", "anon_inode:[eventpoll]", "anon_inode:[eventfd]")
"""What the thread that follows the lines' files opens when it comes to it; no call has any of these."""


def open_files() -> list[str]:
    """Return what the file handles of this process lead to: paths, and ``socket:[n]`` or ``pipe:[n]``."""
    found = []
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 -- this one opens no second handle
        with suppress(FileNotFoundError):
            found.append(os.readlink(f"/proc/self/fd/{name}"))  # noqa: PTH115 -- socket:[n] is no path
    return [path for path in found if path not in WATCHES]


def handles() -> int:
    """Return the number of file handles of this process, sockets included."""
    return len(open_files())


@asynccontextmanager
async def leaving_nothing(held: Rig) -> AsyncIterator[None]:
    """What the block begins has to be gone within a second of its end: tasks, handles, calls, sessions."""
    tasks, before = asyncio.all_tasks(), handles()
    yield
    try:
        async with asyncio.timeout(1.0):
            await held.until_quiet()
            while asyncio.all_tasks() - tasks or handles() > before:  # noqa: ASYNC110 -- nobody tells
                await asyncio.sleep(0.002)
    except TimeoutError:
        left = asyncio.all_tasks() - tasks
        pytest.fail(
            f"{len(held.gateway.calls)} calls, {held.emulator.open_sessions} sessions, {handles() - before} "
            f"handles, {left} left after a second"
        )


async def turn(session: Session) -> None:
    """The caller says something, over the greeting."""
    await session.until(lambda one: any(record.type == "response.done" for record in one.sent))
    await session.speech_started()
    await session.speech_stopped()


async def before_start(_: Rig, __: BarePhone) -> None:
    """The stream is open, and nothing was said."""


async def connecting(held: Rig, phone: BarePhone) -> None:
    """The service is thinking about the handshake."""
    await phone.start()
    await held.until(lambda: held.fields(phone.call_id, "call_started"))
    while not held.emulator.handshakes:  # noqa: ASYNC110 -- the emulator has no such event
        await asyncio.sleep(0.001)


async def unready(held: Rig, phone: BarePhone) -> None:
    """The service is thinking about the session."""
    await phone.start()
    await (await held.emulator.session()).until(lambda session: session.received)


async def greeting(_: Rig, phone: BarePhone) -> None:
    """The first words are being heard."""
    await phone.start()
    await phone.next("media")


async def reply(held: Rig, phone: BarePhone) -> None:
    """An answer is being generated and heard."""
    await phone.start()
    await turn(await session_of(held, phone.call_id))
    await held.until(lambda: any(n["latency_ms"] is not None for n in held.fields(phone.call_id, "reply_started")))


async def tool(held: Rig, phone: BarePhone) -> None:
    """The bot has decided to hang up, and its farewell is on its way."""
    await phone.start()
    await turn(await session_of(held, phone.call_id))
    await held.until(lambda: held.fields(phone.call_id, "tool_called"))


State = Callable[[Rig, BarePhone], Any]
SLOW: dict[State, dict[str, Any]] = {
    connecting: {"latency_ms": {"handshake": 300}},
    unready: {"latency_ms": {"update": 300}},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("state", [before_start, connecting, unready, greeting, reply, tool])
async def test_a_caller_hangs_up(tmp_path: Path, state: State, way: str) -> None:
    """In any state and in any way, a reset of the connection included, nothing is left within a second."""
    answer = {"call": {"name": "end_call"}, "after_call": SAY} if state is tool else {"say": SAY}
    script = instant(answer, **SLOW.get(state, {}))
    async with rig(configuration(tmp_path, ENDER if state is tool else TALKER), script) as held, leaving_nothing(held):
        async with bare_phone(held.stream_url) as phone:
            await state(held, phone)
            await phone.hang_up(way)
        if state is not before_start:
            assert (await held.end_of(phone.call_id))["reason"] == WAYS[way]
        else:
            await held.until_quiet()
            assert held.notes == {}
            assert held.emulator.handshakes == 0


@pytest.mark.parametrize("way", ["reset", "silence"])
async def test_a_caller_hangs_up_while_the_gateway_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """The gateway's close is answered with a reset, or not at all: neither holds anything."""
    monkeypatch.setattr("gateway.call.speaking.playback.MARK_GRACE_S", 0.0)
    monkeypatch.setattr("gateway.routes.media_stream.CLOSE_TIMEOUT_S", 0.2)
    script = instant({"call": {"name": "end_call"}, "after_call": "100 ms"})
    async with (
        rig(configuration(tmp_path, ENDER), script) as held,
        leaving_nothing(held),
        bare_phone(held.stream_url, answers_close=False) as phone,
    ):
        await tool(held, phone)
        await phone.closed()
        if way == "reset":
            await phone.hang_up(way)
        assert (await held.end_of(phone.call_id))["reason"] == "bot_hung_up"


async def test_a_phone_that_has_vanished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is half open says nothing: the call ends when no audio came for long enough."""
    call_settings_for = preparation.call_settings_for

    def impatient(*facts: Any, **more: Any) -> CallSettings:
        return msgspec.structs.replace(call_settings_for(*facts, **more), stream_silence_limit_s=0.2)

    monkeypatch.setattr(preparation, "call_settings_for", impatient)
    monkeypatch.setattr("gateway.routes.media_stream.CLOSE_TIMEOUT_S", 0.2)
    async with rig(configuration(tmp_path, TALKER), instant()) as held, bare_phone(held.stream_url) as phone:
        await phone.start()
        end = await held.end_of(phone.call_id)
        assert (end["reason"], end["by"]) == ("stream_lost", "provider")
        async with asyncio.timeout(1.0):
            await held.until_quiet()


MOMENTS: dict[str, dict[str, Any]] = {
    "before the session": {"at": "session.created"},
    "at the session": {"at": "session.updated"},
    "before the reply": {"at": "response.created"},
    "in the reply": {"at": "response.audio.delta", "nth": 2},
    "after the reply": {"at": "response.done"},
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("how", ["close", "reset"])
async def test_the_service_goes(tmp_path: Path, how: str, moment: str) -> None:
    """A session that the service closes or drops is told apart from one that we close, at any moment."""
    script = instant(faults={"cut": {**MOMENTS[moment], "how": how, "reason": "upstream gone"}})
    async with rig(configuration(tmp_path, TALKER), script) as held, leaving_nothing(held):
        async with bare_phone(held.stream_url) as phone:
            await phone.start()
            assert await phone.closed() == 1000
        end = await held.end_of(phone.call_id)
        assert (end["reason"], end["by"]) == ("voice_lost", "service")
        assert how == "reset" or "1011" in str(end["detail"])


@pytest.mark.parametrize("moment", ["before the session", "in the reply"])
async def test_the_service_freezes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    """A service that neither reads nor writes nor answers a ping is found out."""
    monkeypatch.setattr(asked, "HEARTBEAT_S", 0.2)
    monkeypatch.setattr(asked, "CLOSE_TIMEOUT_S", 0.2)
    monkeypatch.setattr(opening, "READY_TIMEOUT_S", 5.0)
    script = instant(faults={"cut": {**MOMENTS[moment], "how": "freeze"}})
    async with rig(configuration(tmp_path, TALKER), script) as held, leaving_nothing(held):
        async with bare_phone(held.stream_url) as phone:
            await phone.start()
            assert await phone.closed() == 1000
        assert (await held.end_of(phone.call_id))["reason"] == "voice_lost"
        held.emulator.sessions[0].end()


async def test_the_service_never_takes_the_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait for ``session.updated`` is bounded."""
    monkeypatch.setattr(opening, "READY_TIMEOUT_S", 0.1)
    async with (
        rig(configuration(tmp_path), instant(latency_ms={"update": 400})) as held,
        leaving_nothing(held),
        bare_phone(held.stream_url) as phone,
    ):
        await phone.start()
        assert await phone.closed() == 1000
        end = await held.end_of(phone.call_id)
        assert (end["reason"], end["by"]) == ("voice_unavailable", "service")
        assert "did not take the session settings within 0.1 s" in str(end["detail"])


async def test_the_service_does_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that lets our audio pile up ends the call with a reason, and the rest is not waited for.

    At the pace of speech the system's own buffers would take minutes to fill.
    """
    monkeypatch.setattr("gateway.call.caller_clock.AHEAD_LIMIT_S", 1e6)
    script = instant(faults={"cut": {"at": "response.created", "how": "freeze"}})
    async with rig(configuration(tmp_path, TALKER), script) as held, leaving_nothing(held):
        async with bare_phone(held.stream_url) as phone:
            await phone.start()
            async with asyncio.TaskGroup() as group:
                closing = group.create_task(phone.closed())
                while not closing.done():
                    await phone.send(media(b"\xff" * 32_000))
            end = await held.end_of(phone.call_id)
            assert (end["reason"], end["by"]) == ("voice_stalled", "service")
        held.emulator.sessions[0].end()


@pytest.mark.parametrize(
    ("status", "reason"),
    [(401, "voice_refused"), (403, "voice_refused"), (429, "voice_refused"), (503, "voice_unavailable")],
)
async def test_the_service_refuses(tmp_path: Path, status: int, reason: str) -> None:
    """A handshake that is turned down ends the call by the service."""
    script = instant(faults={"handshake": {"status": status}})
    async with rig(configuration(tmp_path, TALKER), script) as held, leaving_nothing(held):
        async with bare_phone(held.stream_url) as phone:
            await phone.start()
            assert await phone.closed() == 1000
        end = await held.end_of(phone.call_id)
        assert (end["reason"], end["by"]) == (reason, "service")
        assert str(status) in str(end["detail"])


@pytest.mark.timeout(300)
async def test_a_thousand_calls_leave_memory_flat(tmp_path: Path) -> None:
    """Once everything has been used, a call does not leave as much as its own id behind."""
    async with (
        rig(configuration(tmp_path), instant(), limit_s=250, keep_sessions=0) as held,
        aiohttp.ClientSession() as http,
    ):
        await short_calls(held, http, 200)
        tracemalloc.start()
        try:
            await short_calls(held, http, 400)
            before, _ = tracemalloc.get_traced_memory()
            await short_calls(held, http, 400)
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert await held.metric("gateway_call_ends_total", by="caller", reason="caller_hung_up") == 1000
    assert after - before < 400 * 100, f"{after - before} bytes are left of 400 calls"


async def short_calls(held: Rig, http: aiohttp.ClientSession, count: int) -> None:
    """So many calls in a row, each greeted; the test itself keeps nothing of them."""
    for _ in range(count):
        async with http.ws_connect(held.stream_url) as opened:
            phone = BarePhone(opened, uuid.uuid4().hex)
            await phone.start()
            await phone.send(*[media()] * 5)
            await phone.next("media")
            await phone.hang_up()
        await held.end_of(phone.call_id)
        held.notes.clear()
    await held.until_quiet()
    gc.collect()
