"""Worker processes that are replaced or killed while forty calls are in progress."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bench.target import free_port
from gateway.sim.caller.dial import dial
from gateway.sim.emulator import Emulator, Session
from gateway.sim.phone.phone import SimulatedPhone
from tests.e2e.rig import LINE, NUMBER, configuration, instant, noise

CALLS = 40
TOKEN = "0123456789abcdef"
ACCOUNT = "AC" + "0" * 32
RESCUE = "+14255550177"
TOOL = 'def version() -> str:\n    """Tell the version of the tool."""\n    return "{}"\n'
KEYS = f'on_failure: {{say: Sorry., transfer: "{RESCUE}"}}\ntools: [{{python: "tool_of_the_line:version"}}]\n'
GATEWAY = "public_url: http://127.0.0.1:{}\nproviders: {{twilio: {{}}}}\nlimits: {{calls: 100}}\n"


class Fleet:
    """A supervisor with two workers, its log as it comes, and the emulator that its calls reach."""

    def __init__(self, process: asyncio.subprocess.Process, url: str, emulator: Emulator) -> None:
        self.process = process
        self.url = url
        self.emulator = emulator
        self.log: list[dict[str, Any]] = []
        self._grown = asyncio.Event()

    async def read(self) -> None:
        """Read the log to its end."""
        assert self.process.stderr is not None
        while line := await self.process.stderr.readline():
            assert line.startswith(b"{"), line
            self.log.append(json.loads(line))
            self._grown.set()

    def of(self, event: str, since: int = 0) -> list[dict[str, Any]]:
        """The entries of an event, from an index of the log on."""
        return [entry for entry in self.log[since:] if entry["event"] == event]

    async def until(self, event: str, count: int = 1, since: int = 0) -> list[dict[str, Any]]:
        """Wait for so many entries of an event."""
        while len(found := self.of(event, since)) < count:
            self._grown.clear()
            await self._grown.wait()
        return found

    @asynccontextmanager
    async def call(self, call_id: str) -> AsyncIterator[SimulatedPhone]:
        """Call by the webhook, and wait until the greeting was heard."""
        streams = f"{self.url.replace('http', 'ws', 1)}/stream/twilio"
        async with dial(
            "twilio",
            streams,
            answer_url=f"{self.url}/answer/twilio",
            to=NUMBER,
            from_="+14155550123",
            secrets={"auth_token": TOKEN, "account_sid": ACCOUNT},
            call_id=call_id,
            keep=False,
        ) as phone:
            await self.session_of(call_id)
            yield phone

    async def session_of(self, call_id: str) -> Session:
        """The session of a call, once its greeting is there."""
        while True:
            for session in self.emulator.sessions:
                of_call = session.updates and session.updates[0].get("metadata", {}).get("call_id") == call_id
                if of_call and any(record.type == "response.done" for record in session.sent):
                    return session
            await asyncio.sleep(0.02)

    def workers(self) -> set[int]:
        """The ids of the worker processes."""
        pid = self.process.pid
        return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()}


@asynccontextmanager
async def fleet(tmp_path: Path, keys: str = "") -> AsyncIterator[Fleet]:
    """Serve a line with a tool in Python by two workers, with more ``keys``; stop them in order at the end."""
    port = free_port()
    config = configuration(tmp_path, {"support": LINE.replace("Hello.", "100 ms") + KEYS}, GATEWAY.format(port) + keys)
    (tmp_path / "tool_of_the_line.py").write_text(TOOL.format("one"), "utf-8")
    script = instant({"call": {"name": "version"}, "after_call": {"say": "100 ms"}})
    async with asyncio.timeout(150), Emulator(script) as emulator:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", "serve", "--config", str(config), "--workers", "2", "--no-doctor"),
            *("--host", "127.0.0.1", "--port", str(port), "--log", "json", "--drain", "60"),
            cwd=tmp_path,
            env={
                **os.environ,
                "AZURE_VOICELIVE_ENDPOINT": emulator.endpoint,
                "AZURE_VOICELIVE_API_KEY": "any",
                "TWILIO_AUTH_TOKEN": TOKEN,
                "TWILIO_ACCOUNT_SID": ACCOUNT,
            },
            stderr=asyncio.subprocess.PIPE,
        )
        held = Fleet(process, f"http://127.0.0.1:{port}", emulator)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(held.read())
                await held.until("serving", 2)
                yield held
                process.terminate()
            await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
    assert process.returncode == 0


async def ask(session: Session) -> str:
    """Let the caller speak, and return what the tool gives the model."""
    await session.speech_started()
    await session.speech_stopped()
    await session.until(lambda session: [item for item in session.items if item["type"] == "function_call_output"])
    outputs = [item["output"] for item in session.items if item["type"] == "function_call_output"]
    return str(outputs[-1])


async def begin(held: Fleet, stack: AsyncExitStack, name: str) -> list[SimulatedPhone]:
    """Begin forty calls, eight at once."""
    phones: list[SimulatedPhone] = []
    for first in range(0, CALLS, 8):
        calls = (stack.enter_async_context(held.call(f"CA{name}{n}")) for n in range(first, first + 8))
        phones += await asyncio.gather(*calls)
    return phones


@pytest.fixture(autouse=True)
def quick_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator speaks as long as a text says."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)


async def test_a_rolling_restart_drops_no_call_and_a_killed_worker_none_of_the_others(tmp_path: Path) -> None:
    """SIGHUP with forty calls and a changed tool: none is dropped, calls in progress keep their tool, new ones have the
    new one. SIGKILL of one worker with forty calls: its own alone end, each by the document, and it is replaced.
    """
    async with fleet(tmp_path) as held:
        await replaced(held, tmp_path)
        await killed(held)


async def replaced(held: Fleet, tmp_path: Path) -> None:
    """Replace both workers."""
    before = held.workers()
    async with AsyncExitStack() as stack:
        phones = await begin(held, stack, "A")
        (tmp_path / "tool_of_the_line.py").write_text(TOOL.format("two!"), "utf-8")
        held.process.send_signal(signal.SIGHUP)
        (retiring,) = await held.until("retiring")
        assert 0 < retiring["calls"] < CALLS
        for number in range(6):  # whoever takes them
            async with held.call(f"CB{number}"):
                pass
        assert "one" in await ask(await held.session_of("CAA0"))
        assert not any(phone.closed.is_set() for phone in phones)
        assert held.of("restarted") == []
    await held.until("restarted")
    assert len(held.of("worker_replaced")) == 2
    assert not before & held.workers()
    async with held.call("CC1"):
        assert "two!" in await ask(await held.session_of("CC1"))
    ends = [entry["reason"] for entry in await held.until("call_ended", CALLS + 7)]
    assert ends == ["caller_hung_up"] * (CALLS + 7)
    assert held.of("worker_died") == []


async def killed(held: Fleet) -> None:
    """Kill one worker."""
    since = len(held.log)
    async with AsyncExitStack() as stack:
        phones = await begin(held, stack, "D")
        while len(waiting := held.workers()) < 3:  # noqa: ASYNC110 -- the spare one is started after the two
            await asyncio.sleep(0.05)
        os.kill(held.of("worker_replaced")[0]["pid"], signal.SIGKILL)  # one of the two, and not the spare one
        (died,) = await held.until("worker_died", since=since)
        lost = set(died["calls"])
        assert 0 < len(lost) < CALLS
        own = [phone for phone in phones if phone.call_id in lost]
        await asyncio.gather(*(phone.closed.wait() for phone in own))
        await held.until("serving", since=since)
        (spare,) = held.of("spare_takes_over", since)
        assert spare["pid"] in waiting
        assert [phone.call_id for phone in phones if phone.closed.is_set() and phone.call_id not in lost] == []
        async with held.call("CE1"):
            pass
    for phone in own:
        assert [(step.kind, step.text) for step in phone.continuation[:2]] == [("say", "Sorry."), ("transfer", RESCUE)]
    ends = [entry["reason"] for entry in await held.until("call_ended", CALLS - len(lost) + 1, since)]
    assert ends == ["caller_hung_up"] * (CALLS - len(lost) + 1)
