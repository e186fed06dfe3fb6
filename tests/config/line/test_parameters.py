from collections.abc import Callable

from gateway.config.line.parameters import plain
from gateway.config.line_file import LineFile
from gateway.config.reading.scalars import WrittenFloat, WrittenInt
from gateway.function import Function, SecretDigits

ReadLine = Callable[..., LineFile]


def function(read_line: ReadLine, parameters: str) -> Function:
    """The function of a tool with these parameters."""
    http = 'http: {url: "https://shop.example.com/"}'
    read = read_line(f"tools:\n  - name: a\n    description: b\n    {http}\n    parameters: {parameters}\n")
    assert read.errors == []
    assert read.line
    return read.line.functions[0]


def test_the_short_form_becomes_a_json_schema(read_line: ReadLine) -> None:
    """A word is a type, a question mark makes it optional."""
    short = "{order: string, count: integer?, size: {type: string, enum: [s, m], description: How big, optional: true}}"
    assert function(read_line, short).parameters == {
        "type": "object",
        "properties": {
            "order": {"type": "string"},
            "count": {"type": "integer"},
            "size": {"type": "string", "description": "How big", "enum": ["s", "m"]},
        },
        "required": ["order"],
    }


def test_a_json_schema_goes_through_as_it_is(read_line: ReadLine) -> None:
    """As plain JSON, whatever the numbers of the file remember."""
    schema = function(
        read_line,
        "{type: object, properties: {n: {type: integer, minimum: 1, enum: [1, 2.50, true, x]}}, required: [n]}",
    ).parameters
    assert schema == {
        "type": "object",
        "properties": {"n": {"type": "integer", "minimum": 1, "enum": [1, 2.5, True, "x"]}},
        "required": ["n"],
    }
    minimum = schema["properties"]["n"]["minimum"]
    assert type(minimum) is int


def test_a_parameter_may_be_called_type(read_line: ReadLine) -> None:
    """Only the word object makes it a JSON Schema, which is no type of the short form."""
    assert function(read_line, "{type: string}").parameters["properties"] == {"type": {"type": "string"}}


def test_a_secret_parameter_is_not_for_the_model(read_line: ReadLine) -> None:
    """It is no part of the schema; the caller keys it in, one after the other."""
    made = function(
        read_line,
        "{order: string, card: {secret: digits, prompt: Your card?, length: 16}, pin: {secret: digits, finish_on: none,"
        " pause_s: 3, timeout_s: 20}}",
    )
    assert list(made.parameters["properties"]) == ["order"]
    assert made.parameters["required"] == ["order"]
    assert made.secrets == (
        SecretDigits("card", prompt="Your card?", finish_on="#", length=16, pause_s=5, timeout_s=30),
        SecretDigits("pin", prompt="", finish_on="", length=None, pause_s=3, timeout_s=20),
    )


def test_numbers_forget_how_they_were_written() -> None:
    """A JSON writer takes Python's own kinds alone."""
    whole, part = WrittenInt(7), WrittenFloat(1.5)
    assert [type(value) for value in plain([whole, part, True, None, "x"])] == [int, float, bool, type(None), str]
