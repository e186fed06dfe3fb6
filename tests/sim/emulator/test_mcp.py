"""MCP servers in the emulator: listed, called, and asked for."""

from typing import Any

import pytest

from gateway.sim.emulator.script import McpCall
from tests.sim.emulator.wire import Event, Wire, conversation, scripted

SERVER = {"type": "mcp", "server_label": "crm", "server_url": "https://mcp.example.com/", "require_approval": "never"}
CALL = {"server_label": "crm", "name": "get_customer", "arguments": {"id": 7}, "output": '{"name":"Ana"}'}
USER = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Who am I?"}]}


def turn(**call: Any) -> Event:
    """A turn whose answer calls the server's tool."""
    return {"mcp": {**CALL, **call}, "after_call": "You are Ana."}


async def asked(wire: Wire, **server: Any) -> None:
    """The client declares the server, says something and wants an answer."""
    await wire.update(tools=[{**SERVER, **server}])
    await wire.until("mcp_list_tools.completed")
    await wire.send("conversation.item.create", item=USER)
    await wire.send("response.create")


def behind_update(wire: Wire) -> list[str]:
    """What came behind the update, runs of the same type as one."""
    return wire.types[wire.types.index("mcp_list_tools.completed") + 1 :]


async def test_a_server_is_listed_once() -> None:
    """The item with its label, in progress, completed; a second update of the same server lists nothing again."""
    async with conversation(scripted({"say": "Hi."})) as (wire, session):
        await wire.update(tools=[SERVER])
        await wire.until("mcp_list_tools.completed")
        (item,) = [event["item"] for event in wire.all("conversation.item.created")]
        assert (item["type"], item["server_label"]) == ("mcp_list_tools", "crm")
        assert wire.all("mcp_list_tools.in_progress")[0]["item_id"] == item["id"]
        await wire.update(tools=[SERVER])
        await wire.send("response.create")
        await wire.until("response.done")
        assert len(wire.all("mcp_list_tools.completed")) == 1
        assert session.violations == []


async def test_a_server_that_does_not_tell_its_tools() -> None:
    """``mcp_listing: failed``."""
    async with conversation(scripted({"say": "Hi."}, mcp_listing="failed")) as (wire, _):
        await wire.update(tools=[SERVER])
        assert await wire.until("mcp_list_tools.failed")


async def test_a_call_inside_its_response() -> None:
    """The documented order; the result is spoken only by the response that the client asks for."""
    async with conversation(scripted(turn())) as (wire, session):
        await asked(wire)
        done = (await wire.until("response.done"))["response"]
        assert behind_update(wire) == [
            "conversation.item.created",
            "response.created",
            "response.output_item.added",
            "conversation.item.created",
            "response.mcp_call_arguments.delta",
            "response.mcp_call_arguments.done",
            "response.mcp_call.in_progress",
            "response.mcp_call.completed",
            "response.output_item.done",
            "response.done",
        ]
        (item,) = done["output"]
        assert (item["type"], item["output"], item["status"]) == ("mcp_call", CALL["output"], "completed")
        await wire.send("response.create")
        await wire.until("response.done")
        assert wire.all("response.audio_transcript.done")[-1]["transcript"] == "You are Ana."
        assert session.violations == []


async def test_a_call_that_fails() -> None:
    """``error`` in place of ``output``."""
    async with conversation(scripted(turn(output=None, error="the server is down"))) as (wire, _):
        await asked(wire)
        (item,) = (await wire.until("response.done"))["response"]["output"]
        assert (item["error"], item["status"]) == ("the server is down", "failed")
        assert wire.all("response.mcp_call.failed")


async def test_a_call_that_outlives_its_response_and_ends_twice() -> None:
    """``response.done`` first, then ``completed``, twice; both have been seen."""
    async with conversation(scripted(turn(response_done_first=True, completed_twice=True))) as (wire, _):
        await asked(wire)
        await wire.until("response.done")
        assert wire.all("response.mcp_call.completed") == []
        await wire.until("response.output_item.done")
        assert len(wire.all("response.mcp_call.completed")) == 2


@pytest.mark.parametrize("rule", [None, "always", {"never": ["other"]}, {"always": ["get_customer"]}])
@pytest.mark.parametrize("approve", [True, False])
async def test_a_call_that_needs_a_word(rule: object, *, approve: bool) -> None:
    """The request ends the response; allowed, the call runs; denied, it does not; both are spoken of."""
    async with conversation(scripted(turn())) as (wire, session):
        await asked(wire, require_approval=rule)
        (item,) = (await wire.until("response.done"))["response"]["output"]
        assert (item["type"], item["server_label"], item["name"]) == ("mcp_approval_request", "crm", "get_customer")
        assert wire.all("response.mcp_call.in_progress") == []
        answer = {"type": "mcp_approval_response", "approval_request_id": item["id"], "approve": approve}
        await wire.send("conversation.item.create", item=answer)
        if approve:
            await wire.until("response.mcp_call.completed")
        await wire.send("response.create")
        await wire.until("response.done")
        assert bool(wire.all("response.mcp_call.in_progress")) is approve
        assert wire.all("response.audio_transcript.done")[-1]["transcript"] == "You are Ana."
        assert session.violations == []


@pytest.mark.parametrize(
    "item", [{"approval_request_id": "mcpr_x", "approve": True}, {"approve": True}, {"approval_request_id": "mcpr_x"}]
)
async def test_an_answer_to_no_request_is_refused(item: Event) -> None:
    """An unknown id, none, or no word."""
    async with conversation(scripted(turn())) as (wire, _):
        await wire.send("conversation.item.create", item={"type": "mcp_approval_response", **item})
        assert (await wire.error())["code"] == "invalid_value"


async def test_a_server_that_is_not_declared_is_not_called() -> None:
    """Nor is a tool that the client does not allow."""
    async with conversation(scripted(turn())) as (wire, _):
        await asked(wire, allowed_tools=["other"])
        done = (await wire.until("response.done"))["response"]
        assert done["output"] == []


@pytest.mark.parametrize(("model", "version"), [("phi4-mm-realtime", "2026-07-15"), ("gpt-4.1", "2025-10-01")])
async def test_who_takes_no_servers(model: str, version: str) -> None:
    """Phi models, and API versions before 2026-04-10."""
    async with conversation(scripted({"say": "Hi."}), model=model, version=version) as (wire, _):
        await wire.send("session.update", session={"tools": [SERVER]})
        assert "MCP" in (await wire.error())["message"]


def test_a_scripted_call_has_one_end() -> None:
    """An output or an error."""
    for ends in ({}, {"output": "x", "error": "y"}):
        with pytest.raises(ValueError, match="either output or error"):
            McpCall.model_validate({"server_label": "crm", "name": "get", **ends})
