"""The tools of a session: exact bodies, and what the SDK's own models make of the same."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from azure.ai.voicelive import models

from gateway.function import Function, HttpCall, SecretDigits
from gateway.text import json_text
from gateway.voice.tool_schemas import END_CALL, SEND_DIGITS, function_tool, tools_for
from tests.voice.lines import line_of

TRANSFERS = """
transfers:
  desk: "+14255550199"
  billing: {to: "sip:billing@example.com", description: Questions about invoices, announce: One moment.}
"""
TRANSFER_CALL = {
    "type": "function",
    "name": "transfer_call",
    "description": (
        "Connect the caller with somebody else; you leave the call. Targets:\n"
        "- desk\n- billing: Questions about invoices"
    ),
    "parameters": {
        "type": "object",
        "properties": {
            "target": {
                "type": "string",
                "enum": ["desk", "billing"],
                "description": "Who to connect the caller with.",
            }
        },
        "required": ["target"],
    },
}
ORDER = Function(
    name="order_status",
    description="Looks up an order.",
    parameters={
        "type": "object",
        "properties": {"order_number": {"type": "string"}},
        "required": ["order_number"],
    },
    run=HttpCall("POST", "https://shop.example.com/orders/{order_number}", {"X-Api-Key": "key"}, "hush"),
    secrets=(SecretDigits("card", "Please key in your card number."),),
)
ORDER_TOOL = {
    "type": "function",
    "name": "order_status",
    "description": "Looks up an order.",
    "parameters": ORDER.parameters,
}


def test_the_end_call_tool_is_a_plain_object_schema() -> None:
    """Branches without a type would get the whole update refused."""
    assert END_CALL["type"] == "function"
    assert END_CALL["name"] == "end_call"
    assert END_CALL["parameters"] == {
        "type": "object",
        "properties": {"reason": {"type": "string", "description": "Why the call ends, in a few words."}},
        "required": [],
    }


def test_the_send_digits_tool_takes_keys_alone() -> None:
    """So many as a number or a menu needs."""
    assert SEND_DIGITS["name"] == "send_digits"
    assert SEND_DIGITS["parameters"] == {
        "type": "object",
        "properties": {
            "digits": {
                "type": "string",
                "pattern": "^[0-9*#]{1,32}$",
                "description": "The keys in their order: digits, * and #.",
            }
        },
        "required": ["digits"],
    }


def test_only_the_listed_tools_are_offered(tmp_path: Path) -> None:
    """A line without tools has none."""
    assert tools_for(line_of(tmp_path, "")) == []
    assert tools_for(line_of(tmp_path, TRANSFERS)) == []
    assert tools_for(line_of(tmp_path, "tools: [end_call]")) == [END_CALL]
    assert tools_for(line_of(tmp_path, TRANSFERS + "tools: [send_digits, transfer_call]")) == [
        SEND_DIGITS,
        TRANSFER_CALL,
    ]


def test_a_target_is_known_by_name_alone(tmp_path: Path) -> None:
    """The model cannot tell a number or address that it has never seen, nor make one up."""
    offered = json.dumps(tools_for(line_of(tmp_path, TRANSFERS + "tools: [transfer_call]")))
    assert "4255550199" not in offered
    assert "billing@example.com" not in offered
    assert "One moment." not in offered


def test_a_function_is_what_the_model_is_to_see_of_it(tmp_path: Path) -> None:
    """Name, description and parameters; neither how it is carried out nor what the caller keys in."""
    line = dataclasses.replace(line_of(tmp_path, "tools: [end_call]"), functions=(ORDER,))
    assert tools_for(line) == [END_CALL, ORDER_TOOL]
    offered = json.dumps(tools_for(line))
    assert not [word for word in ("card", "hush", "X-Api-Key", "shop.example.com") if word in offered]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("require_approval: never", {"require_approval": "never"}),
        (
            'require_approval: {never: [get_customer], always: [delete_customer]}, authorization: "${CRM_TOKEN}", '
            'headers: {X-T: "1"}, allowed_tools: [get_customer, delete_customer]',
            {
                "authorization": "Bearer hush",
                "headers": {"X-T": "1"},
                "allowed_tools": ["get_customer", "delete_customer"],
                "require_approval": {"never": ["get_customer"], "always": ["delete_customer"]},
            },
        ),
    ],
)
def test_an_mcp_server_is_the_service_s_to_call(tmp_path: Path, text: str, expected: dict[str, Any]) -> None:
    """Under the names of the service, the token included; what the line leaves out is not sent."""
    server = f"{{server_label: crm, server_url: 'https://mcp.example.com/', {text}}}"
    line = line_of(
        tmp_path,
        f"tools:\n  - mcp: {server}\n    approval: {{ask: May I?, key: '1'}}\n  - end_call",
        environ={"CRM_TOKEN": "Bearer hush"},
    )
    tools = tools_for(line)
    assert tools == [
        END_CALL,
        {"type": "mcp", "server_label": "crm", "server_url": "https://mcp.example.com/", **expected},
    ]
    assert json.loads(json_text(tools)) == tools


def test_the_sdk_writes_the_same(tmp_path: Path) -> None:
    """The models of the official SDK, given the same, serialise to what is sent."""
    assert models.FunctionTool(
        name=ORDER.name, description=ORDER.description, parameters=dict(ORDER.parameters)
    ).as_dict() == function_tool(ORDER)
    assert models.FunctionTool(
        name="send_digits", description=SEND_DIGITS["description"], parameters=SEND_DIGITS["parameters"]
    ).as_dict() == dict(SEND_DIGITS)
    line = line_of(
        tmp_path,
        "tools: [{mcp: {server_label: crm, server_url: 'https://mcp.example.com/', require_approval: never, "
        "authorization: '${CRM_TOKEN}', headers: {X-T: '1'}, allowed_tools: [get_customer]}}]",
        environ={"CRM_TOKEN": "Bearer hush"},
    )
    assert tools_for(line) == [
        models.MCPServer(
            server_label="crm",
            server_url="https://mcp.example.com/",
            authorization="Bearer hush",
            headers={"X-T": "1"},
            allowed_tools=["get_customer"],
            require_approval=models.MCPApprovalType.NEVER,
        ).as_dict()
    ]
