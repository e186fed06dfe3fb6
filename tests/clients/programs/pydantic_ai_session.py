"""A real-time session of an agent of pydantic-ai's."""

import asyncio
import json
import os
from typing import Any

from pydantic_ai import Agent
from pydantic_ai.realtime import RealtimeTurnCompleteEvent
from pydantic_ai.realtime.azure import AzureRealtimeModel, AzureRealtimeModelSettings

from tests.clients.programs.microphone import RATE_HZ, frames

os.environ["AZURE_VOICELIVE_ENDPOINT"] = os.environ["VOICE_LIVE_ENDPOINT"]
os.environ["AZURE_VOICELIVE_API_KEY"] = os.environ["VOICE_LIVE_KEY"]
os.environ["AZURE_VOICELIVE_API_VERSION"] = "2026-07-15"
agent = Agent(instructions="Answer questions about the weather.")
calls: list[str] = []


@agent.tool_plain  # type: ignore[untyped-decorator,unused-ignore] # typed where its package is installed
def get_weather(location: str) -> str:
    """Return the weather at a location."""
    calls.append("get_weather")
    return f"sunny in {location}, 25 degrees"


async def converse() -> dict[str, Any]:
    """Ask, answer the function's call, and hear the reply."""
    settings = AzureRealtimeModelSettings(
        azure_voice_live=True, azure_voice_live_voice="en-US-AvaNeural", input_transcription_model="azure-speech"
    )
    words = ""
    heard = 0
    async with agent.realtime(AzureRealtimeModel("gpt-4.1", settings=settings)).session() as session:

        async def listen() -> None:
            nonlocal heard
            async for audio in session.stream_audio():
                heard += len(audio)

        async def read() -> None:
            nonlocal words
            async for update in session.stream_transcripts(delta=True):
                words += update.delta if update.speaker == "assistant" else ""

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in (session.send_audio(frames()), listen(), read())]
            async for event in session:
                if isinstance(event, RealtimeTurnCompleteEvent) and heard:
                    break
            for task in tasks:
                task.cancel()
    return {"calls": calls, "words": words, "audio_ms": round(1000 * heard / 2 / RATE_HZ)}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(converse())))  # noqa: T201 -- read by the runner
