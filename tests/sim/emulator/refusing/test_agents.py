from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from gateway.sim.emulator import Emulator, Session
from tests.sim.emulator.wire import SERVER_VAD, ULAW, Wire, scripted

ADDRESS = "/voice-live/realtime?api-version=2026-07-15&agent-name=a&agent-project-name=p"


@asynccontextmanager
async def agent(kind: str, **keys: Any) -> AsyncIterator[tuple[Wire, Session]]:
    """A connection to an agent of this kind."""
    script = scripted({"say": "A"}, refuse={"agent": kind}, **keys)
    async with (
        Emulator(script) as emulator,
        aiohttp.ClientSession(headers={"Authorization": "Bearer token"}) as http,
        http.ws_connect(f"{emulator.endpoint}{ADDRESS}") as socket,
    ):
        yield Wire(socket), await emulator.session()


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("voice", "en-US-AvaNeural"),
        ("turn_detection", SERVER_VAD),
        ("input_audio_transcription", {"model": "azure-speech"}),
    ],
)
async def test_an_agent_with_a_configuration_of_its_own(member: str, value: object) -> None:
    """It refuses what it has itself, and takes formats."""
    async with agent("configured") as (wire, session):
        await wire.until("session.created")
        await wire.send("session.update", session={member: value, **ULAW})
        assert (await wire.error())["param"] == f"session.{member}"
        assert (await wire.update(**ULAW))["output_audio_format"] == "g711_ulaw"
        assert session.violations == []


async def test_an_agent_without_a_configuration() -> None:
    """It needs a voice and turn detection."""
    async with agent("bare") as (wire, _):
        await wire.until("session.created")
        await wire.send("session.update", session={"voice": "en-US-AvaNeural"})
        assert (await wire.error())["param"] == "session.turn_detection"
        await wire.update(voice="en-US-AvaNeural", turn_detection=SERVER_VAD)


async def test_an_agent_of_another_route() -> None:
    """Five errors come by themselves, and the close with 1008."""
    async with agent("voice") as (wire, _):
        assert await wire.closed() == 1008
        codes = [event["error"]["code"] for event in wire.events]
        assert codes == ["invalid_session_update_message"] * 5


async def test_a_kind_says_nothing_of_models() -> None:
    """A model is no agent."""
    script = scripted({"say": "A"}, refuse={"agent": "voice"})
    async with (
        Emulator(script) as emulator,
        aiohttp.ClientSession(headers={"api-key": "any"}) as http,
        http.ws_connect(f"{emulator.endpoint}/voice-live/realtime?api-version=2026-07-15&model=gpt-4.1") as socket,
    ):
        await Wire(socket).until("session.created")
