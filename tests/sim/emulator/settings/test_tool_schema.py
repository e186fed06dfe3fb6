from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gateway.sim.emulator.settings.tool_schema import example, is_taken


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object", "properties": {"not": {"type": "string"}}, "required": ["not"]},
        {"required": ["a"], "properties": {"a": {"type": ["string", "null"]}}},
        {"required": ["a"], "properties": {"a": {"type": ["null"]}}},
        {"required": ["a"], "properties": {"a": {"enum": [3, 4]}}},
        {"required": ["a"], "properties": {"a": {"const": "x"}}},
        {"required": ["a"], "properties": {"a": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}},
        {"required": ["a", "b"], "properties": {"a": True}},
        {
            "required": ["a"],
            "properties": {"a": {"type": "array", "items": {"type": "object", "additionalProperties": False}}},
        },
    ],
)
def test_what_is_taken_has_an_example_that_it_admits(schema: dict[str, Any]) -> None:
    """The emulator calls a function that the client forces it to call with arguments that the client's check takes."""
    assert is_taken(schema)
    Draft202012Validator(schema).validate(example(schema))


@pytest.mark.parametrize(
    "schema",
    [
        {"anyOf": None},
        {"anyOf": 5},
        {"oneOf": {"type": "string"}},
        {"anyOf": [{"description": "no type"}]},
        {"required": 5},
        {"required": [5]},
        {"properties": []},
        {"properties": {"a": 5}},
        {"properties": {"a": {"enum": 5}}},
        {"properties": {"a": {"enum": []}}},
        {"properties": {"a": {"type": "text"}}},
        {"properties": {"a": {"type": 5}}},
        {"items": {"allOf": []}},
        {"additionalProperties": {"not": {}}},
        {"$defs": {"a": {"if": {}}}},
    ],
)
def test_what_is_no_schema_is_not_taken(schema: dict[str, Any]) -> None:
    """Nor what the service does not permit, at any depth."""
    assert not is_taken(schema)
