"""Arguments checked by a JSON Schema: every keyword that matches a pattern does so in linear time."""

import json
import re
import time
from typing import Any

import jsonschema
import pytest

from gateway.tools.validation import validator

BOMB, SPEECH = r"^(\w+\s?)*$", "a" * 40 + "!"


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"properties": {"name": {"pattern": BOMB}}}, {"name": SPEECH}),
        ({"properties": {"names": {"items": {"pattern": BOMB}}}}, {"names": [SPEECH]}),
        ({"propertyNames": {"pattern": BOMB}}, {SPEECH: 1}),
        ({"patternProperties": {BOMB: {"type": "string"}}, "additionalProperties": False}, {SPEECH: 1}),
        ({"patternProperties": {"x": {}, BOMB: {}}, "additionalProperties": {"type": "string"}}, {SPEECH: 1}),
        ({"properties": {"a": {"anyOf": [{"type": "string", "pattern": BOMB}]}}}, {"a": SPEECH}),
        ({"$defs": {"n": {"pattern": BOMB}}, "properties": {"a": {"$ref": "#/$defs/n"}}}, {"a": SPEECH}),
        ({"properties": {"a": {"contains": {"pattern": BOMB}}}}, {"a": [SPEECH]}),
        ({"dependentSchemas": {"a": {"properties": {"b": {"pattern": BOMB}}}}}, {"a": 1, "b": SPEECH}),
    ],
)
def test_no_speech_stops_the_calls(schema: dict[str, Any], value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit is told at once, and Python's own engine is never asked."""

    def refuse(*_: object) -> None:
        raise AssertionError("re was asked")

    checks = validator(schema)
    began = time.process_time()
    monkeypatch.setattr(re, "search", refuse)
    assert list(checks.iter_errors(value))
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("schema", "value", "fits"),
    [
        ({"pattern": "^a"}, "ab", True),
        ({"pattern": "^a"}, 5, True),
        ({"patternProperties": {"^n_": {"type": "integer"}}}, {"n_a": 1, "x": "y"}, True),
        ({"patternProperties": {"^n_": {"type": "integer"}}}, {"n_a": "1"}, False),
        ({"patternProperties": {"^n_": {}}, "additionalProperties": False}, {"n_a": 1}, True),
        ({"patternProperties": {"^n_": {}}, "additionalProperties": False}, {"m": 1}, False),
        ({"properties": {"m": {}}, "additionalProperties": False}, {"m": 1}, True),
        ({"properties": {"m": {}}, "additionalProperties": {"type": "null"}}, {"m": 1, "n": None}, True),
        ({"additionalProperties": {"type": "null"}}, {"n": 1}, False),
        ({"additionalProperties": True}, {"n": 1}, True),
        ({"additionalProperties": False}, "no object", True),
    ],
)
def test_the_keywords_mean_what_they_mean(schema: dict[str, Any], value: Any, fits: bool) -> None:
    """As the library has them, which judges the same here."""
    assert validator(schema).is_valid(value) is fits
    assert jsonschema.Draft202012Validator(schema).is_valid(value) is fits


@pytest.mark.parametrize(
    ("schema", "value", "place", "message"),
    [
        ({"properties": {"a": {"pattern": "^x"}}}, {"a": "y"}, ["a"], "'y' does not match '^x'"),
        ({"patternProperties": {"^n": {"type": "null"}}}, {"n1": 1}, ["n1"], "1 is not of type 'null'"),
        ({"additionalProperties": {"type": "null"}}, {"m": 1}, ["m"], "1 is not of type 'null'"),
        (
            {"additionalProperties": False},
            {"m": 1},
            [],
            "Additional properties are not allowed ('m' was unexpected)",
        ),
        (
            {"additionalProperties": False},
            {"m": 1, "n": 2},
            [],
            "Additional properties are not allowed ('m', 'n' were unexpected)",
        ),
        ({"properties": {"a": {"uniqueItems": True}}}, {"a": [1, 1]}, ["a"], "the items are not all different"),
    ],
)
def test_a_mistake_is_told_with_its_place(schema: dict[str, Any], value: Any, place: list[str], message: str) -> None:
    """By the keywords that stand in for the library's, as by the library's: the model mends what it is told."""
    (error,) = validator(schema).iter_errors(value)
    assert (list(error.absolute_path), error.message) == (place, message)


@pytest.mark.parametrize("item", ['{{"a":{}}}', "[{}]", '"{}"', "{}"])
def test_many_items_are_compared_in_no_time(item: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's own comparison of each item with all others is never made."""
    monkeypatch.setattr("jsonschema._keywords.uniq", None)
    monkeypatch.setattr("jsonschema._keywords.equal", None, raising=False)
    items = [json.loads(item.format(number)) for number in range(3000)]
    checks = validator({"type": "array", "uniqueItems": True})
    assert checks.is_valid(items)
    assert not checks.is_valid([*items, items[0]])


@pytest.mark.parametrize(
    ("items", "fits"),
    [
        ([1, True], True),
        ([0, False, "", None, [], {}], True),
        ([[1], [True]], True),
        ([{"a": 1}, {"a": True}], True),
        (["1", 1], True),
        ([1, 1.0], False),
        ([{"a": 1, "b": [2]}, {"b": [2.0], "a": 1}], False),
        ([[], []], False),
        ([None, None], False),
    ],
)
def test_items_are_equal_as_json_values(items: list[Any], fits: bool) -> None:
    """As the library takes them, which compares without hashes; where nothing has to be unique, anything passes."""
    schema = {"uniqueItems": True}
    assert validator(schema).is_valid(items) == fits
    assert jsonschema.Draft202012Validator(schema).is_valid(items) == fits
    assert validator({"uniqueItems": False}).is_valid(items)
