"""Makes tools of Python functions: name, description and JSON Schema come from signature and docstring."""

import importlib
import inspect
import re
import sys
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind

from gateway.config.checks.tool_schema import inlined, refusals
from gateway.function import CallContext, PythonCall

_SECTION = re.compile(r"(Args|Arguments|Parameters|Returns|Raises|Yields|Examples?|Notes?):\s*")
_ARGUMENT = re.compile(r"\*{0,2}(\w+)(?:\s*\([^)]*\))?:\s*(.*)")
_NOT_TAKEN: dict[Any, str] = {
    inspect.Parameter.VAR_POSITIONAL: "takes any arguments (*{}), expected named ones alone",
    inspect.Parameter.VAR_KEYWORD: "takes any arguments (**{}), expected named ones alone",
    inspect.Parameter.POSITIONAL_ONLY: "takes {} by its position alone, expected parameters that have names",
}


class PythonToolError(ValueError):
    """A function that cannot be a tool; the message says why, in one line."""


@dataclass(frozen=True)
class PythonFunction:
    """A function as a tool: ``name``, ``description`` (may be empty) and ``parameters`` are what the model sees."""

    name: str
    description: str
    parameters: dict[str, Any]
    run: PythonCall


def load(reference: str, folder: Path) -> PythonFunction:
    """Return the tool for ``package.module:function``; modules are also searched for in ``folder``.

    The module is imported once in the life of the process. Raises PythonToolError.
    """
    module, _, name = reference.partition(":")
    function = _imported(module, name, folder)
    if not callable(function) or inspect.isclass(function):
        raise PythonToolError(f"{reference} is no function, expected async def {name}(…) or def {name}(…)")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise PythonToolError(f"{reference} yields its results, expected a function that returns one")
    blocks = not inspect.iscoroutinefunction(function) and not inspect.iscoroutinefunction(_called(function))
    about, described = _described(inspect.getdoc(function) or "")
    try:
        taken, context = _parameters(function, described)
        arguments = _arguments(name, taken)
        parameters = _schema(arguments)
    except PythonToolError as error:
        raise PythonToolError(f"{reference} {error}") from None
    if _backtracks(arguments.__pydantic_core_schema__):
        raise PythonToolError(
            f"{reference} has a pattern that Python's re matches, which can stop all calls, expected it as a text"
        )
    return PythonFunction(name, about, parameters, PythonCall(function, context, arguments, in_thread=blocks))


def _called(function: Any) -> Any:
    """Return the method that a call of an object runs; ``None`` for a function."""
    return None if inspect.isroutine(function) else getattr(function, "__call__", None)  # noqa: B004 -- not whether


def _backtracks(schema: Any) -> bool:
    """Return ``True`` if a core schema of pydantic uses Python's engine for patterns, or holds a compiled one."""
    if isinstance(schema, re.Pattern):
        return True
    if isinstance(schema, dict):
        is_python = schema.get("regex_engine") == "python-re"
        return is_python or any(_backtracks(value) for key, value in schema.items() if key != "metadata")
    return isinstance(schema, list | tuple) and any(_backtracks(value) for value in schema)


def _imported(module: str, name: str, folder: Path) -> Any:
    beside = str(folder.resolve())
    if beside not in sys.path:  # at the end: a file there must not take the place of a module that is installed
        sys.path.append(beside)
    importlib.invalidate_caches()
    try:
        found = getattr(importlib.import_module(module), name)
    except (Exception, SystemExit) as error:  # noqa: BLE001 -- the operator's code, which can raise anything
        said = " ".join(str(error).split())
        raise PythonToolError(f"{module}:{name} cannot be imported: {type(error).__name__}: {said}") from None
    return found


