"""The official SDK, with its typed models, against the emulator."""

import asyncio
import base64
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from azure.ai.voicelive.aio import ConnectionClosed, ConnectionError, VoiceLiveConnection, connect  # noqa: A004 -- its name
from azure.ai.voicelive.models import (
    AssistantMessageItem,
    AudioInputTranscriptionOptions,
    AzureSemanticVad,
    AzureStandardVoice,
    FunctionCallOutputItem,
    FunctionTool,
    InputTextContentPart,
    MCPApprovalResponseRequestItem,
    MCPServer,
    OpenAIVoice,
    OutputTextContentPart,
    RequestSession,
    ResponseCreateParams,
    ServerEvent,
    ServerEventResponseAudioDelta,
    ServerEventSessionUpdated,
    ServerVad,
    SystemMessageItem,
    UserMessageItem,
)
from azure.core.credentials import AccessToken, AzureKeyCredential

from gateway.audio.formats import PCMU
from gateway.sim.emulator import Emulator, Script
from gateway.sim.emulator.script import Latency
from gateway.sim.speech import speak
from tests.sim.emulator.wire import SILENCE_S, caller, scripted

KEY = AzureKeyCredential("emulator")


class Reader:
    """Typed events of one connection, all of them kept."""

    def __init__(self, connection: VoiceLiveConnection) -> None:
        self._connection = connection
        self.events: list[Any] = []

    async def until(self, event_type: str) -> Any:
        """Reads on to an event of this type."""
        async with asyncio.timeout(30):
            while True:
                event: ServerEvent = await self._connection.recv()
                self.events.append(event)
                if event.type == event_type:
                    return event

    def audio_of(self, item_id: str) -> bytes:
        """All audio of an item."""
        deltas = (event for event in self.events if isinstance(event, ServerEventResponseAudioDelta))
        return b"".join(event.delta for event in deltas if event.item_id == item_id)


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    """Real time for the second answer, so that there is something to interrupt."""
    script = Script.model_validate(
        {
            **Script.default().model_dump(exclude={"turns", "latency_ms"}),
            "turns": [
                {"heard": "Where is it?", "say": Script.default().turns[0].say},
                {
                    "heard": "Can you change it?",
                    "call": {"name": "move_delivery", "arguments": {"day": "Friday"}},
                    "after_call": "Of course. I have moved the delivery to Friday morning. Is there anything else?",
                },
                {"heard": "No.", "say": "You are welcome. Goodbye."},
            ],
            "latency_ms": Latency.none(),
            "pace": 4,
        }
    )
    async with Emulator(script, keep_audio=True) as emulator:
        yield emulator


def telephone() -> RequestSession:
    """A telephone's session."""
    return RequestSession(
        modalities=["text", "audio"],
        instructions="Be brief.",
        voice=AzureStandardVoice(name="en-US-AvaMultilingualNeural"),
        input_audio_format="g711_ulaw",
        input_audio_sampling_rate=8000,
        output_audio_format="g711_ulaw",
        turn_detection=ServerVad(threshold=0.5, prefix_padding_ms=400, silence_duration_ms=500),
        input_audio_transcription=AudioInputTranscriptionOptions(model="azure-speech", language="en-US"),
        tools=[FunctionTool(name="move_delivery", parameters={"type": "object", "properties": {}})],
    )


