"""The yardstick: a telephone bridge as the SDK's samples write one. It is correct, and does nothing clever.

One phone call on ``/stream/twilio``, one Voice Live session, both relayed until either ends: typed events in, typed
appends out, audio to the phone as its deltas come, ``clear`` when the caller starts to speak.

    python -m bench.plain_bridge PORT
"""

import asyncio
import base64
import json
import os
import sys

from aiohttp import WSMsgType, web
from azure.ai.voicelive.aio import VoiceLiveConnection, connect
from azure.ai.voicelive.models import (
    AudioInputTranscriptionOptions,
    AzureSemanticVad,
    AzureStandardVoice,
    InputAudioFormat,
    Modality,
    OutputAudioFormat,
    RequestSession,
    ServerEventConversationItemInputAudioTranscriptionCompleted,
    ServerEventError,
    ServerEventInputAudioBufferSpeechStarted,
    ServerEventResponseAudioDelta,
    ServerEventSessionUpdated,
)
from azure.core.credentials import AzureKeyCredential


def session() -> RequestSession:
    """Configure the session of every call, with every setting explicit."""
    return RequestSession(
        modalities=[Modality.TEXT, Modality.AUDIO],
        instructions="You take bookings for a restaurant.",
        voice=AzureStandardVoice(name="en-US-AvaMultilingualNeural"),
        input_audio_format=InputAudioFormat.G711_ULAW,
        input_audio_sampling_rate=8000,
        output_audio_format=OutputAudioFormat.G711_ULAW,
        turn_detection=AzureSemanticVad(threshold=0.5, prefix_padding_ms=420, silence_duration_ms=500),
        input_audio_transcription=AudioInputTranscriptionOptions(model="azure-speech", language="en-US"),
    )


async def caller_to_voice_live(phone: web.WebSocketResponse, voice: VoiceLiveConnection) -> None:
    """Relay the caller's audio until the phone hangs up."""
    async for frame in phone:
        if frame.type != WSMsgType.TEXT:
            continue
        message = json.loads(frame.data)
        if message["event"] == "media":
            await voice.input_audio_buffer.append(audio=message["media"]["payload"])
        elif message["event"] == "stop":
            return


async def voice_live_to_caller(voice: VoiceLiveConnection, phone: web.WebSocketResponse, sid: str) -> None:
    """Relay the bot's audio until the session ends; drop the rest of a response that the caller spoke over."""
    is_greeted, speaking, silenced = False, "", ""
    async for event in voice:
        if isinstance(event, ServerEventResponseAudioDelta):
            if event.response_id == silenced:
                continue
            speaking = event.response_id
            payload = base64.b64encode(event.delta).decode()
            await phone.send_json({"event": "media", "streamSid": sid, "media": {"payload": payload}})
        elif isinstance(event, ServerEventInputAudioBufferSpeechStarted):
            silenced = speaking
            await phone.send_json({"event": "clear", "streamSid": sid})
        elif isinstance(event, ServerEventSessionUpdated) and not is_greeted:
            is_greeted = True
            await voice.response.create()
        elif isinstance(event, ServerEventConversationItemInputAudioTranscriptionCompleted):
            event.transcript  # noqa: B018 -- where a sample would show it
        elif isinstance(event, ServerEventError):
            print(event.error.message, file=sys.stderr)


async def stream(request: web.Request) -> web.WebSocketResponse:
    """Relay one call from its start to its end."""
    phone = web.WebSocketResponse()
    await phone.prepare(request)
    sid = ""
    async for frame in phone:
        message = json.loads(frame.data)
        if message["event"] == "start":
            sid = message["start"]["streamSid"]
            break
    async with connect(
        endpoint=os.environ["AZURE_VOICELIVE_ENDPOINT"],
        credential=AzureKeyCredential(os.environ["AZURE_VOICELIVE_API_KEY"]),
        model="gpt-4.1",
    ) as voice:
        await voice.session.update(session=session())
        async with asyncio.TaskGroup() as call:
            down = call.create_task(voice_live_to_caller(voice, phone, sid))
            await caller_to_voice_live(phone, voice)
            down.cancel()
    await phone.close()
    return phone


def main() -> None:
    """Serve on 127.0.0.1 until a signal ends it."""
    app = web.Application()
    app.router.add_get("/stream/twilio", stream)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)


if __name__ == "__main__":
    main()
