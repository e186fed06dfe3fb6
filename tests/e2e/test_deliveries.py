"""Calls whose events are delivered, by a gateway in this process and by one that is killed and started again."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from bench.target import free_port
from gateway.records.delivery.listing import listed
from gateway.records.store.database import Database
from gateway.sim.caller.dial import dial
from gateway.sim.emulator import Emulator
from tests.e2e.rig import GATEWAY, LINE, NUMBER, configuration, instant, noise, rig
from tests.e2e.test_secrets import CARD, traces
from tests.e2e.tool_server import tool_server
from tests.records.delivery.receiving import SECRET, Server, receiving

CALLER = "+14255550123"
EVENTS = ["call.started", "call.ended", "call.interrupted", "tool.failed", "recording.stored"]
CUT = ("call.started", "call.interrupted")
INCLUDE = ["transcript", "usage", "recording_url"]


def gateway_yaml(server: Server) -> str:
    """A configuration with one receiver."""
    receiver = {"url": server.url, "name": "crm", "secret": "${CRM_SECRET}", "events": EVENTS, "include": INCLUDE}
    return GATEWAY + f"deliver: {json.dumps([receiver])}\n"


def story(server: Server, call_id: str) -> list[str]:
    """The events of a call, as the receiver took them."""
    return [got.body["type"] for got in server.taken if got.body["data"]["call"]["id"] == call_id]


async def until(server: Server, events: dict[str, list[str]]) -> None:
    """Return once the receiver has taken these events."""
    while {call_id: story(server, call_id) for call_id in events} != events:
        server.asked.clear()
        await server.asked.wait()


async def test_a_call_is_told_from_its_start_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what was said, a tool that failed, its recording, and nothing of a card number that was keyed in."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)
    async with receiving() as server, tool_server() as tools:
        pay = {
            "name": "pay",
            "description": "Takes a payment.",
            "parameters": {"card": {"secret": "digits", "prompt": "100 ms your card", "length": 16}},
            "http": {"url": f"{tools.url}/fails"},
        }
        line = LINE.replace("Hello.", "100 ms of a greeting") + f"tools: {json.dumps([pay])}\nrecording: {{}}\n"
        script = instant({"call": {"name": "pay", "arguments": {}}, "after_call": "100 ms of regret"})
        file = configuration(tmp_path, {"support": line}, gateway_yaml(server))
        async with rig(file, script, environ={"CRM_SECRET": SECRET}, limit_s=120, keep_records=True) as held:
            async with dial("twilio", held.stream_url, to=NUMBER, from_=CALLER, call_id="CA1") as phone:
                session = await held.emulator.session(0)
                await session.until(lambda one: any(record.type == "response.done" for record in one.sent))
                await session.speech_started()
                await session.speech_stopped("I want to pay.")
                await held.until(lambda: held.fields("CA1", "secure_entry_started"))
                for digit in CARD:
                    await phone.press(digit)
                await held.until(lambda: held.fields("CA1", "tool_returned"))
            await held.end_of("CA1")
            while len(server.taken) < 4:
                server.asked.clear()
                await server.asked.wait()
        assert [event for event in story(server, "CA1") if event != "recording.stored"] == [
            "call.started",
            "tool.failed",
            "call.ended",
        ]
    told = {got.body["type"]: got.body["data"] for got in server.taken}
    failed, ended, stored = told["tool.failed"], told["call.ended"], told["recording.stored"]
    assert stored["call"]["key"] in stored["event"]["url"]
    assert stored["event"]["seconds"] > 0
    assert (failed["event"]["tool"], failed["event"]["outcome"]) == ("pay", "error")
    assert ended["call"]["reason"] == "caller_hung_up"
    first, second = ended["transcript"][:2]
    assert f"{first['words']} {first['unheard']}".strip() == "100 ms of a greeting"
    assert (second["who"], second["words"]) == ("caller", "I want to pay.")
    assert ended["usage"]["responses"] >= 1
    assert traces(json.dumps([got.body for got in server.got])) == []
    assert CALLER not in str(server.got)
    assert tools.asked[0]["arguments"]["card"] == CARD


@asynccontextmanager
async def served(
    folder: Path,
    config: Path,
    emulator: Emulator,
    port: int,
    environ: Mapping[str, str] | None = None,
    options: Sequence[str] = (),
) -> AsyncIterator[asyncio.subprocess.Process]:
    """``gateway serve`` as a process of its own; it is killed at the end of the block."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "serve", "--config", str(config), "--no-doctor", "--log", "json"),
        *("--host", "127.0.0.1", "--port", str(port), *options),
        cwd=folder,
        env={
            **os.environ,
            "AZURE_VOICELIVE_ENDPOINT": emulator.endpoint,
            "AZURE_VOICELIVE_API_KEY": "any",
            "CRM_SECRET": SECRET,
            **(environ or {}),
        },
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        while line := await process.stderr.readline():
            if json.loads(line)["event"] == "serving":
                break
        async with asyncio.TaskGroup() as group:
            group.create_task(drained(process.stderr))
            yield process
            if process.returncode is None:
                process.kill()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def drained(stream: asyncio.StreamReader) -> None:
    """Read a log that nobody looks at, so that its writer never waits."""
    while await stream.readline():
        pass


async def test_a_gateway_that_is_killed_delivers_after_its_restart(tmp_path: Path) -> None:
    """What the receiver did not take before, in the order of each call; the call that was cut is interrupted."""
    async with asyncio.timeout(150), receiving() as server, Emulator(instant()) as emulator:
        server.answer = lambda _: 503
        port = free_port()
        config = configuration(tmp_path, {"support": LINE}, gateway_yaml(server))
        url = f"ws://127.0.0.1:{port}/stream/twilio"
        async with AsyncExitStack() as phones:
            async with served(tmp_path, config, emulator, port):
                async with dial("twilio", url, to=NUMBER, from_=CALLER, call_id="CA1"):
                    await server.asked.wait()
                await phones.enter_async_context(dial("twilio", url, to=NUMBER, from_=CALLER, call_id="CA2"))
                await kept(tmp_path, "CA1", 2)
                await kept(tmp_path, "CA2", 1)
            assert not server.taken
            server.answer = lambda _: 204
            async with served(tmp_path, config, emulator, port):
                await until(
                    server, {"CA1": ["call.started", "call.ended"], "CA2": ["call.started", "call.interrupted"]}
                )
    assert len({got.id for got in server.taken}) == 4


async def kept(folder: Path, call_id: str, count: int) -> None:
    """Return once so many events of a call are in the outbox."""
    async with Database(f"sqlite:///{folder}/data/calls.db") as database:
        while len(await listed(database, named=[call_id])) < count:  # noqa: ASYNC110 -- another process writes them
            await asyncio.sleep(0.05)
