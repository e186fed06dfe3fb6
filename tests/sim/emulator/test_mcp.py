import asyncio
import json
from typing import Any

import pytest

from tests.sim.emulator.wire import Event, Wire, conversation, scripted

CRM = {"type": "mcp", "server_label": "crm", "server_url": "https://crm.example.com/mcp", "require_approval": "never"}
LOOK_UP = {"server_label": "crm", "name": "get_customer", "arguments": {"id": 7}, "output": '{"name": "Ana"}'}
CALL_ORDER = [
    "response.output_item.added",
    "conversation.item.created",
    "response.mcp_call_arguments.delta",
    "response.mcp_call_arguments.done",
    "response.mcp_call.in_progress",
    "response.mcp_call.completed",
    "response.output_item.done",
]
SHOWN, RUN, ENDED = CALL_ORDER[:4], CALL_ORDER[4:5], CALL_ORDER[5:]
REQUEST = ["response.output_item.added", "conversation.item.created", "response.output_item.done"]
WITHIN = {**LOOK_UP, "response_done_first": False}
LISTED = {"mcp_list_tools.completed", "mcp_list_tools.failed"}


async def declare(wire: Wire, **changes: Any) -> None:
    """Declares the server and waits until its tools are listed."""
    await wire.update(tools=[{**CRM, **changes}])
    await wire.until(lambda event: event["type"] in LISTED)


async def ask(wire: Wire) -> Event:
    """The caller types something; the response to it, once it is done."""
    content = [{"type": "input_text", "text": "Who am I?"}]
    await wire.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
    return await respond(wire)


async def respond(wire: Wire) -> Event:
    """Asks for a response: what it was in the end."""
    await wire.send("response.create")
    response: Event = (await wire.until("response.done"))["response"]
    return response


async def approve(wire: Wire, request_id: str, *, yes: bool) -> None:
    """Answers an approval request."""
    item = {"type": "mcp_approval_response", "approval_request_id": request_id, "approve": yes}
    await wire.send("conversation.item.create", item=item)


def said(response: Event) -> str:
    """The words of a response."""
    return str(response["output"][0]["content"][0]["transcript"])


async def test_each_server_lists_its_tools_once() -> None:
    """Item, in progress, completed; again only where the declaration changed; allowed tools alone."""
    turn = {"mcp": [LOOK_UP, {**LOOK_UP, "name": "delete_customer"}]}
    async with conversation(scripted(turn, mcp_servers={"billing": {}})) as (wire, session):
        await declare(wire)
        assert wire.types[1:] == [
            "session.updated",
            "conversation.item.created",
            "mcp_list_tools.in_progress",
            "mcp_list_tools.completed",
        ]
        created, finished = wire.events[-3], wire.events[-1]
        assert (created["item"]["type"], created["item"]["tools"]) == ("mcp_list_tools", [])
        assert created["item"]["id"] == finished["item_id"]
        assert [tool["name"] for tool in session.items[0]["tools"]] == ["get_customer", "delete_customer"]
        await wire.update(tools=[CRM])
        await wire.update(tools=[CRM, {**CRM, "server_label": "billing"}])
        await wire.until("mcp_list_tools.completed")
        await declare(wire, allowed_tools=["get_customer"])
        assert [item["server_label"] for item in session.items] == ["crm", "billing", "crm"]
        assert [tool["name"] for tool in session.items[-1]["tools"]] == ["get_customer"]


async def test_a_list_of_tools_can_fail() -> None:
    """By script; a call to that server then fails the response that would make it."""
    script = scripted({"mcp": LOOK_UP}, mcp_servers={"crm": {"listing": "failed", "listing_takes_s": 0.01}})
    async with conversation(script) as (wire, _):
        await declare(wire)
        assert wire.types[-2:] == ["mcp_list_tools.in_progress", "mcp_list_tools.failed"]
        response = await ask(wire)
    assert response["status"] == "failed"
    assert "'crm'" in response["status_details"]["error"]["message"]


async def test_a_call_and_what_is_said_about_it() -> None:
    """The call within the response, with its arguments in pieces; its result is told by the next response."""
    async with conversation(scripted({"mcp": WITHIN, "after_call": "You are Ana."})) as (wire, session):
        await declare(wire)
        begin = len(wire.events)
        response = await ask(wire)
        types = [event["type"] for event in wire.events[begin:]]
        position = types.index("response.output_item.added")
        made = [kind for index, kind in enumerate(types) if index >= position and types[index - 1] != kind]
        assert made == [*CALL_ORDER, "response.done"]
        (item,) = response["output"]
        assert (item["type"], item["server_label"], item["name"]) == ("mcp_call", "crm", "get_customer")
        assert (item["status"], item["output"], item["error"]) == ("completed", LOOK_UP["output"], None)
        assert json.loads(item["arguments"]) == {"id": 7}
        deltas = [event["delta"] for event in wire.all("response.mcp_call_arguments.delta")]
        assert "".join(deltas) == wire.all("response.mcp_call_arguments.done")[0]["arguments"] == item["arguments"]
        assert len(deltas) > 1
        assert wire.all("response.mcp_call.completed")[0]["item_id"] == item["id"]
        assert said(await respond(wire)) == "You are Ana."
    assert session.violations == []


