"""A session of LiveKit's plug-in, without a room."""

import asyncio
import json
import os
from typing import Any

from livekit import rtc
from livekit.agents import function_tool, llm
from livekit.plugins.azure.realtime import RealtimeModel

from tests.clients.programs.microphone import RATE_HZ, SAMPLES, frames


@function_tool  # type: ignore[untyped-decorator,unused-ignore] # typed where its package is installed
async def get_weather(location: str) -> str:
    """Return the weather at a location."""
    return f"sunny in {location}, 25 degrees"


async def converse() -> dict[str, Any]:
    """Ask, answer the function's call, and hear the reply."""
    model = RealtimeModel(
        endpoint=os.environ["VOICE_LIVE_ENDPOINT"],
        api_key=os.environ["VOICE_LIVE_KEY"],
        model="gpt-4.1",
        voice="en-US-AvaNeural",
    )
    session = model.session()
    generations: asyncio.Queue[llm.GenerationCreatedEvent] = asyncio.Queue()
    session.on("generation_created", generations.put_nowait)
    errors: list[str] = []
    session.on("error", lambda event: errors.append(str(event.error)))
    met: dict[str, Any] = {"calls": [], "words": "", "audio_ms": 0, "errors": errors}
    await session.update_instructions("Answer questions about the weather.")
    await session.update_tools([get_weather])
    async with asyncio.TaskGroup() as group:
        speaking = group.create_task(_speak(session))
        await _hear(session, await generations.get(), met)
        await _hear(session, await generations.get(), met)
        speaking.cancel()
    await session.aclose()
    await model.aclose()
    return met


async def _speak(session: Any) -> None:
    async for frame in frames():
        session.push_audio(rtc.AudioFrame(frame, RATE_HZ, 1, SAMPLES))


async def _hear(session: Any, generation: Any, met: dict[str, Any]) -> None:
    async def audio(message: Any) -> None:
        async for frame in message.audio_stream:
            met["audio_ms"] += round(1000 * frame.samples_per_channel / frame.sample_rate)

    async for message in generation.message_stream:
        async with asyncio.TaskGroup() as group:
            group.create_task(audio(message))
            async for text in message.text_stream:
                met["words"] += text
    async for call in generation.function_stream:
        met["calls"].append(call.name)
        context = session.chat_ctx.copy()
        output = await get_weather(**json.loads(call.arguments))
        context.items.append(
            llm.FunctionCallOutput(name=call.name, call_id=call.call_id, output=output, is_error=False)
        )
        await session.update_chat_ctx(context)
        session.generate_reply()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(converse())))  # noqa: T201 -- read by the runner
