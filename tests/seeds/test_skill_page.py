"""The snippets of the skill page *azure-ai-voicelive-py* (Microsoft), retyped from what they do, against the emulator.

Each test is one snippet and ends as the page says. Where the SDK itself (azure-ai-voicelive 1.3.1) differs from its
page, the test says so, and what works instead.
"""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from azure.ai.voicelive.aio import ConnectionClosed, ConnectionError, VoiceLiveConnection, connect  # noqa: A004 -- its name
from azure.ai.voicelive.models import (
    AzureCustomVoice,
    AzurePersonalVoice,
    AzureStandardVoice,
    FunctionCallOutputItem,
    FunctionTool,
    InputTextContentPart,
    RequestSession,
    SystemMessageItem,
    UserMessageItem,
)
from azure.core.credentials import AccessToken, AzureKeyCredential

from gateway.audio.formats import PCMU
from gateway.audio.g711 import decode
from gateway.audio.resample import resample
from gateway.sim.emulator import Emulator, Script, Session
from tests.sim.emulator.wire import caller, quick, scripted

MODEL = "gpt-4o-realtime-preview"
SCOPE = "https://cognitiveservices.azure.com/.default"
VOICES = ("alloy", "echo", "shimmer", "sage", "coral", "ash", "ballad", "verse")
WEATHER = {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]}
SECOND = bytes(48_000)
ERROR = {"type": "error", "error": {"type": "server_error", "code": "odd", "message": "Something is wrong."}}


class TokenCredential:
    """Stands in for the page's DefaultAzureCredential, which would go to the network."""

    def __init__(self) -> None:
        self.scopes: list[str] = []
        self.is_closed = False

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        """A token that the emulator takes."""
        self.scopes += scopes
        return AccessToken("token", 4_000_000_000)

    async def close(self) -> None:
        """Note it."""
        self.is_closed = True

    async def __aenter__(self) -> "TokenCredential":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


@asynccontextmanager
async def connected(script: Script, **options: Any) -> AsyncIterator[tuple[VoiceLiveConnection, Session]]:
    """A connection as the page makes it with a key, and the session as the emulator sees it."""
    async with (
        asyncio.timeout(30),
        Emulator(script) as emulator,
        connect(endpoint=emulator.endpoint, credential=AzureKeyCredential("key"), model=MODEL, **options) as connection,
    ):
        yield connection, await emulator.session()


async def until(connection: VoiceLiveConnection, kind: str) -> Any:
    """The next event of a type."""
    while True:
        event = await connection.recv()
        if event.type == kind:
            return event


def microphone() -> str:
    """A recorded question and the silence behind it, 24 kHz, as base64."""
    spoken = resample(decode(caller("order_status"), PCMU), 8000, 24_000).tobytes()
    return base64.b64encode(spoken + SECOND).decode()


# Authentication, lifecycle


async def test_a_token_credential() -> None:
    """The scope is the one that was asked for; the credential is closed with its context."""
    async with (
        Emulator(quick()) as emulator,
        TokenCredential() as credential,
        connect(
            endpoint=emulator.endpoint,
            credential=credential,
            model=MODEL,
            credential_scopes=[SCOPE],
        ) as connection,
    ):
        assert (await connection.recv()).type == "session.created"
    assert credential.scopes == [SCOPE]
    assert credential.is_closed


async def test_a_key() -> None:
    """The session begins by itself."""
    async with connected(quick()) as (connection, session):
        assert (await connection.recv()).type == "session.created"
        assert session.model == MODEL


# Quick start


async def test_the_quick_start() -> None:
    """Its loop ends with a response. As written nothing asks for one, so here the caller speaks as well."""
    seen: list[str] = []
    transcripts: list[str] = []
    async with connected(quick()) as (connection, session):
        settings = {"instructions": "You are a helpful assistant.", "modalities": ["text", "audio"], "voice": "alloy"}
        await connection.session.update(session=settings)
        await connection.input_audio_buffer.append(audio=microphone())
        async for event in connection:
            seen.append(str(event.type))
            if event.type == "response.audio_transcript.done":
                transcripts.append(event["transcript"])
            elif event.type == "response.done":
                break
        assert session.violations == []
    assert seen[:2] == ["session.created", "session.updated"]
    assert transcripts[0].startswith("I can help with that.")


# Core architecture


async def test_the_resources_of_a_connection() -> None:
    """Every resource of the page's table has the methods that stand there."""
    methods = {
        "session": ("update",),
        "response": ("create", "cancel"),
        "input_audio_buffer": ("append", "commit", "clear"),
        "output_audio_buffer": ("clear",),
        "conversation.item": ("create", "delete", "truncate"),
        "transcription_session": ("update",),
    }
    async with connected(quick()) as (connection, _):
        for path, names in methods.items():
            resource: Any = connection
            for part in path.split("."):
                resource = getattr(resource, part)
            assert all(callable(getattr(resource, name)) for name in names), path


