# ruff: noqa: T201 -- an example that prints what happens
"""A whole conversation with Voice Live through the official SDK and nothing else.

    gateway emulator --port 8765 &
    python examples/sdk_client.py --endpoint http://127.0.0.1:8765

Greeting, a spoken turn, an interruption, a function call, a turn by push-to-talk. Needs `azure-ai-voicelive` and
`aiohttp`. Against the real service, give its endpoint and set AZURE_VOICELIVE_API_KEY.
"""

import argparse
import asyncio
import base64
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from azure.ai.voicelive.aio import VoiceLiveConnection, connect
from azure.ai.voicelive.models import (
    AudioInputTranscriptionOptions,
    AzureStandardVoice,
    FunctionCallOutputItem,
    FunctionTool,
    RequestSession,
    ResponseCreateParams,
    ServerVad,
)
from azure.core.credentials import AzureKeyCredential

RECORDINGS = Path(__file__).parent.parent / "gateway" / "sim" / "prompts" / "caller"
FRAME_BYTES, FRAME_S = 160, 0.02
BYTES_PER_MS = 8
SILENCE = b"\xff" * FRAME_BYTES
PATIENCE_S = 30


class Microphone:
    """Sends a frame every 20 ms for ever: what it was given to say, else silence."""

    def __init__(self, connection: VoiceLiveConnection) -> None:
        self._connection = connection
        self._pending = b""
        self.muted = False

    def say(self, recording: Path) -> None:
        """Puts a µ-law WAV file (8 kHz) behind what is still to be said."""
        data = recording.read_bytes()
        start = data.index(b"data") + 8
        self._pending += data[start:]

    async def run(self) -> None:
        """On an absolute clock, so that a late frame does not delay those behind it."""
        due = time.monotonic()
        while True:
            if not self.muted:
                frame, self._pending = self._pending[:FRAME_BYTES], self._pending[FRAME_BYTES:]
                encoded = base64.b64encode(frame.ljust(FRAME_BYTES, b"\xff")).decode()
                await self._connection.input_audio_buffer.append(audio=encoded)
            due += FRAME_S
            await asyncio.sleep(max(0, due - time.monotonic()))


class Client:
    """Prints what happens, and keeps the current reply's id and length."""

    def __init__(self, connection: VoiceLiveConnection) -> None:
        self._events: AsyncIterator[Any] = aiter(connection)
        self.item_id = ""
        self.received_ms = 0
        self.first_audio_at = 0.0

    async def until(self, wanted: str) -> Any:
        """Reads on to an event of this type, which is then of its own class."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                event = await anext(self._events)
                self._note(event)
                if event.type == wanted:
                    return event

    def _note(self, event: Any) -> None:
        match event.type:
            case "response.audio.delta":
                if event.item_id != self.item_id:
                    self.item_id, self.received_ms, self.first_audio_at = event.item_id, 0, time.monotonic()
                self.received_ms += len(event.delta) // BYTES_PER_MS
            case "response.audio_transcript.delta" | "response.function_call_arguments.delta":
                pass
            case "response.audio_transcript.done":
                print(f"  bot: {event.transcript}")
            case "conversation.item.input_audio_transcription.completed":
                print(f"  caller: {event.transcript}")
            case "error":
                raise SystemExit(f"the service reported an error: {event.error.code}: {event.error.message}")
            case _:
                print(f"  {event.type}")

    def heard_ms(self) -> int:
        """How much of the current reply a listener has heard: it plays in real time from its first delta on."""
        return min(self.received_ms, int((time.monotonic() - self.first_audio_at) * 1000))


async def converse(connection: VoiceLiveConnection, client: Client, microphone: Microphone) -> None:
    """The conversation, step by step."""
    step("Greeting")
    await connection.response.create()
    await client.until("response.done")
    await asyncio.sleep(client.received_ms / 1000)  # response.done comes long before the end of the speech

    step("A spoken turn; voice activity ends it")
    microphone.say(RECORDINGS / "order_status.wav")
    await client.until("input_audio_buffer.speech_stopped")
    await client.until("response.done")

    step("An interruption, while the answer is still being played")
    microphone.say(RECORDINGS / "change_delivery.wav")
    await client.until("input_audio_buffer.speech_started")
    await connection.conversation.item.truncate(item_id=client.item_id, content_index=0, audio_end_ms=client.heard_ms())
    truncated = await client.until("conversation.item.truncated")
    print(f"  heard of it: {truncated.audio_end_ms} of {client.received_ms} ms")
    await client.until("response.done")

    step("A function call")
    await connection.response.create(response=ResponseCreateParams(tool_choice="required"))
    call = await client.until("response.function_call_arguments.done")
    print(f"  {call.name}({json.dumps(json.loads(call.arguments))})")
    await connection.conversation.item.create(
        item=FunctionCallOutputItem(call_id=call.call_id, output=json.dumps({"moved": True}))
    )
    await client.until("response.done")  # only now may the next response be asked for
    await connection.response.create()
    await client.until("response.done")

    step("A manual turn: voice activity off, commit by hand")
    microphone.muted = True
    await connection.session.update(session=RequestSession(turn_detection=None))
    await client.until("session.updated")
    await connection.input_audio_buffer.clear()
    await client.until("input_audio_buffer.cleared")
    microphone.say(RECORDINGS / "goodbye.wav")
    microphone.muted = False
    await asyncio.sleep(3)
    microphone.muted = True
    await connection.input_audio_buffer.commit()
    await client.until("input_audio_buffer.committed")
    await connection.response.create()
    await client.until("response.done")


def session() -> RequestSession:
    """Everything said explicitly: the service's defaults are not made for telephones."""
    return RequestSession(
        modalities=["text", "audio"],
        instructions="You answer the support line of Contoso. Be brief.",
        voice=AzureStandardVoice(name="en-US-AvaMultilingualNeural"),
        input_audio_format="g711_ulaw",
        input_audio_sampling_rate=8000,
        output_audio_format="g711_ulaw",
        turn_detection=ServerVad(threshold=0.5, prefix_padding_ms=400, silence_duration_ms=500, auto_truncate=False),
        input_audio_transcription=AudioInputTranscriptionOptions(model="azure-speech", language="en-US"),
        tools=[
            FunctionTool(
                name="move_delivery",
                description="Moves a delivery to another day.",
                parameters={"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]},
            )
        ],
    )


def step(title: str) -> None:
    """A heading."""
    print(title)


async def main(endpoint: str, model: str) -> None:
    """Connects, converses, closes."""
    key = AzureKeyCredential(os.environ.get("AZURE_VOICELIVE_API_KEY", "emulator"))
    async with connect(endpoint=endpoint, credential=key, model=model) as connection:
        client, microphone = Client(connection), Microphone(connection)
        await client.until("session.created")
        await connection.session.update(session=session())
        await client.until("session.updated")  # audio before that would be taken for the default format
        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(microphone.run())
            await converse(connection, client, microphone)
            sending.cancel()
    step("Closed")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--endpoint", required=True, help="http://127.0.0.1:PORT or https://….services.ai.azure.com")
    arguments.add_argument("--model", default="gpt-4.1")
    options = arguments.parse_args()
    sys.exit(asyncio.run(main(options.endpoint, options.model)))
