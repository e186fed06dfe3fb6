"""The notes of tools, MCP servers and approvals. Pure."""

from typing import Literal

from gateway.call.notes.note import Note


class ToolCalled(Note, frozen=True):
    """Made when the model calls a tool; ``call_id`` is the model's id of the call."""

    tool: str
    call_id: str


class ToolReturned(Note, frozen=True):
    """Made when the output of a call is known, and goes to the model."""

    tool: str
    call_id: str
    outcome: str
    """``ok``, ``error``, ``timeout`` or ``refused``."""
    took_ms: int


class McpListed(Note, frozen=True):
    """Made when an MCP server has listed its tools to the service, or has failed to."""

    server: str
    outcome: Literal["ok", "error"]


class McpCalled(Note, frozen=True):
    """Made when the service runs a tool of an MCP server."""

    server: str
    tool: str
    item_id: str


class McpReturned(Note, frozen=True):
    """Made when that tool is done, or is not waited for any longer; no ``item_id`` if the service never began it."""

    server: str
    tool: str
    item_id: str
    outcome: Literal["ok", "error", "timeout"]
    took_ms: int


class ApprovalAsked(Note, frozen=True):
    """Made when the caller is to be asked whether an MCP server may run a tool."""

    server: str
    tool: str


class ApprovalGiven(Note, frozen=True):
    """Made when that question is answered, for or against."""

    server: str
    tool: str
    approved: bool
    how: Literal["key", "words", "no answer", "not understood", "not asked", "limit"]


class ApprovalNotUnderstood(Note, frozen=True):
    """Made when the turn that should answer has no words."""

    server: str
    tool: str
    asked_again: bool
