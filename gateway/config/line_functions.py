"""Makes callable functions of a line's tools over HTTP and in Python."""

from collections.abc import Mapping
from pathlib import Path

from gateway.config.line.line import Settings
from gateway.config.line.parameters import schema_of, secrets_of
from gateway.config.line.tools import BUILT_IN, HttpTool, McpTool, PythonTool, is_tool_name
from gateway.config.line.tools import WhileWaiting as Waiting
from gateway.config.python_tools import PythonToolError, load
from gateway.config.reading.problems import Finding, KeyPath
from gateway.config.secrets import values_of
from gateway.function import Function, HttpCall, WhileWaiting
from gateway.text import unfit_inside


def functions_of(settings: Settings, folder: Path) -> tuple[dict[int, Function], list[Finding]]:
    """Return a line's functions by their place in the list of tools, and the mistakes of the other tools.

    Modules of Python functions are imported; they are also searched for in ``folder``.
    """
    functions: dict[int, Function] = {}
    problems: list[Finding] = []
    for index, tool in enumerate(settings.tools):
        if isinstance(tool, HttpTool):
            functions[index] = _over_http(tool)
        elif isinstance(tool, PythonTool):
            try:
                functions[index] = _in_python(tool, folder)
            except PythonToolError as error:
                problems.append((("tools", index, "python"), str(error)))
    return functions, problems + _names_taken(settings, functions)


def _over_http(tool: HttpTool) -> Function:
    http = tool.http
    return Function(
        name=tool.name,
        description=tool.description,
        parameters=schema_of(tool.parameters),
        run=HttpCall(http.method, http.url, dict(http.headers), *values_of(http.secret)),
        timeout_s=http.timeout_s,
        secrets=secrets_of(tool.parameters),
        while_waiting=_waiting(tool.while_waiting),
    )


def _in_python(tool: PythonTool, folder: Path) -> Function:
    """Return the function of a Python tool. Raises PythonToolError if it cannot be a tool."""
    found = load(tool.python, folder)
    description = tool.description or found.description
    if not description:
        raise PythonToolError(f"{tool.python} has no docstring, expected one, or a description here")
    name = tool.name or found.name
    if not is_tool_name(name):
        raise PythonToolError(f"{tool.python} has a name that is not fit for a tool, expected a name here")
    if problem := unfit_inside([description, found.parameters]):
        raise PythonToolError(f"{tool.python} holds {problem}, in its description or parameters, expected text")
    return Function(
        name=name,
        description=description,
        parameters=found.parameters,
        run=found.run,
        timeout_s=tool.timeout_s,
        while_waiting=_waiting(tool.while_waiting),
    )


def _waiting(section: Waiting | None) -> WhileWaiting | None:
    return WhileWaiting(section.say, section.after_s) if section else None


def _names_taken(settings: Settings, functions: Mapping[int, Function]) -> list[Finding]:
    """Return an error for each name that two tools have: the model could not distinguish them."""
    problems: list[Finding] = []
    owners: dict[str, str] = dict.fromkeys(BUILT_IN, "a built-in tool")
    for index, function in functions.items():
        key = "name" if getattr(settings.tools[index], "name", None) else "python"
        if owner := owners.get(function.name):
            problems.append((("tools", index, key), f"{function.name} is the name of {owner}, expected another"))
        owners.setdefault(function.name, f"tools[{index}]")
    servers: dict[str, int] = {}
    for index, tool in enumerate(settings.tools):
        if isinstance(tool, McpTool):
            label = tool.mcp.server_label
            if label in servers:
                where: KeyPath = ("tools", index, "mcp", "server_label")
                problems.append((where, f"{label} is the label of tools[{servers[label]}], expected another"))
            servers.setdefault(label, index)
    return problems