async def test_a_call_that_fails() -> None:
    """``failed`` instead of ``completed``, and the item has the error."""
    call = {**WITHIN, "output": None, "error": "the database is down"}
    async with conversation(scripted({"mcp": call, "after_call": "I cannot see that now."})) as (wire, _):
        await declare(wire)
        (item,) = (await ask(wire))["output"]
        assert wire.all("response.mcp_call.failed")[0]["item_id"] == item["id"]
        assert "response.mcp_call.completed" not in wire.types
        assert (item["status"], item["output"]) == ("failed", None)
        assert item["error"]["message"] == "the database is down"
        assert said(await respond(wire)) == "I cannot see that now."


async def test_a_call_can_outlast_its_response_and_be_told_twice() -> None:
    """``response.done`` comes first unless the script says otherwise, the call's end behind it, and that twice."""
    call = {**LOOK_UP, "completed_twice": True}
    async with conversation(scripted({"mcp": call})) as (wire, session):
        await declare(wire)
        response = await ask(wire)
        assert response["output"][0]["status"] == "in_progress"
        assert "response.mcp_call.completed" not in wire.types
        done = await wire.until("response.output_item.done")
        assert (done["response_id"], done["item"]["output"]) == (response["id"], LOOK_UP["output"])
        assert len(wire.all("response.mcp_call.completed")) == 2
        assert session.items[-1]["status"] == "completed"


async def test_calls_run_side_by_side_and_survive_a_cancel() -> None:
    """The quick one ends first; a cancelled response leaves the slow one running, which ends behind it."""
    slow = {**WITHIN, "name": "slow", "takes_s": 2}
    async with conversation(scripted({"mcp": [slow, WITHIN]})) as (wire, session):
        await declare(wire)
        content = [{"type": "input_text", "text": "Who am I?"}]
        await wire.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
        await wire.send("response.create")
        first = await wire.until("response.mcp_call.completed")
        assert session.items[-1]["id"] == first["item_id"]
        await wire.send("response.cancel")
        done = await wire.until("response.done")
        assert (done["response"]["status"], len(wire.all("response.mcp_call.completed"))) == ("cancelled", 1)
        second = await wire.until("response.mcp_call.completed")
        assert second["item_id"] != first["item_id"]


@pytest.mark.parametrize(
    ("policy", "asked"),
    [
        ("always", True),
        (None, True),
        ("never", False),
        ({"never": ["get_customer"]}, False),
        ({"never": ["other"]}, True),
        ({"always": ["get_customer"]}, True),
        ({"always": ["other"]}, True),
    ],
)
async def test_which_calls_need_approval(policy: Any, asked: bool) -> None:
    """``always`` is the default, and holds for tools that the lists do not name."""
    async with conversation(scripted({"mcp": LOOK_UP})) as (wire, _):
        await declare(wire, require_approval=policy)
        (item,) = (await ask(wire))["output"]
        assert item["type"] == ("mcp_approval_request" if asked else "mcp_call")


def runs(events: list[Event]) -> list[str]:
    """The types of events, runs of the same type as one."""
    types = [str(event["type"]) for event in events]
    return [kind for index, kind in enumerate(types) if index == 0 or types[index - 1] != kind]


@pytest.mark.parametrize(
    ("order", "asked", "approved"),
    [
        ("own_response", REQUEST, ["response.created", *SHOWN, *RUN, "response.done", *ENDED]),
        ("outside", REQUEST, [*SHOWN, *RUN, *ENDED]),
        ("call_first", [*SHOWN, *REQUEST], [*RUN, *ENDED]),
    ],
)
async def test_the_order_around_an_approval(order: str, asked: list[str], approved: list[str]) -> None:
    """Each that is known, by script; the next response tells the result of the call."""
    turn = {"mcp": {**LOOK_UP, "approval": order}, "after_call": "You are Ana."}
    async with conversation(scripted(turn)) as (wire, session):
        await declare(wire, require_approval="always")
        output = (await ask(wire))["output"]
        types = runs(wire.events)
        assert types[types.index("response.created") :] == ["response.created", *asked, "response.done"]
        (request,) = [item for item in output if item["type"] == "mcp_approval_request"]
        assert (request["server_label"], request["name"]) == ("crm", "get_customer")
        assert json.loads(request["arguments"]) == {"id": 7}
        assert not any(kind.startswith("response.mcp_call.") for kind in wire.types)
        begin = len(wire.events)
        await approve(wire, request["id"], yes=True)
        done = await wire.until(lambda event: (event.get("item") or {}).get("output") == LOOK_UP["output"])
        assert runs(wire.events[begin:]) == ["conversation.item.created", *approved]
        assert wire.events[begin]["item"]["approve"] is True
        assert done["item"]["approval_request_id"] == request["id"]
        assert (done["response_id"] == wire.all("response.done")[0]["response"]["id"]) is (order != "own_response")
        assert said(await respond(wire)) == "You are Ana."
    assert session.violations == []


