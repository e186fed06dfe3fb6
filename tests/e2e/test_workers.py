"""Calls of several worker processes, of which one comes to harm."""

import asyncio
import json
import os
import signal
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import aiohttp
import pytest

from gateway.sim.emulator import Emulator
from tests.cli.test_workers import told_by_both, two_workers
from tests.e2e.bare_phone import BarePhone, bare_phone, media
from tests.e2e.rig import configuration, instant

CALLS = 12


async def stay(phone: BarePhone) -> None:
    """Speak and return marks, as a phone does, until the gateway ends the stream."""
    async with asyncio.TaskGroup() as group:
        speaking = group.create_task(speak(phone))
        async for message in phone.socket:
            if message.type is aiohttp.WSMsgType.TEXT and json.loads(message.data)["event"] == "mark":
                await phone.send(message.data)
        speaking.cancel()


async def speak(phone: BarePhone) -> None:
    """Send a frame now and then: a stream on which nothing comes is given up."""
    with suppress(ConnectionError):
        while True:
            await phone.send(media())
            await asyncio.sleep(0.5)


@pytest.mark.parametrize("harm", [signal.SIGKILL, signal.SIGSTOP], ids=lambda harm: harm.name)
async def test_the_calls_of_another_worker_go_on(tmp_path: Path, harm: signal.Signals) -> None:
    """Whether a worker is killed or hangs, and however broken the lines are at that moment; new calls are taken."""
    async with Emulator(instant()) as service:
        settings = {"AZURE_VOICELIVE_ENDPOINT": service.endpoint, "AZURE_VOICELIVE_API_KEY": "any"}
        async with two_workers(configuration(tmp_path), **settings) as url, asyncio.TaskGroup() as group:
            stream = f"{url.replace('http', 'ws', 1)}/stream/twilio"
            async with AsyncExitStack() as stack:
                phones = [await stack.enter_async_context(bare_phone(stream, f"CA{number}")) for number in range(CALLS)]
                for phone in phones:
                    await phone.start()
                    await phone.next("media")
                calls = [group.create_task(stay(phone)) for phone in phones]
                workers = await told_by_both(url)
                (tmp_path / "lines" / "support.yaml").write_text("numbers: [", "utf-8")
                harmed = min(workers)
                os.kill(harmed, harm)
                await told_by_both(url, but=harmed)
                lost = sum(call.done() for call in calls)
                assert lost < CALLS
                async with asyncio.timeout(30):  # the doctor of a worker that begins opens one for a moment
                    while service.open_sessions != CALLS - lost:  # noqa: ASYNC110 -- other processes open and close them
                        await asyncio.sleep(0.05)
                async with bare_phone(stream, "CB1") as new:
                    await new.start()
                    await new.next("media")
