from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gateway.config.checks.tool_schema import inlined, refusals

BRANCH = "the service refuses a branch without a type, expected a type in each"
LINEAR = "expected a regular expression without look-around and back references"
LOOK = f"look-around, including look-ahead and look-behind, is not supported, {LINEAR}"
KEYWORD = "the service refuses it in a tool, expected none of allOf, not, if, then and else"


def schema(**properties: Any) -> dict[str, Any]:
    """An object schema."""
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    "taken",
    [
        {"type": "object"},
        schema(n={"type": ["integer", "null"]}),
        schema(n={"anyOf": [{"type": "string"}, {"type": "null"}]}),
        schema(**{"not": {"type": "string"}, "if": {"type": "string"}, "anyOf": {"type": "string"}}),
        schema(list={"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}}),
        {**schema(a={"$ref": "#/$defs/A"}), "$defs": {"A": {"type": "string"}}},
        {**schema(), "additionalProperties": False},
        schema(a={"type": "string", "pattern": r"^(\w+\s?)*$"}),
        {**schema(), "patternProperties": {"^x-": {"type": "string"}}, "additionalProperties": False},
    ],
)
def test_what_the_service_takes_is_taken(taken: dict[str, Any]) -> None:
    """Properties may have any name, also one that is a keyword elsewhere."""
    assert refusals(taken) == []


@pytest.mark.parametrize(
    ("refused", "path", "message"),
    [
        ({**schema(), "anyOf": [{"required": ["a"]}]}, ("anyOf", 0), BRANCH),
        (schema(a={"oneOf": [{"type": "string"}, {}]}), ("properties", "a", "oneOf", 1), BRANCH),
        (schema(a={"anyOf": [True]}), ("properties", "a", "anyOf", 0), BRANCH),
        ({**schema(), "allOf": []}, ("allOf",), KEYWORD),
        (schema(a={"not": {"type": "string"}}), ("properties", "a", "not"), KEYWORD),
        (
            schema(a={"type": "array", "items": {"if": {}}}),
            ("properties", "a", "items", "if"),
            KEYWORD,
        ),
        (schema(a={"type": "string", "pattern": "(?=x)"}), ("properties", "a", "pattern"), LOOK),
        (schema(a={"type": "string", "pattern": "("}), ("properties", "a", "pattern"), f"unclosed group, {LINEAR}"),
        ({**schema(), "patternProperties": {"(?!x)": {}}}, ("patternProperties", "(?!x)"), LOOK),
        ({**schema(), "propertyNames": {"pattern": "(?<=x)"}}, ("propertyNames", "pattern"), LOOK),
        (
            {**schema(), "dependentSchemas": {"a": {"properties": {"b": {"pattern": "(?=x)"}}}}},
            ("dependentSchemas", "a", "properties", "b", "pattern"),
            LOOK,
        ),
        (
            {**schema(), "patternProperties": {"x": {}}, "unevaluatedProperties": False},
            ("unevaluatedProperties",),
            "stands with patternProperties, expected additionalProperties",
        ),
        (schema(a={"type": "strng"}), ("properties", "a", "type"), "unknown type, did you mean string?"),
        (
            schema(a={"type": 5}),
            ("properties", "a", "type"),
            "unknown type, expected string, integer, number, boolean, array, object or null",
        ),
        (
            schema(a={"$ref": "#/$defs/None"}),
            ("properties", "a", "$ref"),
            "leads nowhere, expected such as #/$defs/name of the same schema",
        ),
        (schema(a={"$dynamicRef": "#a"}), ("properties", "a", "$dynamicRef"), "is not followed, expected $ref"),
        (
            {**schema(a={"$ref": "#/$defs/group/a"}), "$defs": {"group": {"a": {"not": {}}}}},
            ("properties", "a", "$ref", "not"),
            "the service refuses it in a tool, expected none of allOf, not, if, then and else",
        ),
        (
            {"type": "object", "properties": []},
            ("properties",),
            "is not a valid JSON Schema (draft 2020-12): [] is not of type 'object'",
        ),
        (
            {**schema(), "required": "x" * 200},
            ("required",),
            f"is not a valid JSON Schema (draft 2020-12): '{'x' * 118}…",
        ),
        (
            {**schema(), "required": "a"},
            ("required",),
            "is not a valid JSON Schema (draft 2020-12): 'a' is not of type 'array'",
        ),
    ],
)
def test_what_the_service_refuses_is_told(refused: dict[str, Any], path: tuple[Any, ...], message: str) -> None:
    """With its place in the schema."""
    assert refusals(refused) == [(path, message)]


def test_references_are_put_where_they_are_used() -> None:
    """What stands beside a reference goes with it; the result admits the same."""
    with_references = {
        **schema(a={"$ref": "#/$defs/A", "description": "first"}, b={"type": "array", "items": {"$ref": "#/$defs/B"}}),
        "$defs": {"A": {"type": "string"}, "B": {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}}},
    }
    without = inlined(with_references)
    assert without["properties"]["a"] == {"type": "string", "description": "first"}
    assert "$" not in str(without)
    for value in ({"a": "x", "b": [{"a": "y"}]}, {"b": [{"a": 5}]}):
        admitted = [Draft202012Validator(each).is_valid(value) for each in (with_references, without)]
        assert admitted[0] is admitted[1]


def test_a_schema_that_refers_to_itself_cannot_be_put_in() -> None:
    """It has no end."""
    tree = {**schema(a={"$ref": "#/$defs/Tree"}), "$defs": {"Tree": schema(child={"$ref": "#/$defs/Tree"})}}
    with pytest.raises(ValueError, match="Tree refers to itself"):
        inlined(tree)


def test_a_pattern_is_checked_wherever_a_reference_leads() -> None:
    """Also to a place where no schema is looked for: its first call would fail."""
    hidden = {"group": {"a": {"pattern": "(?=a)"}}}
    ((place, told),) = refusals({**schema(a={"$ref": "#/$defs/group/a"}), "$defs": hidden})
    assert place == ("properties", "a", "$ref", "pattern")
    assert "look-around" in told
