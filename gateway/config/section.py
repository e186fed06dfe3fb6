"""What every section of the configuration shares: unknown keys are errors, and nothing is converted in silence.

The texts under the fields of a section are its documentation: ``gateway schema`` hands them to editors.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Strict

from gateway.config.environment import FromEnvironment


class Section(BaseModel):
    """A mapping in a YAML file; immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty, expected a text")
    return str(text)


def _whole_number(value: Any) -> Any:
    return int(value) if isinstance(value, FromEnvironment) and value.strip().isdecimal() else value


def _number_as_text(value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else value


def _none_word(value: Any) -> Any:
    return None if value == "none" else value


Text = Annotated[str, AfterValidator(_not_blank)]
"""A text with something in it."""
Wording = Annotated[Text, BeforeValidator(_number_as_text, json_schema_input_type=str | float)]
"""A text that may be written as a number."""
Whole = Annotated[int, Strict(), BeforeValidator(_whole_number)]
"""A whole number; from the environment it arrives as digits."""
Number = Annotated[float, Strict()]
Switch = Annotated[bool, Strict()]


def or_none(kind: Any) -> BeforeValidator:
    """Lets a key be switched off with the word ``none``, which reads as ``None``."""
    return BeforeValidator(_none_word, json_schema_input_type=kind | Literal["none"])


BY_SHAPE = Discriminator(lambda value: "text" if isinstance(value, str) else "other")
"""Tells a key's two shapes apart, a text (``Tag("text")``) and something else (``Tag("other")``)."""
