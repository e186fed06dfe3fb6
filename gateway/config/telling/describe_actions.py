"""Describes in words the actions of a line's bot, for ``gateway check``."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from gateway.config.checks.tools import needs_approval
from gateway.config.line.line import Line
from gateway.config.line.placeholders import OF_THE_CALL
from gateway.config.line.placeholders import found as placeholders
from gateway.config.line.tools import HttpTool, McpTool
from gateway.function import Function, HttpCall

SLOW_S = 5
"""Seconds of silence after which callers think that the call has ended."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def action_rows(line: Line) -> Iterator[tuple[str, str]]:
    """Return tools, transfers, keys and hours, one row each."""
    settings = line.settings
    if not settings.tools:
        yield "tools", "none"
    chosen = settings.tool_choice
    words = {"required": "always uses one", "none": "uses none", "auto": ""}
    choice = words[chosen] if isinstance(chosen, str) else f"always uses {chosen.function}"
    if how := [word for word in (choice, "several at once" if settings.parallel_tool_calls else "") if word]:
        yield "tool use", ", ".join(how)
    functions = iter(line.functions)
    for tool in settings.tools:
        match tool:
            case str():
                yield "tool", f"{tool}, built in"
            case McpTool():
                yield "tool", _mcp(tool)
            case _:
                yield "tool", _function(next(functions))
    for name, target in settings.transfers.items():
        about = f": {target.description}" if target.description else ""
        announced = f", after {target.announce!r}" if target.announce else ""
        yield "transfer", f"{name} to {target.to}{about}{announced}"
    yield from _key_rows(line)
    if hours := settings.hours:
        opening = "; ".join(f"{days} {spans}" for days, spans in hours.open.items())
        holidays = f"; closed on {', '.join(hours.holidays)}" if hours.holidays else ""
        yield "hours", f"{opening} ({settings.timezone}){holidays}"
        closed = hours.closed
        steps = [f"says {closed.say!r}" if closed.say else "", f"plays {closed.play}" if closed.play else ""]
        steps.append(f"transfers to {closed.transfer}" if closed.transfer else "ends the call")
        yield "closed", ", then ".join(step for step in steps if step)


def _key_rows(line: Line) -> Iterator[tuple[str, str]]:
    settings = line.settings
    for key, action in settings.on_key.items():
        does = f"transfers to {action.transfer}" if action.transfer else f"says {action.say!r}" if action.say else ""
        yield "key", f"{key} {does or 'ends the call'}"
    if digits := settings.digits:
        ends = f"{digits.finish_on} or a pause" if digits.finish_on else "a pause"
        yield "digits", f"given to the model, an entry ends by {ends} of {digits.pause_s:g} s"


def _function(function: Function) -> str:
    run = function.run
    if isinstance(run, HttpCall):
        how = f"{run.method} to {urlsplit(run.url).netloc}{', signed' if run.secret else ''}"
    else:
        how = f"{run.function.__module__}.{getattr(run.function, '__name__', function.name)} in Python"
    optional = [name for name in function.parameters.get("properties", {}) if name not in _required(function)]
    named = [*_required(function), *(f"{name}?" for name in optional)]
    named += [f"{secret.parameter} (keyed in secret)" for secret in function.secrets]
    return f"{function.name}({', '.join(named)}): {how}, {function.timeout_s:g} s at most{_waiting(function)}"


def _waiting(tool: Function | McpTool) -> str:
    return f", says {tool.while_waiting.say!r} meanwhile" if tool.while_waiting else ""


def _required(function: Function) -> list[str]:
    return list(function.parameters.get("required", ()))


def _mcp(tool: McpTool) -> str:
    server, approval = tool.mcp, tool.approval
    tools = ", ".join(server.allowed_tools) if server.allowed_tools else "all its tools"
    if approval and needs_approval(tool):
        key = f"key {approval.key}" if approval.key else ""
        how = f"asks {approval.ask!r}, yes by {' or '.join(w for w in (key, ', '.join(approval.words)) if w)}"
    else:
        how = "without asking"
    return f"{server.server_label}: MCP server at {urlsplit(server.server_url).netloc}, {tools}, {how}{_waiting(tool)}"


def wants_keys(line: Line) -> list[str]:
    """Return the settings of the line that need the phone's keys."""
    settings = line.settings
    wanted = [f"on_key.{key}" for key in settings.on_key]
    wanted += ["digits"] if settings.digits else []
    wanted += ["recording.consent"] if settings.recording and settings.recording.consent else []
    wanted += ["commit_on"] if settings.commit_on else []
    wanted += [f"tools: {function.name}" for function in line.functions if function.secrets]
    approvals = [tool.approval for tool in settings.tools if isinstance(tool, McpTool) and tool.approval]
    wanted += ["approval.key" for approval in approvals if approval.key and not approval.words]
    return wanted


def action_warnings(line: Line) -> Iterator[str]:
    """Yield a warning for each of these settings that is allowed but may not be intended."""
    settings = line.settings
    greeting, hours = settings.greeting, settings.hours
    if greeting and greeting.play and not greeting.text:
        yield f"{line.name}: greeting: no text beside play, so the model does not know what was said"
    if hours and hours.closed.play and not hours.closed.text:
        yield f"{line.name}: hours.closed: no text beside play, so no record has what was said"
    if "transfer_call" in settings.tools:
        for name, target in settings.transfers.items():
            if not target.description:
                yield f"{line.name}: transfers.{name}: no description, the model has its name alone to choose by"
    for index, tool in enumerate(settings.tools):
        key = f"{line.name}: tools[{index}]"
        if isinstance(tool, HttpTool) and not is_private(tool.http.url):
            yield f"{key}.http.url: is not encrypted, expected https:// outside of this machine"
        if isinstance(tool, McpTool):
            yield from _mcp_warnings(tool, key)
    yield from _spoken_as_written(line)
    yield from _silent_waits(line)


def _mcp_warnings(tool: McpTool, key: str) -> Iterator[str]:
    server = tool.mcp
    if not is_private(server.server_url):
        yield f"{key}.mcp.server_url: is not encrypted, expected https:// outside of this machine"
    if server.require_approval == "never" and server.allowed_tools is None:
        yield f"{key}.mcp.require_approval: never, for all tools that {server.server_label} has or will have"
    if tool.approval and not needs_approval(tool):
        yield f"{key}.approval: is never asked for, no tool needs it"


def _spoken_as_written(line: Line) -> Iterator[str]:
    """Yield a warning for placeholders in texts that the provider's own voice speaks, which fills none in."""
    names = (*OF_THE_CALL, *line.settings.variables, *line.settings.parameters)
    for key, wanted in line.following.items():
        if pieces := placeholders(wanted.say or "", names):
            said = ", ".join(pieces)
            yield f"{line.name}: {key}.say: {said} is spoken as written, expected words without placeholders"


def _silent_waits(line: Line) -> Iterator[str]:
    interim = line.settings.interim_response
    if interim and "tool" in interim.triggers:
        return
    for function in line.functions:
        if function.timeout_s > SLOW_S and not function.while_waiting:
            bound = f"up to {function.timeout_s:g} s of silence"
            yield f"{line.name}: {function.name}: {bound}, expected while_waiting, or timeout_s of {SLOW_S} at most"


def is_private(url: str) -> bool:
    """Return ``True`` if nobody on the way can read what goes to ``url``: https, or this machine itself."""
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in _LOOPBACK