async def test_a_whole_call(emulator: Emulator) -> None:
    """Connect, update, append, greeting, VAD turn, barge-in, function call, manual turn, close: in the right order."""
    async with connect(endpoint=emulator.endpoint, credential=KEY, model="gpt-4.1") as connection:
        reader = Reader(connection)
        created = await reader.until("session.created")
        assert created.session.model == "gpt-4.1"
        await connection.session.update(session=telephone())
        updated = await reader.until("session.updated")
        assert isinstance(updated, ServerEventSessionUpdated)
        assert updated.session.output_audio_format == "g711_ulaw"
        assert updated.session.expires_at is not None
        assert updated.session.expires_at.tzinfo is not None

        await connection.response.create()
        greeting = (await reader.until("response.done")).response
        assert reader.audio_of(greeting.output[0].id) == speak(Script.default().greeting, PCMU)

        await speak_to(connection, "order_status")
        transcript = await reader.until("conversation.item.input_audio_transcription.completed")
        assert transcript.transcript == "Where is it?"
        delta = await reader.until("response.audio.delta")

        await speak_to(connection, "change_delivery")
        await reader.until("input_audio_buffer.speech_started")
        cancelled = (await reader.until("response.done")).response
        assert (cancelled.status, cancelled.status_details.reason) == ("cancelled", "turn_detected")
        await connection.conversation.item.truncate(item_id=delta.item_id, content_index=0, audio_end_ms=150)
        truncated = await reader.until("conversation.item.truncated")
        assert (truncated.item_id, truncated.audio_end_ms) == (delta.item_id, 150)

        call = await reader.until("response.function_call_arguments.done")
        assert (call.name, json.loads(call.arguments)) == ("move_delivery", {"day": "Friday"})
        await connection.conversation.item.create(item=FunctionCallOutputItem(call_id=call.call_id, output="{}"))
        await reader.until("response.done")
        await connection.response.create()
        moved = (await reader.until("response.done")).response
        assert moved.output[0].content[0].transcript.startswith("Of course.")
        assert moved.usage.output_token_details.audio_tokens > 80

        await connection.session.update(session=RequestSession(turn_detection=None))
        await reader.until("session.updated")
        await speak_to(connection, "goodbye")
        await connection.input_audio_buffer.commit()
        await reader.until("input_audio_buffer.committed")
        await connection.response.create()
        farewell = (await reader.until("response.done")).response
        assert farewell.output[0].content[0].transcript == "You are welcome. Goodbye."

    session = await emulator.session()
    await session.closed.wait()
    assert session.close_code == 1000
    assert session.updates[0]["instructions"] == "Be brief."
    assert "AvaMultilingual" in session.session["voice"]["name"]
    assert caller("goodbye") in session.input_audio
    emulator.check()


async def speak_to(connection: VoiceLiveConnection, name: str) -> None:
    """Appends a recording and a second of silence, in frames of 20 ms, faster than real time."""
    audio = caller(name) + SILENCE_S
    for start in range(0, len(audio), 160):
        await connection.input_audio_buffer.append(audio=base64.b64encode(audio[start : start + 160]).decode())


async def test_a_native_session_through_the_sdk(emulator: Emulator) -> None:
    """OpenAI's voice, a semantic VAD of Azure's, a typed turn."""
    session = RequestSession(
        voice=OpenAIVoice(name="marin"),
        turn_detection=AzureSemanticVad(silence_duration_ms=400, remove_filler_words=True),
        input_audio_transcription=AudioInputTranscriptionOptions(model="azure-speech"),
    )
    async with connect(endpoint=emulator.endpoint, credential=KEY, model="gpt-realtime") as connection:
        reader = Reader(connection)
        await connection.session.update(session=session)
        updated = await reader.until("session.updated")
        assert updated.session.voice["name"] == "marin"
        assert updated.session.turn_detection.remove_filler_words is True
        await connection.conversation.item.create(item=UserMessageItem(content=[InputTextContentPart(text="Hi")]))
        await connection.response.create(response=ResponseCreateParams(modalities=["text"]))
        done = (await reader.until("response.done")).response
        assert done.output[0].content[0].text == Script.default().turns[0].say
    emulator.check()


async def test_an_mcp_call_with_approval_through_the_sdk() -> None:
    """Tools listed, approval asked and given, the call's events and its output: all of them typed."""
    call = {"server_label": "crm", "name": "get_customer", "arguments": {"id": 7}, "output": "Ana"}
    tools = [MCPServer(server_label="crm", server_url="https://crm.example.com/", allowed_tools=["get_customer"])]
    script = scripted({"mcp": call, "after_call": "You are Ana."})
    async with (
        Emulator(script) as emulator,
        connect(endpoint=emulator.endpoint, credential=KEY, model="gpt-4.1") as connection,
    ):
        reader = Reader(connection)
        await connection.session.update(session=RequestSession(tools=tools))
        listing = (await reader.until("conversation.item.created")).item
        assert (listing.type, listing.server_label) == ("mcp_list_tools", "crm")
        assert (await reader.until("mcp_list_tools.completed")).item_id == listing.id
        await connection.conversation.item.create(
            item=UserMessageItem(content=[InputTextContentPart(text="Who am I?")])
        )
        await connection.response.create()
        (asked,) = (await reader.until("response.done")).response.output
        assert (asked.type, asked.server_label, asked.name) == ("mcp_approval_request", "crm", "get_customer")
        await connection.conversation.item.create(
            item=MCPApprovalResponseRequestItem(approval_request_id=asked.id, approve=True)
        )
        arguments = await reader.until("response.mcp_call_arguments.done")
        assert json.loads(arguments.arguments) == {"id": 7}
        ended = await reader.until("response.mcp_call.completed")
        made = (await reader.until("response.output_item.done")).item
        assert (made.id, made.type, made.output) == (ended.item_id, "mcp_call", "Ana")
        await connection.response.create()
        spoken = (await reader.until("response.done")).response
        assert spoken.output[0].content[0].transcript == "You are Ana."
        emulator.check()


