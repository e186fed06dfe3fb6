"""A gateway that may open few files, in a process of its own: who holds connections open keeps nobody else out."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from gateway.sim.emulator import Emulator
from tests.e2e.bare_phone import bare_phone
from tests.e2e.rig import configuration, instant

FILES = 200
IDLE = 190
PROGRAM = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, ({FILES}, {FILES}))
from gateway.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such limit")
async def test_idle_connections_take_nobody_s_descriptor(tmp_path: Path) -> None:
    """With 200 files and 190 idle connections a caller is answered, health is told on either listener, and the log says
    what is wrong: at the start that the limit is too low, later who is closed for it.
    """
    async with AsyncExitStack() as stack, asyncio.timeout(60):
        emulator = await stack.enter_async_context(Emulator(instant()))
        settings = {"AZURE_VOICELIVE_ENDPOINT": emulator.endpoint, "AZURE_VOICELIVE_API_KEY": "any"}
        gateway = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PROGRAM, "serve", f"--config={configuration(tmp_path)}"),
            *("--host=127.0.0.1", "--port=0", "--log=json"),
            env={**os.environ, **settings},
            stdin=DEVNULL,
            stderr=PIPE,
        )
        assert gateway.stderr is not None
        entries: list[dict[str, object]] = []
        try:
            while not entries or entries[-1]["event"] != "serving":
                entries.append(json.loads(await gateway.stderr.readline()))
            (limited,) = [entry for entry in entries if entry["event"] == "open_files_limited"]
            assert (limited["limit"], limited["needed"]) == (FILES, 1464)
            port = int(str(entries[-1]["port"]))
            idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(IDLE)]
            for _, writer in idle:
                stack.callback(writer.transport.abort)
            async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/healthz") as said:
                assert said.status == 200
            async with bare_phone(f"ws://127.0.0.1:{port}/stream/twilio") as phone:
                await phone.start()
                await phone.next("media")
                await phone.hang_up()
            gateway.terminate()
            told = [json.loads(line) for line in (await gateway.stderr.read()).splitlines()]
            assert await gateway.wait() == 0
        finally:
            if gateway.returncode is None:
                gateway.kill()
                await gateway.wait()
    refused = [entry for entry in told if entry.get("reason") == "too_many_connections"]
    assert "limit of open files" in refused[0]["hint"]
    assert sum(entry.get("count", 0) for entry in refused) + len(refused) >= IDLE - FILES + 64
