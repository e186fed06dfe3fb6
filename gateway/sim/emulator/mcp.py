"""Tool servers that the service itself would call (MCP): their lists of tools, approvals and calls (REF, MCP; §6.9).

No server is ever reached: the script has what a call returns and how long it takes. In which order the service shows a
call and the request for its approval is unconfirmed; the script chooses.
"""

import asyncio
import ipaddress
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from gateway.sim.emulator.dialogue import Dialogue
from gateway.sim.emulator.function_calls import pieces, written
from gateway.sim.emulator.history import Entry, History
from gateway.sim.emulator.ids import new_id
from gateway.sim.emulator.outgoing import Outgoing
from gateway.sim.emulator.record import Event
from gateway.sim.emulator.script import McpCall, McpServer, Script
from gateway.sim.emulator.speaking.output import Output

_RESERVED = frozenset({"example", "internal", "invalid", "local", "localhost", "test"})
"""Top-level names under which the internet has nothing."""


@dataclass(frozen=True)
class McpRun:
    """A running call; it ends at ``ends_at`` (``loop.time()``), whatever becomes of the response that made it."""

    call: McpCall
    output: Output
    entry: Entry
    ends_at: float


@dataclass(frozen=True)
class _Asked:
    """A call that waits for the client's approval; ``entry`` where it was shown before."""

    call: McpCall
    output: Output
    entry: Entry | None


