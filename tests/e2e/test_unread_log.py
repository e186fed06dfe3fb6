"""A gateway whose log nobody reads, in a process of its own: its calls go on as if somebody did."""

import asyncio
import json
import os
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.sim.emulator import Emulator
from tests.e2e.bare_phone import bare_phone
from tests.e2e.rig import LINE, configuration, instant, noise

CALLS = 50
LINES = 40
"""Lines of the log that each call is made to cause; all together far more than pipe and queue hold."""
PROGRAM = """
import sys
from gateway.logs import writer as log_writer
from gateway.cli import main
log_writer.LIMIT, log_writer.GO_ON_BELOW = 20_000, 10_000
sys.exit(main(sys.argv[1:]))
"""
"""The command, with a queue that is full the sooner."""

FULL = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0}))"
"""The system then writes the part that has room, and refuses the rest."""


@pytest.fixture(autouse=True)
def quick_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator speaks as long as a text says."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)


@dataclass
class Unread:
    """A gateway, and the end of its log that is read or not."""

    process: Process
    log: TextIO
    port: int

    async def metric(self, name: str) -> float:
        """A metric without labels."""
        async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{self.port}/metrics") as said:
            text = await said.text()
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return sum(sample.value for sample in samples if sample.name == name)

    async def call(self, number: int) -> None:
        """A call that makes the log grow; the bot is heard behind each line."""
        async with bare_phone(f"ws://127.0.0.1:{self.port}/stream/twilio", f"CA{number}") as phone:
            await phone.start()
            await phone.next("media")
            for _ in range(LINES):
                await phone.send('{"event":"news"}')
            await phone.next("media")
            await phone.hang_up()

    async def calls(self) -> None:
        """Many at once."""
        async with asyncio.TaskGroup() as group:
            for number in range(CALLS):
                group.create_task(self.call(number))

    async def until(self, name: str, least: float) -> None:
        """Wait until a metric has at least this value: the gateway may be behind its phones."""
        while await self.metric(name) < least:  # noqa: ASYNC110 -- of another process
            await asyncio.sleep(0.05)

    async def lost(self) -> float:
        """Return how many lines were lost so far."""
        return await self.metric("gateway_log_lines_lost_total")


@asynccontextmanager
async def unread(folder: Path, room: int = 0) -> AsyncIterator[Unread]:
    """A gateway whose log is read until it serves, and no further; it is told to stop, and has to end with 0.

    With ``room`` the log is a file that has so many bytes and gets no more, as on a disk that is full.
    """
    file = configuration(folder, {"support": LINE.replace("Hello.", "8000 ms")})
    async with Emulator(instant()) as emulator:
        if room:
            path = folder / "log"
            writer, reader = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), os.open(path, os.O_RDONLY)
        else:
            reader, writer = os.pipe()
        with os.fdopen(reader, encoding="utf-8") as log:
            process = await asyncio.create_subprocess_exec(
                *(
                    sys.executable,
                    "-c",
                    FULL.format(room) + PROGRAM if room else PROGRAM,
                    "serve",
                    f"--config={file}",
                    "--host=127.0.0.1",
                    "--port=0",
                ),
                *("--log=json", "--log-level=debug"),
                env={
                    **os.environ,
                    "AZURE_VOICELIVE_ENDPOINT": emulator.endpoint,
                    "AZURE_VOICELIVE_API_KEY": "any",
                },
                stdin=DEVNULL,
                stderr=writer,
            )
            os.close(writer)
            try:
                async with asyncio.timeout(60):
                    port = await asyncio.to_thread(served, log, is_file=bool(room))
                    yield Unread(process, log, port)
                    process.terminate()
                    assert await process.wait() == 0
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()


def served(log: TextIO, *, is_file: bool) -> int:
    """Read the log until the gateway serves: its port. The end of a file is not yet that of the log."""
    line, given_up_at = "", time.monotonic() + 50
    while (piece := log.readline()) or (is_file and time.monotonic() < given_up_at):
        line += piece
        if line.endswith("\n"):
            entry, line = json.loads(line), ""
            if entry["event"] == "serving":
                return int(entry["port"])
        elif is_file:
            time.sleep(0.05)
    raise EOFError("it ended before it served")


async def test_calls_go_on_while_nobody_reads_the_log(tmp_path: Path) -> None:
    """All of them are answered and ended, the loss is counted, and told where lines are missing once somebody reads."""
    async with unread(tmp_path) as held:
        await held.calls()
        await held.until("gateway_call_ends_total", CALLS)
        assert await held.metric("gateway_call_ends_total") == CALLS
        assert await held.metric("gateway_calls") == 0
        await held.until("gateway_log_lines_lost_total", CALLS)
        told = 0
        while told != (lost := await held.lost()):
            if told < lost:
                told += await asyncio.to_thread(gap, held.log)
            else:
                await asyncio.sleep(0.05)  # the metric follows the log at each measurement of the event loop


def gap(log: TextIO) -> int:
    """Read on to the next line that says how many were lost before it: how many."""
    for line in log:
        entry = json.loads(line)
        if entry["event"] == "log_lines_lost":
            return int(entry["count"])
    raise EOFError("it ended before it told of all")


async def test_calls_go_on_when_the_reader_of_the_log_is_gone(tmp_path: Path) -> None:
    """Webhooks and calls as before, and every line is counted as lost."""
    async with unread(tmp_path) as held:
        held.log.close()
        await held.calls()
        await held.until("gateway_log_lines_lost_total", CALLS * LINES + 1)
        await held.until("gateway_call_ends_total", CALLS)
        assert await held.metric("gateway_call_ends_total") == CALLS


async def test_the_end_waits_for_nobody_who_does_not_read(tmp_path: Path) -> None:
    """A gateway that is told to stop while its log is stuck ends in order, and soon."""
    async with unread(tmp_path) as held:
        await held.calls()
        await held.until("gateway_log_lines_lost_total", 1)


async def test_calls_go_on_when_the_disk_of_the_log_is_full(tmp_path: Path) -> None:
    """Webhooks and calls as before, what has no room is counted as lost, and the end comes in order."""
    async with unread(tmp_path, room=8000) as held:
        await held.calls()
        await held.until("gateway_call_ends_total", CALLS)
        assert await held.metric("gateway_call_ends_total") == CALLS
        assert await held.metric("gateway_calls") == 0
        await held.until("gateway_log_lines_lost_total", CALLS)
    assert (tmp_path / "log").stat().st_size <= 8000
