"""Checks arguments by a JSON Schema, with patterns that match in linear time. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator, ValidationError, validators
from referencing import Registry

from gateway.patterns import matches


def validator(schema: Mapping[str, Any]) -> Draft202012Validator:
    """Return what checks arguments by ``schema``; a reference to another document is never fetched."""
    checks: Draft202012Validator = _Validator(schema, registry=Registry())
    return checks


def _pattern(checks: Any, pattern: str, value: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(value, str) and not matches(pattern, value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _pattern_properties(checks: Any, patterns: Mapping[str, Any], value: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(value, dict):
        for pattern, inner in patterns.items():
            for name in value:
                if matches(pattern, name):
                    yield from checks.descend(value[name], inner, path=name, schema_path=pattern)


def _additional_properties(checks: Any, rest: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(value, dict):
        return
    names = list(_additional(value, schema))
    if isinstance(rest, Mapping):
        for name in names:
            yield from checks.descend(value[name], rest, path=name)
    elif rest is False and names:
        told = f"{', '.join(map(repr, names))} {'was' if len(names) == 1 else 'were'} unexpected"
        yield ValidationError(f"Additional properties are not allowed ({told})")


def _additional(names: Iterable[str], schema: Mapping[str, Any]) -> Iterator[str]:
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    return (name for name in names if name not in known and not any(matches(each, name) for each in patterns))


_Validator: Any = validators.extend(  # type: ignore[no-untyped-call]  # jsonschema leaves it untyped
    Draft202012Validator,
    {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
    },
)
