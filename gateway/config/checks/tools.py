"""Checks of a line's tools, so that mistakes are reported before the first call."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.config.checks.tool_schema import refusals
from gateway.config.line.line import OneFunction, Settings
from gateway.config.line.models import traits_of
from gateway.config.line.parameters import Parameter, SecretParameter, is_json_schema, plain, schema_of
from gateway.config.line.tools import ApprovedTools, HttpTool, McpTool, PythonTool
from gateway.config.reading.problems import Finding, KeyPath, listed

_PIECE = re.compile(r"\{([^{}]*)\}|[{}]")


def tools_and_model(settings: Settings, model: str) -> Iterator[Finding]:
    """Refuse tools with azure-realtime, and MCP servers with phi models."""
    if settings.tools and traits_of(model).azure_realtime:
        yield ("tools",), f"model {model} takes no tools, expected none"
        return
    for index, tool in enumerate(settings.tools):
        if isinstance(tool, McpTool) and not traits_of(model).mcp:
            yield ("tools", index, "mcp"), f"model {model} takes no MCP servers, expected none"


def tool_choice_and_tools(settings: Settings, model: str) -> Iterator[Finding]:
    """Require a tool if ``tool_choice`` is ``required``, and the named one if it is one function."""
    choice = settings.tool_choice
    if choice == "required" and not settings.tools:
        yield ("tool_choice",), "required needs at least one of tools"
    if isinstance(choice, OneFunction) and choice.function not in (names := _function_names(settings)):
        expected = f"expected one of {listed(names)}" if names else "expected tools with that function"
        yield ("tool_choice", "function"), f"{choice.function} is no function of the line, {expected}"


def _function_names(settings: Settings) -> list[str]:
    """Return the names by which the model calls the line's functions; those of MCP servers are the service's."""
    functions = (tool for tool in settings.tools if not isinstance(tool, McpTool))
    return [
        tool
        if isinstance(tool, str)
        else tool.name or (tool.python.rpartition(":")[2] if isinstance(tool, PythonTool) else "")
        for tool in functions
    ]


def tools_once(settings: Settings, model: str) -> Iterator[Finding]:
    """Refuse a built-in tool that is listed twice; ``line_functions`` checks the names of the other tools."""
    for index, tool in enumerate(settings.tools):
        if isinstance(tool, str) and tool in settings.tools[:index]:
            yield ("tools", index), f"{tool} stands there twice"


def transfer_call_and_transfers(settings: Settings, model: str) -> Iterator[Finding]:
    """Require targets for ``transfer_call``: the model chooses among the line's own only."""
    for index, tool in enumerate(settings.tools):
        if tool == "transfer_call" and not settings.transfers:
            yield ("tools", index), 'transfer_call needs transfers, such as transfers: {desk: "+14255550199"}'


def http_tools(settings: Settings, model: str) -> Iterator[Finding]:
    """Require parameters that the service takes, complete addresses, and no secrets in addresses."""
    for index, tool in enumerate(settings.tools):
        if isinstance(tool, HttpTool):
            key: KeyPath = ("tools", index)
            for below, message in list(_parameters(tool.parameters)) or (*_address(tool), *_secrets(tool)):
                yield (*key, *below), message


def _parameters(parameters: Mapping[str, Any]) -> Iterator[Finding]:
    if is_json_schema(parameters):
        for path, message in refusals(plain(parameters)):
            yield ("parameters", *path), message
        properties = parameters.get("properties")
        for name, schema in properties.items() if isinstance(properties, Mapping) else ():
            if isinstance(schema, Mapping) and "secret" in schema:
                message = "is no word of JSON Schema, expected secret parameters in the short form of parameters"
                yield ("parameters", "properties", name, "secret"), message
        return
    for name, parameter in parameters.items():
        if isinstance(parameter, Parameter) and parameter.enum and parameter.type != "string":
            yield ("parameters", name, "enum"), f"needs type string, found {parameter.type}"


def _address(tool: HttpTool) -> Iterator[Finding]:
    url, schema = tool.http.url, schema_of(tool.parameters)
    required = schema.get("required", [])
    names = [name for name in schema.get("properties", {}) if name in required]
    path_begins = re.match(r"[A-Za-z]+://[^/?#]*", url)
    for match in _PIECE.finditer(url):
        piece, name = match[0], match[1]
        key: KeyPath = ("http", "url")
        if isinstance(tool.parameters.get(name or ""), SecretParameter):
            yield key, f"{piece} is a secret parameter, expected it in the request's body alone"
        elif name not in names:
            known = f"one of its required parameters, {listed(names)}" if names else "no placeholder"
            yield key, f"{piece} is no required parameter, expected {known}"
        elif path_begins and match.start() < path_begins.end():
            yield key, f"{piece} stands in the host, where the model may not choose, expected it after the host"


def _secrets(tool: HttpTool) -> Iterator[Finding]:
    secrets = [name for name, each in tool.parameters.items() if isinstance(each, SecretParameter)]
    if secrets and tool.http.method == "GET":
        message = "GET would put the secret parameter into the address, expected POST, PUT, PATCH or DELETE"
        yield ("http", "method"), message


def covered_twice(settings: Settings, model: str) -> Iterator[Finding]:
    """Refuse that both the service and the gateway fill the wait for a tool."""
    interim = settings.interim_response
    if interim is None or "tool" not in interim.triggers:
        return
    for index, tool in enumerate(settings.tools):
        if isinstance(tool, HttpTool | PythonTool | McpTool) and tool.while_waiting:
            message = "the line's interim_response fills the wait for tools, expected one of them"
            yield ("tools", index, "while_waiting"), message


def mcp_approval(settings: Settings, model: str) -> Iterator[Finding]:
    """Require ``approval`` if a tool needs a yes: on a phone the caller must be asked for it."""
    for index, tool in enumerate(settings.tools):
        if not isinstance(tool, McpTool):
            continue
        key: KeyPath = ("tools", index)
        approval = tool.approval
        if approval is None and needs_approval(tool):
            message = "needs approval, how the caller is asked: {ask: …, key: …, words: […]}; or never"
            yield (*key, "mcp", "require_approval"), message
        if approval and not (approval.key or approval.words):
            yield (*key, "approval"), "has no way to say yes, expected key, words or both"
        if approval and approval.key in settings.on_key:
            yield (*key, "approval", "key"), f"{approval.key} is also a key of on_key, expected another"
        if isinstance(tool.mcp.require_approval, ApprovedTools):
            yield from _listed_once(tool.mcp.require_approval, (*key, "mcp", "require_approval"))


def needs_approval(tool: McpTool) -> bool:
    """Return ``True`` if a tool of the server may need the caller's yes."""
    required, allowed = tool.mcp.require_approval, tool.mcp.allowed_tools
    if isinstance(required, str):
        return required == "always"
    return allowed is None or any(name not in required.never for name in allowed)


def _listed_once(lists: ApprovedTools, key: KeyPath) -> Iterator[Finding]:
    for index, name in enumerate(lists.always):
        if name in lists.never:
            yield (*key, "always", index), f"{name} is also in never, expected it in one of them"


RULES = (
    tools_and_model,
    tool_choice_and_tools,
    tools_once,
    transfer_call_and_transfers,
    http_tools,
    covered_twice,
    mcp_approval,
)
