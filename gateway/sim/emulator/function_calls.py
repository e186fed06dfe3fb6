"""Function calls in an answer: their arguments in pieces, with the white space that models leave there."""

import json
import re
from collections.abc import Sequence
from typing import Any

from gateway.sim.emulator.history import Entry
from gateway.sim.emulator.ids import call_id, new_id
from gateway.sim.emulator.record import Event
from gateway.sim.emulator.script import Call
from gateway.sim.emulator.speaking.output import Output


async def call_function(output: Output, call: Call, *, native: bool) -> Entry:
    """Send a call of the client's function, up to but not including its end."""
    item: Event = {
        "id": new_id("item", native=native),
        "object": "realtime.item",
        "type": "function_call",
        "status": "in_progress",
        "name": call.name,
        "call_id": call_id(),
        "arguments": "",
    }
    entry = await output.open(item)
    about = {"item_id": entry.id, "output_index": output.index(entry), "call_id": item["call_id"]}
    arguments = written(call.arguments)
    for piece in pieces(arguments):
        await output.emit("response.function_call_arguments.delta", **about, delta=piece)
    await output.emit("response.function_call_arguments.done", **about, name=call.name, arguments=arguments)
    item["arguments"] = arguments
    return entry


def undeclared_function(calls: Sequence[Call], tools: Sequence[Event]) -> str | None:
    """Return why one of the script's calls cannot be made with these tools; ``None`` where all of them can."""
    declared = {tool.get("name") for tool in tools if tool["type"] == "function"}
    for call in calls:
        if call.name not in declared:
            return f"The session has no function '{call.name}'."
    return None


def written(arguments: dict[str, Any] | str) -> str:
    """Write a string as it stands, a mapping as JSON with the stray white space that models really put there."""
    if isinstance(arguments, str):
        return arguments
    return json.dumps(arguments, indent=1, ensure_ascii=False).replace("\n", "  \n ", 1) + " \n"


def pieces(arguments: str) -> list[str]:
    """Cut arguments into the deltas that they come in."""
    return re.findall(r"\s*\S{1,6}|\s+", arguments)