def _parameters(function: Callable[..., Any], described: dict[str, str]) -> tuple[dict[str, tuple[Any, Any]], str]:
    """Return the parameters that the model gives, as pydantic's fields, and the one that takes the context."""
    hints = _hints(function)
    taken: dict[str, tuple[Any, Any]] = {}
    contexts = []
    for name, parameter in inspect.signature(function).parameters.items():
        if problem := _NOT_TAKEN.get(parameter.kind):
            raise PythonToolError(problem.format(name))
        if name not in hints:
            raise PythonToolError(f"has a parameter {name} without a type, expected such as {name}: str")
        if _bare(hints[name]) is CallContext:
            contexts.append(name)
            continue
        if name.startswith("_") or hasattr(BaseModel, name):
            raise PythonToolError(f"has a parameter {name}, a name that no tool can have, expected another")
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        hint = hints[name]
        if name in described and not _is_described(hint):
            hint = typing.Annotated[hint, Field(description=described[name])]
        taken[name] = (hint, default)
    if len(contexts) > 1:
        raise PythonToolError(f"takes the CallContext twice ({', '.join(contexts)}), expected it once")
    return taken, contexts[0] if contexts else ""


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    annotated = function if hasattr(function, "__annotations__") else _called(function)
    try:
        return typing.get_type_hints(annotated, include_extras=True)
    except Exception as error:  # noqa: BLE001 -- annotations are the operator's code, which can raise anything
        raise PythonToolError(f"has annotations that mean nothing: {type(error).__name__}: {error}") from None


def _bare(hint: Any) -> Any:
    return typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Annotated else hint


def _is_described(hint: Any) -> bool:
    return any(getattr(note, "description", None) for note in getattr(hint, "__metadata__", ()))


def _arguments(name: str, taken: dict[str, tuple[Any, Any]]) -> type[BaseModel]:
    """Return the model of the arguments, which refuses an argument that the function does not have."""
    fields: dict[str, Any] = taken
    config = ConfigDict(extra="forbid", protected_namespaces=())
    try:
        return create_model(name, __config__=config, **fields)
    except (PydanticUserError, TypeError, ValueError, NameError) as error:
        raise PythonToolError(f"has parameters of a type that no JSON can have: {_first_line(error)}") from None


class _Schema(GenerateJsonSchema):
    """Makes a schema without pydantic's titles, and without defaults that JSON cannot express."""

    def emit_warning(self, kind: JsonSchemaWarningKind, detail: str) -> None:
        pass  # such a default is left out, and the function has it all the same

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _schema(arguments: type[BaseModel]) -> dict[str, Any]:
    try:
        schema = inlined(arguments.model_json_schema(schema_generator=_Schema))
    except (PydanticUserError, ValueError) as error:
        raise PythonToolError(f"has parameters that JSON Schema cannot describe: {_first_line(error)}") from None
    plain: dict[str, Any] = _without_titles(schema)
    plain.setdefault("properties", {})
    for path, message in refusals(plain):
        where = ".".join(str(part) for part in path if part != "properties")
        raise PythonToolError(f"has a parameter that the service does not take: {where}: {message}")
    return plain


def _without_titles(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_titles(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _without_titles(value)
        for key, value in node.items()
        if not (key == "title" and isinstance(value, str)) and not (key == "discriminator" and "propertyName" in value)
    }


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _described(docstring: str) -> tuple[str, dict[str, str]]:
    """Return a docstring's text on its function, and on each parameter of its section ``Args:`` (Google style)."""
    lines = docstring.splitlines()
    start = next((index for index, line in enumerate(lines) if _SECTION.fullmatch(line)), len(lines))
    return "\n".join(lines[:start]).strip(), dict(_arguments_described(lines[start:]))


def _arguments_described(lines: list[str]) -> Iterator[tuple[str, str]]:
    section, name = "", ""
    text: list[str] = []
    margin: int | None = None
    for line in [*lines, "End:"]:
        is_header = not line.startswith((" ", "\t")) and line.strip()
        indent = len(line) - len(line.lstrip())
        margin = indent if margin is None and section and line.strip() and not is_header else margin
        match = _ARGUMENT.fullmatch(line.strip()) if section and indent == margin and not is_header else None
        if (is_header or match) and name:
            yield name, " ".join(text).strip()
            name = ""
        if is_header:
            section = line if line.startswith(("Args:", "Arguments:", "Parameters:")) else ""
            margin = None
        elif match:
            name, text = match[1], [match[2]]
        elif name:
            text.append(line.strip())