async def test_what_others_said_can_be_put_into_the_conversation(emulator: Emulator) -> None:
    """System and assistant messages are items like a user's, and no turn of the script."""
    async with connect(endpoint=emulator.endpoint, credential=KEY, model="gpt-4.1") as connection:
        reader = Reader(connection)
        system = SystemMessageItem(content=[InputTextContentPart(text="The caller is Ana.")])
        assistant = AssistantMessageItem(content=[OutputTextContentPart(text="This call is recorded.")])
        for item in (system, assistant):
            await connection.conversation.item.create(item=item)
            created = (await reader.until("conversation.item.created")).item
            assert (created.type, created.role) == ("message", item.role)
            assert created.content[0].text == item["content"][0]["text"]
        await connection.response.create(response=ResponseCreateParams(modalities=["text"]))
        done = (await reader.until("response.done")).response
        assert done.output[0].content[0].text == Script.default().greeting
    session = await emulator.session()
    assert [item["role"] for item in session.items] == ["system", "assistant", "assistant"]
    emulator.check()


class _Token:
    """An Entra credential."""

    async def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        """A token that nobody checks."""
        return AccessToken("token", 2_000_000_000)

    async def close(self) -> None:
        """Nothing is open."""

    async def __aenter__(self) -> "_Token":
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is open."""


async def test_an_agent_through_the_sdk(emulator: Emulator) -> None:
    """Named in the query and in the session, with its conversation; what it owns cannot be overridden."""
    async with connect(
        endpoint=emulator.endpoint,
        credential=_Token(),
        agent_name="concierge",
        project_name="hotel",
        conversation_id="conv_7",
    ) as connection:
        reader = Reader(connection)
        agent = (await reader.until("session.created")).session.agent
        assert (agent.name, agent.thread_id) == ("concierge", "conv_7")
        await connection.session.update(session=RequestSession(instructions="Be rude."))
        assert "Overriding instructions" in (await reader.until("error")).error.message
        await connection.session.update(session=RequestSession(voice=AzureStandardVoice(name="de-DE-KatjaNeural")))
        await reader.until("session.updated")
    session = await emulator.session()
    assert (session.query["agent-name"], session.query["agent-project-name"]) == ("concierge", "hotel")


async def test_what_the_sdk_sees_of_faults() -> None:
    """Unknown events are passed through, a close shows its code, a refused handshake its status."""
    faults = {
        "send": [{"at": "session.created", "event": {"type": "rate_limits.updated", "rate_limits": []}}],
        "cut": {"at": "response.created", "code": 4000, "reason": "over"},
    }
    async with (
        Emulator(scripted({"say": "A"}, faults=faults)) as emulator,
        connect(endpoint=emulator.endpoint, credential=KEY, model="gpt-4.1") as connection,
    ):
        reader = Reader(connection)
        await reader.until("rate_limits.updated")
        await connection.response.create()
        with pytest.raises(ConnectionClosed) as caught:
            await reader.until("response.done")
        assert caught.value.code == 4000
    async with Emulator(scripted({"say": "A"}), api_key="right") as emulator:
        with pytest.raises(ConnectionError, match="401"):
            await connect(endpoint=emulator.endpoint, credential=KEY, model="gpt-4.1").__aenter__()


async def test_an_error_carries_the_clients_event_id(emulator: Emulator) -> None:
    """The SDK's typed error event names code and event."""
    async with connect(endpoint=emulator.endpoint, credential=KEY, model="gpt-4.1") as connection:
        reader = Reader(connection)
        await connection.input_audio_buffer.commit(event_id="e7")
        error = (await reader.until("error")).error
        assert (error.code, error.event_id) == ("input_audio_buffer_commit_empty", "e7")


async def test_the_example_completes() -> None:
    """``examples/sdk_client.py`` leads its whole conversation with the default dialogue and ends with 0."""
    example = Path(__file__).parents[3] / "examples" / "sdk_client.py"
    script = Script.default().model_copy(update={"latency_ms": Latency.none()})
    async with Emulator(script) as emulator:
        command = [sys.executable, str(example), "--endpoint", emulator.endpoint]
        ran = await asyncio.to_thread(_run, command)
        assert ran.returncode == 0, ran.stderr
        emulator.check()
    for line in ("Greeting", "move_delivery(", "bot: You are welcome. Goodbye.", "Closed"):
        assert line in ran.stdout


def _run(command: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)  # noqa: S603 -- our example
