"""The effect of ``tool_choice`` on an answer: the client can forbid calls, or ask for one."""

from collections.abc import Sequence

from gateway.sim.emulator.record import Event
from gateway.sim.emulator.script import Answer, Call
from gateway.sim.emulator.settings.tool_schema import example


def choose_tool(answer: Answer, choice: str | Event, tools: Sequence[Event]) -> Answer:
    """Fit ``answer`` to a ``tool_choice`` and these tools; the script's calls stand unless another one is named."""
    if choice == "none":
        return Answer(say=answer.say or "") if answer.makes_calls else answer
    wanted = choice["name"] if isinstance(choice, dict) else None
    calls_wanted = answer.makes_calls if wanted is None else any(call.name == wanted for call in answer.all_calls)
    if calls_wanted or (wanted is None and choice != "required"):
        return answer
    for tool in tools:
        if tool["type"] == "function" and wanted in (None, tool["name"]):
            return Answer(call=Call(name=tool["name"], arguments=_arguments(tool.get("parameters") or {})))
    return answer


def _arguments(schema: Event) -> Event:
    made = example(schema)
    return made if isinstance(made, dict) else {}
