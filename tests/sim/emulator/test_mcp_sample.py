"""The conversation that Microsoft's sample of MCP holds, through the SDK: it waits for events in an order of its own.

Retyped from what the sample does: behind the item of a call it waits for the arguments and for ``response.done``,
behind the end of a call for the item, and only then asks for a response; a request is approved once it is shown.
"""

import asyncio
from typing import Any

import pytest
from azure.ai.voicelive.aio import VoiceLiveConnection, connect
from azure.ai.voicelive.models import (
    ItemType,
    MCPApprovalResponseRequestItem,
    MCPServer,
    Modality,
    RequestSession,
    ServerEventType,
    Tool,
)
from azure.core.credentials import AzureKeyCredential

from gateway.sim.emulator import Emulator, Script
from tests.sim.emulator.wire import Event, scripted

WIKI = {"server_label": "wiki", "name": "ask", "arguments": {"page": "home"}, "output": "A page."}
DOCS = {"server_label": "docs", "name": "search", "arguments": {"query": "voice"}, "output": "Two hits."}
TURNS: list[Event] = [
    {"mcp": WIKI, "after_call": "The page says so."},
    {"mcp": DOCS, "after_call": "There are two hits."},
]


async def wait_for(connection: VoiceLiveConnection, kind: ServerEventType) -> Any:
    """Read on to an event of a kind, as the sample does, and drop what comes before it; 10 s at most."""
    async with asyncio.timeout(10):
        while True:
            event: Any = await connection.recv()
            if event.type == kind:
                return event


async def hold(connection: VoiceLiveConnection, said: list[str], answers: int) -> None:
    """Handle events as the sample does, until the bot has said so many things."""
    while len(said) < answers:
        event: Any = await connection.recv()
        if event.type == ServerEventType.RESPONSE_AUDIO_TRANSCRIPT_DONE:
            said.append(event.transcript)
        elif event.type == ServerEventType.RESPONSE_MCP_CALL_COMPLETED:
            done = await wait_for(connection, ServerEventType.RESPONSE_OUTPUT_ITEM_DONE)
            assert done.item.id == event.item_id
            assert done.item.output
            await connection.response.create()
        elif event.type == ServerEventType.CONVERSATION_ITEM_CREATED and event.item.type == ItemType.MCP_CALL:
            arguments = await wait_for(connection, ServerEventType.RESPONSE_MCP_CALL_ARGUMENTS_DONE)
            assert arguments.item_id == event.item.id
            await wait_for(connection, ServerEventType.RESPONSE_DONE)
        elif (
            event.type == ServerEventType.CONVERSATION_ITEM_CREATED and event.item.type == ItemType.MCP_APPROVAL_REQUEST
        ):
            answer = MCPApprovalResponseRequestItem(approval_request_id=event.item.id, approve=True)
            await connection.conversation.item.create(item=answer)


@pytest.mark.parametrize("version", ["2026-01-01-preview", "2026-07-15"])
async def test_the_sample_holds_its_conversation(version: str) -> None:
    """A server that needs no approval, and one whose calls do: both results are spoken, in the order of the service."""
    script: Script = scripted(*TURNS)
    tools: list[Tool] = [
        MCPServer(server_label="wiki", server_url="https://wiki.contoso.com/mcp", require_approval="never"),
        MCPServer(server_label="docs", server_url="https://docs.contoso.com/mcp", require_approval="always"),
    ]
    async with (
        Emulator(script) as emulator,
        connect(
            endpoint=emulator.endpoint,
            credential=AzureKeyCredential("any"),
            model="gpt-realtime",
            api_version=version,
        ) as connection,
    ):
        await connection.session.update(session=RequestSession(modalities=[Modality.TEXT, Modality.AUDIO], tools=tools))
        await wait_for(connection, ServerEventType.SESSION_UPDATED)
        session = await emulator.session()
        said: list[str] = []
        for answer, turn in enumerate(TURNS, 1):
            await session.speech_started()
            await session.speech_stopped()
            async with asyncio.timeout(20):
                await hold(connection, said, answer)
            assert said[-1] == turn["after_call"]
            await wait_for(connection, ServerEventType.RESPONSE_DONE)
        assert [one for one in session.violations if not one.startswith("audio_stopped")] == []
