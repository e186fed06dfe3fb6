"""The tools of MCP servers: listed after an update, called as the script has it, with the client's approval or without.

Voice Live API reference 2026-07-15 and its samples. No server is really asked. What the documents leave open is decided
so: an approval request is part of the response that wants the tool, which then ends; a call that was approved runs
outside of any response, and the client asks for the one that speaks of it (unconfirmed).
"""

import asyncio
import json
from typing import Any

from gateway.sim.emulator.dialogue import Dialogue
from gateway.sim.emulator.history import History
from gateway.sim.emulator.ids import base62, new_id
from gateway.sim.emulator.outgoing import Outgoing
from gateway.sim.emulator.record import Event, Rejected
from gateway.sim.emulator.script import McpCall, Script
from gateway.sim.emulator.settings import Settings


class McpServers:
    """The MCP servers that a session has declared."""

    def __init__(self, script: Script, settings: Settings, history: History, out: Outgoing, dialogue: Dialogue) -> None:
        self._script = script
        self._settings = settings
        self._history = history
        self._out = out
        self._dialogue = dialogue
        self._listed: set[str] = set()
        self._asked: dict[str, McpCall] = {}

    async def list_tools(self) -> None:
        """Ask the servers that are new for their tools: ``mcp_list_tools.completed`` or, by the script, ``.failed``."""
        for server in self._settings.echo["tools"]:
            if server["type"] != "mcp" or server["server_label"] in self._listed:
                continue
            self._listed.add(server["server_label"])
            item = self._item("mcp_list_tools", "mcpl", server_label=server["server_label"], tools=[])
            previous = self._history.previous_of_client_item()
            self._history.add(item)
            await self._out.emit("conversation.item.created", previous_item_id=previous, item=dict(item))
            await self._out.emit("mcp_list_tools.in_progress", item_id=item["id"])
            await self._out.emit(f"mcp_list_tools.{self._script.mcp_listing}", item_id=item["id"])

    def knows(self, call: McpCall) -> bool:
        """Whether the session has declared the call's server, and lets this tool be used."""
        server = self._server(call)
        return server is not None and call.name in (server.get("allowed_tools") or (call.name,))

    def needs_approval(self, call: McpCall) -> bool:
        """Whether the client must allow the call first: ``always`` where nothing else is said."""
        rule = (self._server(call) or {}).get("require_approval") or "always"
        return call.name not in (rule.get("never") or ()) if isinstance(rule, dict) else rule == "always"

    def request_for(self, call: McpCall) -> Event:
        """The item that asks for approval; from now on its id may be answered."""
        item = self._item("mcp_approval_request", "mcpr", **_about(call), arguments=json.dumps(call.arguments))
        self._asked[item["id"]] = call
        return item

    def call_item(self, call: McpCall, request_id: str | None = None) -> Event:
        """The item of a call that begins."""
        unknown: Event = {"arguments": "", "output": None, "error": None, "approval_request_id": request_id}
        return self._item("mcp_call", "mcp", status="in_progress", **_about(call), **unknown)

    async def finish(self, call: McpCall, item: Event, place: Event) -> None:
        """Let the call take its time and come to its end; ``place`` is what its events say besides."""
        await asyncio.sleep(call.takes_s)
        failed = call.error is not None
        item |= {"status": "failed" if failed else "completed", "output": call.output, "error": call.error}
        self._dialogue.output_came()
        for _ in range(2 if call.completed_twice else 1):
            await self._out.emit(f"response.mcp_call.{'failed' if failed else 'completed'}", **place)

    def answered(self, item: Event) -> McpCall | None:
        """The call that an ``mcp_approval_response`` allows; ``None`` where it denies. Rejected if none was asked."""
        call = self._asked.pop(str(item.get("approval_request_id")), None)
        if call is None:
            raise Rejected(
                f"Approval request '{item.get('approval_request_id')}' does not exist.",
                code="invalid_value",
                param="item.approval_request_id",
            )
        if item.get("approve"):
            return call
        self._dialogue.output_came()
        return None

    async def run_approved(self, call: McpCall, request_id: str) -> None:
        """Run a call outside of a response."""
        item = self.call_item(call, request_id)
        previous = self._history.previous_of_client_item()
        self._history.add(item)
        item["arguments"] = json.dumps(call.arguments)
        await self._out.emit("conversation.item.created", previous_item_id=previous, item=dict(item))
        place: Event = {"item_id": item["id"], "output_index": 0}
        await self._out.emit("response.mcp_call.in_progress", **place)
        await self.finish(call, item, place)

    def _server(self, call: McpCall) -> Event | None:
        servers = (tool for tool in self._settings.echo["tools"] if tool["type"] == "mcp")
        return next((server for server in servers if server["server_label"] == call.server_label), None)

    def _item(self, kind: str, prefix: str, **fields: Any) -> Event:
        item_id = f"{prefix}_{base62(22)}" if prefix != "mcp" else new_id("item", native=self._settings.native)
        return {"id": item_id, "object": "realtime.item", "type": kind, **fields}


def _about(call: McpCall) -> Event:
    return {"server_label": call.server_label, "name": call.name}