@pytest.mark.parametrize("order", ["own_response", "outside", "call_first"])
async def test_a_denied_call_is_never_made(order: str) -> None:
    """Nothing but the answer's own item comes, and the next response says what the script has for it."""
    turn = {"mcp": {**LOOK_UP, "approval": order}, "after_denial": "Then I do not look."}
    async with conversation(scripted(turn)) as (wire, session):
        await declare(wire, require_approval="always")
        request = (await ask(wire))["output"][-1]
        await approve(wire, request["id"], yes=False)
        assert said(await respond(wire)) == "Then I do not look."
        assert not any(kind.startswith("response.mcp_call.") for kind in wire.types)
        assert session.violations == []


async def test_an_approved_call_waits_for_the_response_beside_which_it_was_approved() -> None:
    """There is one response at a time: its own begins behind the one that speaks."""
    turns: list[Event] = [{"mcp": LOOK_UP}, {"say": "While you decide, let me say something."}]
    async with conversation(scripted(*turns)) as (wire, session):
        await declare(wire, require_approval="always")
        (request,) = (await ask(wire))["output"]
        content = [{"type": "input_text", "text": "Go on."}]
        await wire.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
        await wire.send("response.create")
        await approve(wire, request["id"], yes=True)
        await wire.until("response.mcp_call.completed")
        order = [event["type"] for event in wire.events if event["type"] in ("response.created", "response.done")]
        assert order == ["response.created", "response.done"] * 3
        assert session.violations == []


@pytest.mark.parametrize(
    ("url", "reachable"),
    [
        ("https://learn.microsoft.com/api/mcp", True),
        ("https://8.8.8.8/mcp", True),
        ("https://mcp.example.com/", False),
        ("https://no-such-server.invalid/mcp", False),
        ("http://localhost:3000/mcp", False),
        ("http://127.0.0.1:3000/mcp", False),
        ("http://[fd00::1]/mcp", False),
        ("https://10.0.0.7/mcp", False),
        ("https://intranet/mcp", False),
    ],
)
async def test_a_server_that_nobody_can_reach_fails_by_itself(url: str, *, reachable: bool) -> None:
    """Where the script knows nothing of it: at a reserved name or a private address there is nothing for a cloud."""
    async with conversation(scripted({"say": "Hello."})) as (wire, _):
        await declare(wire, server_url=url)
        assert wire.types[-1] == f"mcp_list_tools.{'completed' if reachable else 'failed'}"


async def test_answers_that_no_request_waits_for() -> None:
    """An unknown request, one that was answered before, and an answer that is neither yes nor no are errors."""
    async with conversation(scripted({"mcp": LOOK_UP})) as (wire, session):
        await declare(wire, require_approval="always")
        await approve(wire, "mcpr_x", yes=True)
        assert (await wire.error())["code"] == "invalid_approval_request_id"
        (request,) = (await ask(wire))["output"]
        item = {"type": "mcp_approval_response", "approval_request_id": request["id"], "approve": "yes"}
        await wire.send("conversation.item.create", item=item)
        assert (await wire.error())["param"] == "item.approve"
        await approve(wire, request["id"], yes=False)
        await wire.until("conversation.item.created")
        await approve(wire, request["id"], yes=True)
        assert (await wire.error())["code"] == "invalid_approval_request_id"
        assert len(session.violations) == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"server_label": "billing"}, "no MCP server 'crm'"),
        ({"allowed_tools": ["list_customers"]}, "not among the allowed tools"),
    ],
)
async def test_a_call_that_the_session_does_not_permit_fails_its_response(changes: Event, message: str) -> None:
    """A server or a tool that was not declared is not called; the response says why."""
    async with conversation(scripted({"mcp": LOOK_UP})) as (wire, _):
        await declare(wire, **changes)
        response = await ask(wire)
    assert (response["status"], response["output"]) == ("failed", [])
    assert message in response["status_details"]["error"]["message"]


async def test_a_session_ends_in_the_middle_of_a_call() -> None:
    """Neither a call nor a list that would take for ever holds a session that has ended."""
    script = scripted({"mcp": {**LOOK_UP, "takes_s": 3600}}, mcp_servers={"billing": {"listing_takes_s": 3600}})
    async with conversation(script) as (wire, session):
        await declare(wire)
        await wire.update(tools=[CRM, {**CRM, "server_label": "billing"}])
        content = [{"type": "input_text", "text": "Who am I?"}]
        await wire.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
        await wire.send("response.create")
        await wire.until("response.mcp_call.in_progress")
        await wire.socket.close()
        async with asyncio.timeout(10):
            await session.closed.wait()
