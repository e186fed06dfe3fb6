"""The caller speaks over the answer: playback stops, and the service learns how much of it was heard."""

import asyncio
import base64
import time

from azure.ai.voicelive.aio import connect
from azure.ai.voicelive.models import RequestSession, ServerVad
from common import credential, frames, recording, run, until, words

SESSION = RequestSession(
    instructions="Answer at length.",
    input_audio_format="g711_ulaw",
    output_audio_format="g711_ulaw",
    turn_detection=ServerVad(silence_duration_ms=500, auto_truncate=False),
)
BYTES_PER_MS = 8


async def main(endpoint: str, model: str) -> None:
    """Hear a second of an answer, and talk over it."""
    async with connect(endpoint=endpoint, credential=credential(endpoint), model=model) as connection:
        await connection.session.update(session=SESSION)
        await until(connection, "session.updated")
        await connection.response.create()
        first = await until(connection, "response.audio.delta", show=words)
        began = time.monotonic()
        received = len(first.delta)

        def count(event: object) -> None:
            nonlocal received
            words(event)
            if getattr(event, "type", "") == "response.audio.delta":
                received += len(event.delta)  # type: ignore[attr-defined] # an event of audio

        async def speak() -> None:
            await asyncio.sleep(1)
            async for frame in frames(recording("change_delivery")):
                await connection.input_audio_buffer.append(audio=base64.b64encode(frame).decode())

        async with asyncio.TaskGroup() as group:
            group.create_task(speak())
            await until(connection, "input_audio_buffer.speech_started", show=count)
            heard_ms = min(received // BYTES_PER_MS, int((time.monotonic() - began) * 1000))
            await connection.conversation.item.truncate(
                item_id=first.item_id, content_index=0, audio_end_ms=heard_ms
            )  # a player would drop what it has not played yet
            await until(connection, "conversation.item.truncated", show=count)
            print(f"heard {heard_ms} ms of {received // BYTES_PER_MS} ms")
            await until(connection, "response.done", show=count)


if __name__ == "__main__":
    run(main, __doc__)
