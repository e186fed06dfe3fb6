"""The tools that a session offers the model: built-in ones, the line's functions, MCP servers. Pure.

Voice Live API reference 2026-07-15, ``RequestSession.tools``.
"""

from collections.abc import Mapping
from typing import Any, assert_never

from gateway.config.line.line import Line
from gateway.config.line.tools import BuiltIn, McpServer, McpTool
from gateway.config.line.transfers import Target
from gateway.function import Function

END_CALL: Mapping[str, Any] = {
    "type": "function",
    "name": "end_call",
    "description": (
        "Hang up. Use it when the caller has said goodbye or has nothing more to ask, "
        "after you have said goodbye yourself."
    ),
    "parameters": {
        "type": "object",
        "properties": {
            "reason": {"type": "string", "description": "Why the call ends, in a few words."},
        },
        "required": [],
    },
}
"""The built-in tool that ends the call."""

SEND_DIGITS: Mapping[str, Any] = {
    "type": "function",
    "name": "send_digits",
    "description": "Press keys on the phone, for whoever or whatever is on the other end of the call.",
    "parameters": {
        "type": "object",
        "properties": {
            "digits": {
                "type": "string",
                "pattern": "^[0-9*#]{1,32}$",
                "description": "The keys in their order: digits, * and #.",
            },
        },
        "required": ["digits"],
    },
}
"""The built-in tool that presses keys."""


def tools_for(line: Line) -> list[dict[str, Any]]:
    """Return all tools of the line's bot, in the shapes of the service."""
    settings = line.settings
    return [
        *(_built_in(tool, settings.transfers) for tool in settings.tools if isinstance(tool, str)),
        *(function_tool(function) for function in line.functions),
        *(mcp_tool(tool.mcp) for tool in settings.tools if isinstance(tool, McpTool)),
    ]


def _built_in(tool: BuiltIn, targets: Mapping[str, Target]) -> dict[str, Any]:
    match tool:
        case "end_call":
            return dict(END_CALL)
        case "transfer_call":
            return transfer_call(targets)
        case "send_digits":
            return dict(SEND_DIGITS)
        case _:
            assert_never(tool)


def transfer_call(targets: Mapping[str, Target]) -> dict[str, Any]:
    """Return the built-in tool that transfers the caller to one of ``targets``, known to the model by name alone."""
    known = [
        f"- {name}: {target.description}" if target.description else f"- {name}" for name, target in targets.items()
    ]
    return {
        "type": "function",
        "name": "transfer_call",
        "description": "\n".join(["Connect the caller with somebody else; you leave the call. Targets:", *known]),
        "parameters": {
            "type": "object",
            "properties": {
                "target": {"type": "string", "enum": [*targets], "description": "Who to connect the caller with."},
            },
            "required": ["target"],
        },
    }


def function_tool(function: Function) -> dict[str, Any]:
    """Return a function of the line; its parameters leave out what the caller keys in."""
    return {
        "type": "function",
        "name": function.name,
        "description": function.description,
        "parameters": dict(function.parameters),
    }


def mcp_tool(server: McpServer) -> dict[str, Any]:
    """Return an MCP server, whose tools the service lists and calls by itself. Holds the operator's token."""
    return {
        "type": "mcp",
        **{key: value for key, value in server.model_dump(mode="json").items() if value},
    }