async def test_the_session_configuration() -> None:
    """All of it is accepted; ``type`` of a FunctionTool may be written out."""
    async with connected(quick()) as (connection, session):
        tool = FunctionTool(type="function", name="get_weather", description="Get the weather", parameters=WEATHER)  # type: ignore[call-overload]  # the page writes it out
        await connection.session.update(
            session=RequestSession(
                instructions="You are a helpful voice assistant.",
                modalities=["text", "audio"],
                voice="alloy",
                input_audio_format="pcm16",
                output_audio_format="pcm16",
                turn_detection={
                    "type": "server_vad",
                    "threshold": 0.5,
                    "prefix_padding_ms": 300,
                    "silence_duration_ms": 500,
                },
                tools=[tool],
            )
        )
        updated = await until(connection, "session.updated")
        assert updated.session.tools[0].name == "get_weather"
        assert session.session["turn_detection"]["prefix_padding_ms"] == 300
        assert session.violations == []


# Audio


async def test_sending_and_receiving_audio() -> None:
    """``delta`` of the SDK is bytes already: the page's ``b64decode`` of it is one step too many."""
    played = b""
    async with connected(quick()) as (connection, session):
        await connection.input_audio_buffer.append(audio=microphone())
        async for event in connection:
            if event.type == "response.audio.delta":
                assert isinstance(event.delta, bytes)  # type: ignore[attr-defined]  # of this kind of event
                assert base64.b64decode(event["delta"]) == event.delta  # type: ignore[attr-defined]  # the same
                played += event.delta  # type: ignore[attr-defined]  # the same
            elif event.type == "response.audio.done":
                break
        assert session.appended_bytes > len(SECOND)
    assert len(played) > 24_000


async def test_the_event_handling() -> None:
    """Every branch of the page's match is taken in one call. Its dict as an item raises ``TypeError`` in the SDK."""
    turn = {
        "heard": "How is the weather?",
        "say": "Let me look.",
        "call": {"name": "get_weather"},
        "after_call": "Sunny.",
    }
    script = scripted(turn, faults={"send": [{"at": "session.updated", "event": ERROR}]})
    taken: dict[str, Any] = {}
    async with connected(script) as (connection, session):
        tools = [{"type": "function", "name": "get_weather", "parameters": WEATHER}]
        whisper = {"model": "whisper-1"}
        await connection.session.update(session={"tools": tools, "input_audio_transcription": whisper})
        await connection.input_audio_buffer.append(audio=microphone())
        async for event in connection:
            match event.type:
                case "session.created":
                    taken[event.type] = event["session"]["id"]
                case "input_audio_buffer.speech_started" | "input_audio_buffer.speech_stopped":
                    taken[event.type] = event.get("audio_start_ms") or event.get("audio_end_ms")
                case "conversation.item.input_audio_transcription.completed":
                    taken[event.type] = event["transcript"]
                case "conversation.item.input_audio_transcription.delta" | "response.audio_transcript.delta":
                    taken[event.type] = taken.get(event.type, "") + event["delta"]
                case "response.created":
                    taken[event.type] = event["response"]["id"]
                case "response.done":
                    taken[event.type] = event["response"]["status"]
                    if taken.get("called"):
                        await connection.response.create()
                        taken["called"] = False
                    elif "called" in taken:
                        break
                case "response.function_call_arguments.done":
                    output = {"type": "function_call_output", "call_id": event["call_id"], "output": "{}"}
                    with pytest.raises(TypeError):
                        await connection.conversation.item.create(item=output)
                    item = FunctionCallOutputItem(call_id=event["call_id"], output="{}")
                    await connection.conversation.item.create(item=item)
                    taken["called"] = event["name"]
                case "session.updated" | "error":
                    taken[event.type] = event.get("error", {}).get("message", "")
        assert session.violations == []
    assert taken["conversation.item.input_audio_transcription.completed"] == "How is the weather?"
    assert taken["conversation.item.input_audio_transcription.delta"] == "How is the weather?"
    assert taken["response.audio_transcript.delta"] == "Let me look.Sunny."
    assert taken["input_audio_buffer.speech_stopped"] > taken["input_audio_buffer.speech_started"]
    assert (taken["response.done"], taken["error"]) == ("completed", "Something is wrong.")


# Common patterns


async def test_manual_turns() -> None:
    """Without turn detection a commit ends the turn, and a response comes when it is asked for."""
    async with connected(quick()) as (connection, session):
        await connection.session.update(session={"turn_detection": None})
        await connection.input_audio_buffer.append(audio=base64.b64encode(SECOND).decode())
        await connection.input_audio_buffer.commit()
        await connection.response.create()
        done = await until(connection, "response.done")
        assert done.response.status == "completed"
        assert session.session["turn_detection"] is None
        assert session.violations == []


async def test_an_interruption() -> None:
    """The caller speaks over an answer: the service cancels it, so the page's own cancel comes too late."""
    script = scripted({"say": "A long answer, and more of it, and more. " * 8}, vad="scripted", pace=1)
    async with connected(script) as (connection, session):
        await connection.response.create()
        await until(connection, "response.audio.delta")
        await session.speech_started()
        async for event in connection:
            if event.type == "input_audio_buffer.speech_started":
                await connection.response.cancel()
                await connection.output_audio_buffer.clear()
            elif event.type == "response.done":
                assert event["response"]["status"] == "cancelled"
                break
        await session.until(lambda one: one.received[-1].type == "output_audio_buffer.clear")


