"""Checks arguments by a JSON Schema, with patterns and comparisons that take linear time. Pure."""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator, ValidationError, validators
from referencing import Registry

from gateway.patterns import matches


def validator(schema: Mapping[str, Any]) -> Draft202012Validator:
    """Return a validator of arguments by ``schema``; a reference to another document is never fetched."""
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
        unexpected = f"{', '.join(map(repr, names))} {'was' if len(names) == 1 else 'were'} unexpected"
        yield ValidationError(f"Additional properties are not allowed ({unexpected})")


def _additional(names: Iterable[str], schema: Mapping[str, Any]) -> Iterator[str]:
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    return (name for name in names if name not in known and not any(matches(each, name) for each in patterns))


def _unique_items(checks: Any, is_wanted: bool, value: Any, schema: Any) -> Iterator[ValidationError]:
    """Compare by hash: the library compares each item with all others, for seconds where there are thousands."""
    if is_wanted and isinstance(value, list) and len(set(map(_comparable, value))) < len(value):
        yield ValidationError("the items are not all different")


def _comparable(value: Any) -> Hashable:
    """Return a key that is equal for equal JSON values: true is not 1, but 1.0 is."""
    if isinstance(value, list):
        return "list", tuple(map(_comparable, value))
    if isinstance(value, dict):
        return "object", frozenset((name, _comparable(inner)) for name, inner in value.items())
    return isinstance(value, bool), value


_Validator: Any = validators.extend(  # type: ignore[no-untyped-call]  # jsonschema leaves it untyped
    Draft202012Validator,
    {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "uniqueItems": _unique_items,
    },
)
