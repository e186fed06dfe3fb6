"""The parameters of a function tool: the schemas that the service accepts, and arguments that such a schema admits."""

from collections.abc import Iterator
from typing import Any

from gateway.sim.emulator.record import Event

_TYPES = frozenset(("string", "integer", "number", "boolean", "array", "object", "null"))
_REFUSED = ("allOf", "not", "if", "then", "else")
_BRANCHES = ("anyOf", "oneOf")
_LISTS = (*_BRANCHES, "prefixItems")
_MAPS = ("properties", "patternProperties", "$defs", "definitions")
_EXAMPLES: dict[str, Any] = {
    "string": "example",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "array": [],
    "null": None,
}
WHAT_IS_TAKEN = f"every branch of anyOf and oneOf needs a type, and {', '.join(_REFUSED)} are not permitted"


def is_taken(schema: Any) -> bool:
    """Return whether ``schema`` is a JSON Schema, of those keywords that the service permits."""
    if not isinstance(schema, dict):
        return isinstance(schema, bool)
    if any(key in schema for key in _REFUSED) or not _is_well_formed(schema):
        return False
    branches = [branch for key in _BRANCHES for branch in schema.get(key, ())]
    if any(not isinstance(branch, dict) or not branch.keys() & {"type", "$ref"} for branch in branches):
        return False
    return all(is_taken(inner) for inner in _within(schema))


def _is_well_formed(schema: Event) -> bool:
    kinds = schema.get("type", "object")
    return (
        all(isinstance(kind, str) and kind in _TYPES for kind in (kinds if isinstance(kinds, list) else [kinds]))
        and all(isinstance(schema.get(key, []), list) for key in (*_LISTS, "required", "enum"))
        and all(isinstance(schema.get(key, {}), dict) for key in _MAPS)
        and all(isinstance(name, str) for name in schema.get("required", ()))
        and schema.get("enum") != []
    )


def _within(schema: Event) -> Iterator[Any]:
    """Return the schemas inside; a property may well be called "not"."""
    for key in _MAPS:
        yield from schema.get(key, {}).values()
    for key in _LISTS:
        yield from schema.get(key, ())
    for key in ("items", "additionalProperties"):
        if key in schema:
            yield from schema[key] if isinstance(schema[key], list) else (schema[key],)


def example(schema: Any) -> Any:
    """Return a value that ``schema`` (see :func:`is_taken`) admits, with its required properties alone."""
    if not isinstance(schema, dict):
        return "example"
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    for key in _BRANCHES:
        if schema.get(key):
            return example(schema[key][0])
    kinds = schema.get("type", "object")
    kind = next((name for name in kinds if name != "null"), "null") if isinstance(kinds, list) else kinds
    if kind != "object":
        return _EXAMPLES[kind]
    properties = schema.get("properties", {})
    return {name: example(properties.get(name, True)) for name in schema.get("required", ())}
