"""The base of every section of the configuration: unknown keys are errors, and no value is converted silently.

The texts under the fields of a section are its documentation: ``gateway schema`` hands them to editors.
"""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Strict

from gateway.config.reading.environment import FromEnvironment
from gateway.config.reading.scalars import WrittenFloat, WrittenInt

NOT_BLANK = r"\S"
"""The pattern of a text that is not blank, for editors."""
_WHOLE = re.compile(r"[0-9]{1,18}")
_NUMBER = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")
_SWITCH = {"true": True, "false": False}


class Section(BaseModel):
    """A mapping in a YAML file; immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)

    own_key: ClassVar[str] = ""
    """The key that only this section has, among those that may stand in the same place."""

    @classmethod
    def is_meant_by(cls, data: Mapping[str, object]) -> bool:
        """Return ``True`` if ``data`` must be this section, and none of the others that may stand in its place."""
        return bool(cls.own_key) and cls.own_key in data


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty, expected a text")
    return str(text)


def _whole_number(value: Any) -> Any:
    is_meant = isinstance(value, FromEnvironment) and _WHOLE.fullmatch(value.strip())
    return int(value) if is_meant else value


def _number(value: Any) -> Any:
    is_meant = isinstance(value, FromEnvironment) and _NUMBER.fullmatch(value.strip())
    return float(value) if is_meant else value


def _switch(value: Any) -> Any:
    is_meant = isinstance(value, FromEnvironment) and value.strip().lower() in _SWITCH
    return _SWITCH[value.strip().lower()] if is_meant else value


def _number_as_text(value: Any) -> Any:
    """Return a number as the file writes it: as texts, ``1.10`` and ``007`` are not 1.1 and 7."""
    if isinstance(value, WrittenInt | WrittenFloat):
        return value.text
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else value


def _none_word(value: Any) -> Any:
    return None if value == "none" else value


Text = Annotated[str, AfterValidator(_not_blank), Field(json_schema_extra={"pattern": NOT_BLANK})]
"""A text that is not blank."""
Wording = Annotated[Text, BeforeValidator(_number_as_text, json_schema_input_type=Text | float)]
"""A text that may be written as a number."""
Whole = Annotated[int, Strict(), BeforeValidator(_whole_number)]
"""A whole number; from the environment it arrives as digits."""
Number = Annotated[float, Strict(), BeforeValidator(_number)]
"""A number; from the environment it arrives as digits."""
Switch = Annotated[bool, Strict(), BeforeValidator(_switch)]
"""true or false, also from the environment."""


def or_none(kind: Any) -> BeforeValidator:
    """Let a key be switched off with the word ``none``, which becomes ``None``."""
    return BeforeValidator(_none_word, json_schema_input_type=kind | Literal["none"])


def by_name(key: str) -> Callable[[Any], Any]:
    """Let a section be written as the value of its ``key`` alone."""
    return lambda value: {key: value} if isinstance(value, str) else value


"""Tells a key's two shapes apart, a text (``Tag("text")``) and something else (``Tag("other")``)."""


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and isinstance(_whole_number(value), str)


WORD_OR_WHOLE = Discriminator(lambda value: "text" if _is_word(value) else "other")
"""Does the same for a key whose other shape is a whole number, which may come from the environment."""
