"""The parameters of a tool over HTTP: a short form for people, or a JSON Schema."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from gateway.config.line.keys import FinishKey, Pause
from gateway.config.reading.section import Number, Section, Switch, Text, Whole
from gateway.function import SecretDigits

_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,63}"

Word = Literal["string", "integer", "number", "boolean", "string?", "integer?", "number?", "boolean?"]
"""A type; with a question mark the parameter may be left out."""


def _parameter_name(name: str) -> str:
    if not re.fullmatch(_NAME, name):
        raise ValueError("is not fit for a parameter, expected letters, digits and _")
    return str(name)


ParameterName = Annotated[str, AfterValidator(_parameter_name), Field(json_schema_extra={"pattern": f"^{_NAME}$"})]


class Parameter(Section):
    """A parameter that the model gives."""

    type: Literal["string", "integer", "number", "boolean"]
    """The JSON type of the value."""
    description: Text | None = None
    """The meaning of the parameter, for the model."""
    enum: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    """The values that a string may have."""
    optional: Switch = False
    """Let the model leave the parameter out."""


class SecretParameter(Section):
    """A parameter whose value the caller enters on the phone's keys; neither the model nor the log gets it."""

    own_key = "secret"

    secret: Literal["digits"]
    """digits: the value is entered on the phone's keys."""
    prompt: Text | None = None
    """A text to say word for word before the entry; without it, the model asks for the value."""
    finish_on: FinishKey = "#"
    """The key that ends the entry, in quotes, or none."""
    length: Annotated[Whole, Field(ge=1, le=64)] | None = None
    """The number of digits that also ends the entry."""
    pause_s: Pause = 5
    """Seconds without a further digit that also end the entry."""
    timeout_s: Annotated[Number, Field(gt=0, le=300)] = 30
    """Seconds to wait for the first digit."""


def _parameter_shape(value: Any) -> str:
    if isinstance(value, Mapping):
        return "[secret]" if "secret" in value else "[parameter]"
    return "[word]"


AnyParameter = Annotated[
    Annotated[Word, Tag("[word]")]
    | Annotated[Parameter, Tag("[parameter]")]
    | Annotated[SecretParameter, Tag("[secret]")],
    Discriminator(_parameter_shape),
]
ShortForm = Mapping[ParameterName, AnyParameter]
JsonSchema = Annotated[
    Mapping[str, Any],
    Field(json_schema_extra={"properties": {"type": {"const": "object"}}, "required": ["type"]}),
]


def is_json_schema(value: Any) -> bool:
    """Return ``True`` if ``parameters`` are a JSON Schema: in the short form no parameter has the type ``object``."""
    return isinstance(value, Mapping) and value.get("type") == "object"


Parameters = Annotated[
    Annotated[JsonSchema, Tag("[schema]")] | Annotated[ShortForm, Tag("[short]")],
    Discriminator(lambda value: "[schema]" if is_json_schema(value) else "[short]"),
]


def schema_of(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of the arguments that the model gives; secret ones are left out."""
    if is_json_schema(parameters):
        schema: dict[str, Any] = plain(parameters)
        return schema
    given = {name: each for name, each in parameters.items() if not isinstance(each, SecretParameter)}
    return {
        "type": "object",
        "properties": {name: _property(each) for name, each in given.items()},
        "required": [name for name, each in given.items() if not _is_optional(each)],
    }


def secrets_of(parameters: Mapping[str, Any]) -> tuple[SecretDigits, ...]:
    """Return the parameters that the caller keys in, in this order."""
    return tuple(
        SecretDigits(
            parameter=name,
            prompt=each.prompt or "",
            finish_on=each.finish_on or "",
            length=each.length,
            pause_s=each.pause_s,
            timeout_s=each.timeout_s,
        )
        for name, each in parameters.items()
        if isinstance(each, SecretParameter)
    )


def _property(parameter: str | Parameter) -> dict[str, Any]:
    if isinstance(parameter, Parameter):
        return parameter.model_dump(mode="json", exclude_none=True, exclude={"optional"})
    return {"type": parameter.removesuffix("?")}


def _is_optional(parameter: str | Parameter) -> bool:
    return parameter.optional if isinstance(parameter, Parameter) else parameter.endswith("?")


def plain(value: Any) -> Any:
    """Return YAML's values as plain JSON values: numbers and texts no longer remember how they were written."""
    match value:
        case Mapping():
            return {str(name): plain(inner) for name, inner in value.items()}
        case list() | tuple():
            return [plain(inner) for inner in value]
        case bool() | None:
            return value
        case int():
            return int(value)
        case float():
            return float(value)
        case _:
            return str(value)
