"""Arguments as models write them."""

from datetime import date
from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from gateway.tools.arguments import check_by_schema, read_arguments, read_by_model
from gateway.tools.result import FunctionFailed
from gateway.tools.validation import validator

SCHEMA = {
    "type": "object",
    "properties": {"guests": {"type": "integer"}, "day": {"type": "string", "enum": ["friday", "saturday"]}},
    "required": ["guests"],
    "additionalProperties": False,
}


class Room(Enum):
    """A choice."""

    INSIDE = "inside"
    TERRACE = "terrace"


class Guest(BaseModel):
    """A model in a model."""

    name: str


class Booking(BaseModel):
    """As it is made of a signature."""

    model_config = ConfigDict(extra="forbid")

    day: date
    room: Room = Room.INSIDE
    guests: list[Guest]


@pytest.mark.parametrize("text", ['{"guests":4}', ' \n{ "guests" :\t4 }\r\n ', '{"guests":4,"card":"1234"}'])
def test_white_space_and_secrets(text: str) -> None:
    """Stray white space means nothing; a value under a secret's name does not come from the caller and is dropped."""
    assert read_arguments(text, ["card"]) == {"guests": 4}


@pytest.mark.parametrize("text", ["", "  \n", "{}", " { } "])
def test_no_arguments(text: str) -> None:
    """A function without parameters is called with nothing or with an empty object."""
    assert read_arguments(text, []) == {}


@pytest.mark.parametrize("text", ["{", "guests=4", '{"guests":NaN}', '{"guests":4}}', "[" * 30_000, '{"guests":1e400}'])
def test_what_is_no_json_is_refused(text: str) -> None:
    """The model learns that, and the log nothing of the text."""
    with pytest.raises(FunctionFailed, match="not valid JSON") as caught:
        read_arguments(text, [])
    assert (caught.value.outcome, caught.value.detail) == ("refused", "the arguments are not JSON")


def test_long_arguments_are_refused() -> None:
    """A schema need not bound its texts: the gateway does, before anything is read."""
    with pytest.raises(FunctionFailed, match="too long") as caught:
        read_arguments('{"note":"' + "x" * 32_758 + '"}', [])
    assert caught.value.outcome == "refused"
    assert read_arguments('{"note":"' + "x" * 32_757 + '"}', [])


@pytest.mark.parametrize("text", ["[]", "4", '"guests"', "null"])
def test_what_is_no_object_is_refused(text: str) -> None:
    """Arguments have names."""
    with pytest.raises(FunctionFailed, match="not a JSON object"):
        read_arguments(text, [])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "'guests' is a required property"),
        ({"guests": "four"}, "guests: 'four' is not of type 'integer'"),
        ({"guests": 4, "day": "monday"}, "day: 'monday' is not one of ['friday', 'saturday']"),
        ({"guests": 4, "dog": True}, "'dog' was unexpected"),
    ],
)
def test_the_schema_is_checked(arguments: dict[str, Any], says: str) -> None:
    """The model learns what is wrong, so that it can try again; the log has no argument."""
    with pytest.raises(FunctionFailed) as caught:
        check_by_schema(arguments, validator(SCHEMA))
    assert says in caught.value.message
    assert caught.value.outcome == "refused"
    assert caught.value.detail == "the arguments do not match the schema"


def test_what_matches_passes() -> None:
    """And a schema without anything takes anything."""
    check_by_schema({"guests": 4, "day": "friday"}, validator(SCHEMA))
    check_by_schema({"anything": [None]}, validator({}))


def test_mistakes_are_told_shortly() -> None:
    """However long the argument is that is wrong."""
    with pytest.raises(FunctionFailed) as caught:
        check_by_schema({"guests": "x" * 10_000}, validator(SCHEMA))
    assert len(caught.value.message) <= 500


def test_no_schema_is_fetched() -> None:
    """A reference to another document is not resolved over the network: it fails."""
    with pytest.raises(Exception, match="Unresolvable"):
        check_by_schema({}, validator({"$ref": "http://127.0.0.1:1/schema.json"}))


def test_a_function_in_python_gets_real_values() -> None:
    """Dates, enums, models and defaults; not what JSON has for them."""
    given = read_by_model({"day": "2026-05-01", "guests": [{"name": "Ada"}]}, Booking)
    assert given == {"day": date(2026, 5, 1), "room": Room.INSIDE, "guests": [Guest(name="Ada")]}


def test_what_pydantic_refuses_is_told() -> None:
    """Each mistake with its place, without a link and without the value."""
    with pytest.raises(FunctionFailed) as caught:
        read_by_model({"day": "tomorrow", "guests": [{}], "dog": 1}, Booking)
    told = caught.value.message
    assert "day: Input should be a valid date" in told
    assert "guests.0.name: Field required" in told
    assert "dog: Extra inputs are not permitted" in told
    assert "http" not in told
    assert caught.value.outcome == "refused"


def test_arguments_that_go_deep_are_refused() -> None:
    """They are the model's mistake and no fault of the gateway's, also where the schema follows them down."""
    schema = {"properties": {"x": {"$ref": "#/$defs/list"}}, "$defs": {"list": {"items": {"$ref": "#/$defs/list"}}}}
    arguments = read_arguments('{"x":' + "[" * 900 + "]" * 900 + "}", [])
    with pytest.raises(FunctionFailed, match="nested too deep"):
        check_by_schema(arguments, validator(schema))
