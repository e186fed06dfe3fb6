"""A recorded question in, the spoken answer out: `answer.wav`, 16 bits at 24 kHz."""

import asyncio
import base64
import wave

from azure.ai.voicelive.aio import connect
from azure.ai.voicelive.models import (
    AudioInputTranscriptionOptions,
    AzureSemanticVad,
    AzureStandardVoice,
    RequestSession,
)
from common import credential, frames, recording, run, until, words

ANSWER = "answer.wav"
SESSION = RequestSession(
    instructions="Be brief.",
    voice=AzureStandardVoice(name="en-US-AvaNeural"),
    input_audio_format="g711_ulaw",
    output_audio_format="pcm16",
    turn_detection=AzureSemanticVad(silence_duration_ms=500),
    input_audio_transcription=AudioInputTranscriptionOptions(model="azure-speech"),
)


async def main(endpoint: str, model: str) -> None:
    """Send the question as a microphone would, and keep what comes back."""
    answer = bytearray()

    def keep(event: object) -> None:
        words(event)
        if getattr(event, "type", "") == "response.audio.delta":
            answer.extend(event.delta)  # type: ignore[attr-defined] # an event of audio

    async with connect(endpoint=endpoint, credential=credential(endpoint), model=model) as connection:
        await connection.session.update(session=SESSION)
        await until(connection, "session.updated")  # audio before that is taken for the default format

        async def speak() -> None:
            async for frame in frames(recording("order_status")):
                await connection.input_audio_buffer.append(audio=base64.b64encode(frame).decode())

        async with asyncio.TaskGroup() as group:
            group.create_task(speak())
            await until(connection, "response.done", show=keep)
    with wave.open(ANSWER, "wb") as file:
        file.setparams((1, 2, 24_000, 0, "NONE", ""))
        file.writeframes(bytes(answer))
    print(f"{ANSWER}: {len(answer) / 48_000:.1f} s")


if __name__ == "__main__":
    run(main, __doc__)
