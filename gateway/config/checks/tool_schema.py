"""Checks the JSON Schema of a function tool's parameters for what the service does not take.

A session with a schema that the service does not take is refused as a whole: branches of ``anyOf`` and ``oneOf`` need a
type, and ``allOf``, ``not``, ``if``, ``then`` and ``else`` are not permitted.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator, SchemaError

from gateway.config.reading.problems import Finding, KeyPath, listed, suggestion
from gateway.patterns import problem

_TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")
_REFUSED = ("allOf", "not", "if", "then", "else")
_BRANCHES = ("anyOf", "oneOf")
_LISTS = (*_BRANCHES, "prefixItems")
_MAPS = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions")
_SINGLE = ("items", "additionalProperties", "contains", "propertyNames", "unevaluatedProperties", "unevaluatedItems")


def refusals(schema: Mapping[str, Any]) -> list[Finding]:
    """Return what the service would not take in ``schema``, each with its place."""
    return list(_refused(schema, ())) or [*_malformed(schema), *_lost_references(schema, schema, ())]


def _refused(schema: Any, path: KeyPath) -> Iterator[Finding]:
    if not isinstance(schema, Mapping):
        return
    for key in _REFUSED:
        if key in schema:
            yield (*path, key), "the service refuses it in a tool, expected none of allOf, not, if, then and else"
    yield from _unknown_types(schema, path)
    yield from _patterns(schema, path)
    for key in _BRANCHES:
        for index, branch in enumerate(_listed(schema, key)):
            if not isinstance(branch, Mapping) or "type" not in branch:
                yield (*path, key, index), "the service refuses a branch without a type, expected a type in each"
    for below, inner in _within(schema):
        yield from _refused(inner, (*path, *below))


def _unknown_types(schema: Mapping[str, Any], path: KeyPath) -> Iterator[Finding]:
    kinds = schema.get("type", ())
    for kind in kinds if isinstance(kinds, list | tuple) else (kinds,):
        if kind not in _TYPES:
            hint = suggestion(kind, _TYPES) if isinstance(kind, str) else f"expected {listed(_TYPES)}"
            yield (*path, "type"), f"unknown type, {hint}"


def _patterns(schema: Mapping[str, Any], path: KeyPath) -> Iterator[Finding]:
    """Yield patterns that cannot be matched in linear time: with them a caller's words could block all calls."""
    wanted = "expected a regular expression without look-around and back references"
    named = schema.get("patternProperties")
    given: list[tuple[KeyPath, Any]] = [(("patternProperties", each), each) for each in named or ()]
    given += [(("pattern",), schema["pattern"])] if "pattern" in schema else []
    for below, pattern in given:
        if isinstance(pattern, str) and (why := problem(pattern)):
            yield (*path, *below), f"{why}, {wanted}"
    if "unevaluatedProperties" in schema and _has(schema, "patternProperties"):
        yield (*path, "unevaluatedProperties"), "stands with patternProperties, expected additionalProperties"


def _has(schema: Any, key: str) -> bool:
    return isinstance(schema, Mapping) and (key in schema or any(_has(inner, key) for _, inner in _within(schema)))


def _malformed(schema: Mapping[str, Any]) -> Iterator[Finding]:
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        said = error.message if len(error.message) <= 120 else error.message[:119] + "…"
        yield tuple(error.absolute_path), f"is not a valid JSON Schema (draft 2020-12): {said}"


def _lost_references(schema: Any, whole: Mapping[str, Any], path: KeyPath) -> Iterator[Finding]:
    if not isinstance(schema, Mapping):
        return
    if "$dynamicRef" in schema:
        yield (*path, "$dynamicRef"), "is not followed, expected $ref"
    if isinstance(reference := schema.get("$ref"), str):
        referred = _referred(reference, whole)
        if referred is None:
            yield (*path, "$ref"), "leads nowhere, expected such as #/$defs/name of the same schema"
        else:  # it may be in a place that is not searched for schemas
            yield from _refused(referred, (*path, "$ref"))
    for below, inner in _within(schema):
        yield from _lost_references(inner, whole, (*path, *below))


def _within(schema: Mapping[str, Any]) -> Iterator[tuple[KeyPath, Any]]:
    """Yield the schemas inside ``schema``; a property named "not" is not taken for the keyword."""
    for key in _MAPS:
        inner = schema.get(key)
        yield from (((key, name), value) for name, value in inner.items()) if isinstance(inner, Mapping) else ()
    for key in _LISTS:
        yield from (((key, index), value) for index, value in enumerate(_listed(schema, key)))
    yield from (((key,), schema[key]) for key in _SINGLE if key in schema)


def _listed(schema: Mapping[str, Any], key: str) -> list[Any]:
    value = schema.get(key)
    return value if isinstance(value, list) else []


def _referred(reference: str, whole: Mapping[str, Any]) -> Mapping[str, Any] | None:
    found: Any = whole
    start, *parts = reference.split("/")
    for part in parts:
        found = found.get(part) if isinstance(found, Mapping) else None
    return found if start == "#" and isinstance(found, Mapping) else None


def inlined(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``schema`` with each ``$ref`` replaced by its target. Raises ValueError if one refers to itself."""
    whole = dict(schema)
    return dict(_inlined(whole, whole, ()))


def _inlined(node: Any, whole: Mapping[str, Any], around: tuple[str, ...]) -> Any:
    if isinstance(node, list):
        return [_inlined(item, whole, around) for item in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if isinstance(reference, str):
        if reference in around:
            raise ValueError(f"{reference.rpartition('/')[2]} refers to itself")
        beside = {key: value for key, value in node.items() if key != "$ref"}
        node, around = {**(_referred(reference, whole) or {}), **beside}, (*around, reference)
    return {key: _inlined(value, whole, around) for key, value in node.items() if key != "$defs"}
