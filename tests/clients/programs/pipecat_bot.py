"""A pipeline of Pipecat's with its service for Voice Live, without a transport."""

import asyncio
import json
import os
import sys
from typing import Any

from loguru import logger
from pipecat.adapters.schemas.function_schema import FunctionSchema
from pipecat.adapters.schemas.tools_schema import ToolsSchema
from pipecat.frames.frames import (
    EndFrame,
    Frame,
    InputAudioRawFrame,
    LLMFullResponseEndFrame,
    LLMRunFrame,
    TTSAudioRawFrame,
    TTSTextFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.azure.voice_live.llm import AzureVoiceLiveLLMService

from tests.clients.programs.microphone import RATE_HZ, frames

logger.remove()
logger.add(sys.stderr, level="WARNING")


class Ear(FrameProcessor):  # type: ignore[misc,unused-ignore] # typed where its package is installed
    """Notes what comes out of the service."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.audio_ms = 0
        self.called = False
        self.answered = asyncio.Event()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Note words, audio and the end of an answer."""
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSTextFrame):
            self.words.append(frame.text)
        if isinstance(frame, TTSAudioRawFrame):
            self.audio_ms += round(1000 * len(frame.audio) / 2 / frame.sample_rate)
        if isinstance(frame, LLMFullResponseEndFrame) and self.called and self.audio_ms:
            self.answered.set()
        await self.push_frame(frame, direction)


async def converse() -> dict[str, Any]:
    """Ask, answer the function's call, and hear the reply."""
    calls: list[str] = []
    ear = Ear()
    service = AzureVoiceLiveLLMService(
        endpoint=os.environ["VOICE_LIVE_ENDPOINT"],
        api_key=os.environ["VOICE_LIVE_KEY"],
        settings=AzureVoiceLiveLLMService.Settings(model="gpt-4.1"),
    )

    async def get_weather(params: Any) -> None:
        calls.append(params.function_name)
        ear.words.clear()  # those of the first response, which the context asked for
        ear.audio_ms, ear.called = 0, True
        await params.result_callback({"weather": "sunny", "degrees": 25})

    service.register_function("get_weather", get_weather)
    place = {"location": {"type": "string", "description": "A city."}}
    weather = FunctionSchema("get_weather", "The weather at a location.", place, ["location"])
    context = LLMContext([{"role": "system", "content": "Answer questions."}], ToolsSchema(standard_tools=[weather]))
    pair = LLMContextAggregatorPair(context)
    task = PipelineTask(
        Pipeline([pair.user(), service, ear, pair.assistant()]),
        params=PipelineParams(audio_in_sample_rate=RATE_HZ, audio_out_sample_rate=RATE_HZ),
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(PipelineRunner(handle_sigint=False).run(task))
        await task.queue_frame(LLMRunFrame())
        speaking = group.create_task(_speak(task))
        await ear.answered.wait()
        speaking.cancel()
        await task.queue_frame(EndFrame())
    return {"calls": calls, "words": " ".join(word.strip() for word in ear.words), "audio_ms": ear.audio_ms}


async def _speak(task: Any) -> None:
    await asyncio.sleep(4)  # the first response, which the context asks for, is over
    async for frame in frames():
        await task.queue_frame(InputAudioRawFrame(frame, RATE_HZ, 1))


if __name__ == "__main__":
    print(json.dumps(asyncio.run(converse())))  # noqa: T201 -- read by the runner
