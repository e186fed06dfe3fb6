"""The quickstart of Voice Live as a raw WebSocket client (Microsoft, 2025), against the emulator.

Retyped from what its program does: a 2025 preview of the API, a bearer token, one ``session.update`` with the names of
that time and an empty ``event_id``, the microphone in steps of 20 ms at 24 kHz, and a player of what comes back. Its
microphone and its loudspeaker are a recording and a list here.
"""

import asyncio
import base64
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from gateway.audio.formats import L16_24K, PCMU
from gateway.audio.g711 import decode
from gateway.audio.resample import resample
from gateway.sim.emulator import Emulator, Script, Session
from tests.sim.emulator.wire import caller, quick

VERSION = "2025-05-01-preview"
RATE_HZ = 24_000
STEP_BYTES = RATE_HZ // 50 * 2
UPDATE: dict[str, Any] = {
    "type": "session.update",
    "session": {
        "instructions": "Help in plain, lively words.",
        "turn_detection": {
            "type": "azure_semantic_vad",
            "threshold": 0.3,
            "prefix_padding_ms": 200,
            "silence_duration_ms": 200,
            "remove_filler_words": False,
            "end_of_utterance_detection": {"model": "semantic_detection_v1", "threshold": 0.01, "timeout": 2},
        },
        "input_audio_noise_reduction": {"type": "azure_deep_noise_suppression"},
        "input_audio_echo_cancellation": {"type": "server_echo_cancellation"},
        "voice": {"name": "en-US-Ava:DragonHDLatestNeural", "type": "azure-standard", "temperature": 0.8},
    },
    "event_id": "",
}


class Program:
    """The quickstart's program: ``printed`` are the types of events that it shows, ``played`` its audio."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.printed: list[str] = []
        self.played = b""
        self.replied = asyncio.Event()

    async def begin(self) -> None:
        """Send the settings at once, before anything was received."""
        await self._socket.send_str(json.dumps(UPDATE))

    async def listen(self, microphone: bytes) -> None:
        """Send what the microphone hears, step by step; then silence, because a microphone never stops."""
        for start in range(0, len(microphone), STEP_BYTES):
            await self._append(microphone[start : start + STEP_BYTES])
            await asyncio.sleep(0)
        while True:
            await self._append(bytes(STEP_BYTES))
            await asyncio.sleep(0.02)

    async def _append(self, audio: bytes) -> None:
        event = {"type": "input_audio_buffer.append", "audio": base64.b64encode(audio).decode(), "event_id": ""}
        await self._socket.send_str(json.dumps(event))

    async def play(self) -> None:
        """Take events: audio is played, an error ends the program."""
        async for message in self._socket:
            event = json.loads(message.data)
            self.printed.append(event["type"])
            match event["type"]:
                case "response.audio.delta":
                    self.played += base64.b64decode(event["delta"])
                case "response.done":
                    self.replied.set()
                case "error":
                    raise ValueError(f"{event['error']['code']}: {event['error']['message']}")


@asynccontextmanager
async def quickstart(script: Script, version: str = VERSION) -> AsyncIterator[tuple[Program, Session]]:
    """The program, connected as it connects: the endpoint's scheme replaced, a token, an id of its request."""
    async with Emulator(script) as emulator, aiohttp.ClientSession() as http:
        address = f"{emulator.endpoint.rstrip('/')}/voice-live/realtime?api-version={version}&model=gpt-4o"
        headers = {"x-ms-client-request-id": str(uuid.uuid4()), "Authorization": "Bearer token"}
        async with http.ws_connect(address.replace("http://", "ws://"), headers=headers) as socket:
            yield Program(socket), await emulator.session()


async def test_the_quickstart_holds_a_conversation() -> None:
    """From its first message to an answer that is heard, in the order of events that its document prints."""
    microphone = resample(decode(caller("order_status"), PCMU), 8000, RATE_HZ).tobytes()
    async with quickstart(quick()) as (program, session):
        await program.begin()
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(program.listen(microphone))
            playing = group.create_task(program.play())
            await program.replied.wait()
            listening.cancel()
            playing.cancel()
        assert session.violations == []
        assert session.items[1]["content"][0]["transcript"].startswith("I can help with that.")
    shown = [kind for index, kind in enumerate(program.printed) if index == 0 or program.printed[index - 1] != kind]
    assert shown[:12] == [
        "session.created",
        "session.updated",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.input_audio_transcription.completed",
        "conversation.item.created",
        "response.created",
        "response.output_item.added",
        "conversation.item.created",
        "response.content_part.added",
        "response.audio_transcript.delta",
    ]
    assert L16_24K.duration_ms(len(program.played)) > 2000


async def test_the_settings_come_back_by_the_names_of_that_time() -> None:
    """``threshold`` and ``timeout`` as they were sent, and with them the names that came later."""
    async with quickstart(quick()) as (program, session):
        await program.begin()
        await session.until(lambda at: [record for record in at.sent if record.type == "session.updated"])
        judge = session.session["turn_detection"]["end_of_utterance_detection"]
        assert (judge["threshold"], judge["timeout"], judge["timeout_ms"]) == (0.01, 2, None)
        assert session.headers["x-ms-client-request-id"]


@pytest.mark.parametrize("version", ["2025-10-01", "2026-07-15"])
async def test_later_versions_refuse_its_first_message(version: str) -> None:
    """By the name that they do not have any more; the program ends with the error, as it would."""
    async with quickstart(quick(), version) as (program, session):
        await program.begin()
        with pytest.raises(ValueError, match=r"end_of_utterance_detection\.threshold"):
            await program.play()
        assert session.violations