async def test_a_conversation_history() -> None:
    """A system and a user message before the first response. The page's dicts raise ``TypeError``; models do not."""
    system = SystemMessageItem(content=[InputTextContentPart(text="Be concise.")])
    user = UserMessageItem(content=[InputTextContentPart(text="Hello!")])
    async with connected(quick()) as (connection, session):
        written = {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "Be concise."}]}
        with pytest.raises(TypeError):
            await connection.conversation.item.create(item=written)
        await connection.conversation.item.create(item=system)
        await connection.conversation.item.create(item=user)
        await connection.response.create()
        assert (await until(connection, "response.done")).response.status == "completed"
        assert [item["role"] for item in session.items] == ["system", "user", "assistant"]
        deleted = str(session.items[0]["id"])
        await connection.conversation.item.delete(item_id=deleted)
        assert (await until(connection, "conversation.item.deleted")).item_id == deleted


# Voices, formats, turn detection


@pytest.mark.parametrize(
    "voice",
    [
        *VOICES,
        AzureStandardVoice(name="en-US-AvaMultilingualNeural"),
        AzureCustomVoice(name="mine", endpoint_id="1"),
        AzurePersonalVoice(name="speaker", model="DragonLatestNeural"),
    ],
    ids=str,
)
async def test_the_voices(voice: Any) -> None:
    """The eight of the table, and a model of each type of Azure's voices."""
    async with connected(quick()) as (connection, session):
        await connection.session.update(session=RequestSession(voice=voice))
        await until(connection, "session.updated")
        assert session.session["voice"]["name"] == (voice if isinstance(voice, str) else voice.name)


@pytest.mark.parametrize("name", ["pcm16", "pcm16-8000hz", "pcm16-16000hz", "g711_ulaw", "g711_alaw"])
async def test_the_audio_formats(name: str) -> None:
    """By the page's names. Those with a hyphen are of the previews: newer versions have an underscore."""
    voice = AzureStandardVoice(name="en-US-AvaMultilingualNeural")
    version = "2025-05-01-preview" if "-" in name else "2026-07-15"
    async with connected(quick(), api_version=version) as (connection, session):
        await connection.session.update(session=RequestSession(output_audio_format=name, voice=voice))
        await until(connection, "session.updated")
        await connection.response.create()
        assert (await until(connection, "response.done")).response.status == "completed"
        assert session.violations == []


async def test_an_old_name_of_a_format() -> None:
    """The SDK's own version is the newest: it passes the old spelling on, and the service refuses it."""
    async with connected(quick()) as (connection, _):
        await connection.session.update(session=RequestSession(output_audio_format="pcm16-8000hz"))
        assert (await until(connection, "error")).error.param == "session.output_audio_format"


@pytest.mark.parametrize(
    "detection",
    [
        {"type": "server_vad", "threshold": 0.5, "silence_duration_ms": 500},
        {"type": "azure_semantic_vad"},
        {"type": "azure_semantic_vad_en"},
        {"type": "azure_semantic_vad_multilingual"},
    ],
    ids=lambda detection: detection["type"],
)
async def test_the_turn_detections(detection: dict[str, Any]) -> None:
    """Each of them hears a question and has it answered."""
    async with connected(quick()) as (connection, session):
        await connection.session.update(session={"turn_detection": detection})
        await connection.input_audio_buffer.append(audio=microphone())
        assert (await until(connection, "response.done")).response.status == "completed"
        assert session.violations == []


# Errors


async def test_an_error_event() -> None:
    """Code and message; the session goes on."""
    async with connected(quick()) as (connection, _):
        await connection.session.update(session={"voice": "nobody"})
        error = (await until(connection, "error")).error
        assert (error.code, "nobody" in error.message) == ("invalid_value", True)
        await connection.session.update(session={"voice": "alloy"})
        await until(connection, "session.updated")


async def test_a_connection_that_is_closed() -> None:
    """``recv`` raises ``ConnectionClosed``. The page's ``async for`` ends without a word, and the reason is lost."""
    cut = {"at": "session.updated", "code": 4000, "reason": "session over"}
    async with connected(scripted({"say": "A"}, faults={"cut": cut})) as (connection, _):
        await connection.session.update(session={})
        seen = [str(event.type) async for event in connection]
        assert seen == ["session.created", "session.updated"]
        with pytest.raises(ConnectionClosed) as closed:
            await connection.recv()
        assert closed.value.reason != "session over"


async def test_a_connection_that_is_refused() -> None:
    """``ConnectionError``, before any event."""
    async with Emulator(scripted({"say": "A"}, faults={"handshake": {"status": 401}})) as emulator:
        with pytest.raises(ConnectionError, match="401"):
            async with connect(endpoint=emulator.endpoint, credential=AzureKeyCredential("k"), model=MODEL):
                pass