@dataclass
class McpServers:
    """The tool servers of a session."""

    script: Script
    history: History
    out: Outgoing
    dialogue: Dialogue
    spawn: Callable[[Coroutine[Any, Any, None]], object]
    native: bool
    _listed: dict[str, Event] = field(default_factory=dict)
    _asked: dict[str, _Asked] = field(default_factory=dict)
    _approved: dict[int, str] = field(default_factory=dict)
    """The requests that were approved, by the identity of their call, until a response of its own makes it."""

    def declared(self, tools: Sequence[Event]) -> None:
        """List the tools of each server that is new in an accepted update, or has changed."""
        servers = {tool["server_label"]: tool for tool in tools if tool["type"] == "mcp"}
        new = [tool for label, tool in servers.items() if self._listed.get(label) != tool]
        self._listed = servers
        for tool in new:
            self.spawn(self._list(tool))

    async def _list(self, tool: Event) -> None:
        label = tool["server_label"]
        server = self._server(label)
        failed = server.listing == "failed" or (not self._is_scripted(label) and not is_reachable(tool["server_url"]))
        item: Event = {
            "id": new_id("mcpl", native=self.native),
            "object": "realtime.item",
            "type": "mcp_list_tools",
            "server_label": label,
            "tools": [],
        }
        previous = self.history.previous_of_output()
        entry = self.history.add(item)
        await self.out.emit("conversation.item.created", previous_item_id=previous, item=entry.shown)
        await self.out.emit("mcp_list_tools.in_progress", item_id=entry.id)
        await asyncio.sleep(server.listing_takes_s)
        if not failed:
            names = server.tools if server.tools is not None else self.script.mcp_tools(label)
            allowed = tool.get("allowed_tools")
            item["tools"] = [
                {"name": name, "input_schema": {"type": "object", "properties": {}}}
                for name in names
                if allowed is None or name in allowed
            ]
        await self.out.emit(f"mcp_list_tools.{'failed' if failed else 'completed'}", item_id=entry.id)

    def _is_scripted(self, label: str) -> bool:
        return label in self.script.mcp_servers or bool(self.script.mcp_tools(label))

    def _server(self, label: str) -> McpServer:
        return self.script.mcp_servers.get(label) or McpServer()

    def objection(self, calls: Sequence[McpCall], tools: Sequence[Event]) -> str | None:
        """Return why one of the script's calls cannot be made with these tools; ``None`` where all of them can."""
        for call in calls:
            tool = _declaration(call, tools)
            if tool is None:
                return f"The session has no MCP server '{call.server_label}'."
            if self._server(call.server_label).listing == "failed":
                return f"The tools of MCP server '{call.server_label}' could not be listed."
            allowed = tool.get("allowed_tools")
            if allowed is not None and call.name not in allowed:
                return f"'{call.name}' is not among the allowed tools of MCP server '{call.server_label}'."
        return None

    async def begin(self, output: Output, call: McpCall, tools: Sequence[Event]) -> McpRun | None:
        """Begin a call within a response; ``None`` where the client has to approve of it first."""
        approved = self._approved.pop(id(call), None)
        if approved is not None or not _needs_approval(_declaration(call, tools) or {}, call.name):
            return await self._start(output, call, approved)
        shown = await self._show(output, call, None) if call.approval == "call_first" else None
        item: Event = {
            "id": new_id("mcpr", native=self.native),
            "object": "realtime.item",
            "type": "mcp_approval_request",
            "server_label": call.server_label,
            "name": call.name,
            "arguments": written(call.arguments),
        }
        self._asked[item["id"]] = _Asked(call, output, shown)
        await output.close(await output.open(item), "completed")
        return None

    def awaits_approval(self, request_id: object) -> bool:
        """Return whether a call waits for the answer to that request."""
        return request_id in self._asked

    async def answered(self, item: Event) -> McpCall | None:
        """Take the client's answer to an approval request: the call is made now, or never.

        Return the call where a response of its own is to make it.
        """
        request_id = item["approval_request_id"]
        asked = self._asked.pop(request_id)
        if not item["approve"]:
            self.dialogue.denied()
            return None
        if asked.call.approval == "own_response":
            self._approved[id(asked.call)] = request_id
            return asked.call
        if asked.entry is not None:
            asked.entry.item["approval_request_id"] = request_id
            run = await self._run(asked.output, asked.call, asked.entry)
        else:
            run = await self._start(asked.output, asked.call, request_id)
        self.spawn(self.finish_later(run))
        return None

    async def _start(self, output: Output, call: McpCall, approval_request_id: str | None) -> McpRun:
        return await self._run(output, call, await self._show(output, call, approval_request_id))

    async def _show(self, output: Output, call: McpCall, approval_request_id: str | None) -> Entry:
        item: Event = {
            "id": new_id("mcp", native=self.native),
            "object": "realtime.item",
            "type": "mcp_call",
            "status": "in_progress",
            "approval_request_id": approval_request_id,
            "server_label": call.server_label,
            "name": call.name,
            "arguments": "",
            "output": None,
            "error": None,
        }
        entry = await output.open(item)
        about = {"item_id": entry.id, "output_index": output.index(entry)}
        arguments = written(call.arguments)
        for piece in pieces(arguments):
            await output.emit("response.mcp_call_arguments.delta", **about, delta=piece)
        await output.emit("response.mcp_call_arguments.done", **about, arguments=arguments)
        item["arguments"] = arguments
        return entry

    async def _run(self, output: Output, call: McpCall, entry: Entry) -> McpRun:
        about = {"item_id": entry.id, "output_index": output.index(entry)}
        await self.out.emit("response.mcp_call.in_progress", **about)
        return McpRun(call, output, entry, asyncio.get_running_loop().time() + call.takes_s)

    async def finish(self, run: McpRun) -> None:
        """End a call whose time has come."""
        call, item = run.call, run.entry.item
        item["output"] = call.output
        item["error"] = {"type": "tool_execution_error", "message": call.error} if call.error is not None else None
        status = "completed" if call.error is None else "failed"
        about = {"item_id": run.entry.id, "output_index": run.output.index(run.entry)}
        self.dialogue.output_came()  # before a client that is quick can ask for the response that speaks
        for _ in range(2 if call.completed_twice else 1):
            await self.out.emit(f"response.mcp_call.{status}", **about)
        await run.output.close(run.entry, status)

    async def finish_later(self, run: McpRun, behind: asyncio.Event | None = None) -> None:
        """End a call when its time has come, and not before ``behind`` is done."""
        if behind is not None:
            await behind.wait()
        await asyncio.sleep(run.ends_at - asyncio.get_running_loop().time())
        await self.finish(run)


def is_reachable(url: str) -> bool:
    """Return whether a service in the cloud could reach a server: not at a private address or a reserved name.

    Names are those of RFC 2606 and RFC 6761; nothing is looked up.
    """
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        pass
    names = host.rstrip(".").split(".")
    is_example = len(names) > 2 and names[-2] == "example" and names[-1] in ("com", "net", "org")
    return len(names) > 1 and names[-1] not in _RESERVED and not is_example


def _declaration(call: McpCall, tools: Sequence[Event]) -> Event | None:
    """Return the tool server of a call, as the session declares it."""
    return next((tool for tool in tools if tool.get("server_label") == call.server_label), None)


def _needs_approval(tool: Event, name: str) -> bool:
    """Decide by ``require_approval``: ``always`` where it is absent, and for tools that its lists do not name."""
    policy = tool.get("require_approval") or "always"
    if isinstance(policy, str):
        return policy == "always"
    return name in (policy.get("always") or ()) or name not in (policy.get("never") or ())
