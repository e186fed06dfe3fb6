"""The targets to which a line may transfer callers, by name, so that nobody can invent one during a call."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from gateway.addresses import SIP, destination
from gateway.config.reading.section import Section, Text

_NAME = r"[A-Za-z0-9_-]{1,64}"


def _target_name(name: str) -> str:
    if not re.fullmatch(_NAME, name):
        raise ValueError("is not fit for a name, expected letters, digits, _ and -")
    return str(name)


def _reference(name: str) -> str:
    if not re.fullmatch(_NAME, name):
        raise ValueError("is not a name, expected one of transfers")
    return str(name)


_WRITTEN = r"([tT][eE][lL]:)?\+[0-9 ().\-/]{7,24}"
Destination = Annotated[str, AfterValidator(destination), Field(json_schema_extra={"pattern": f"^({_WRITTEN}|{SIP})$"})]
"""A phone number in quotes, or a sip: address."""
TargetName = Annotated[str, AfterValidator(_target_name), Field(json_schema_extra={"pattern": f"^{_NAME}$"})]
"""The name of a target of the line."""
TargetReference = Annotated[str, AfterValidator(_reference), Field(json_schema_extra={"pattern": f"^{_NAME}$"})]
"""A reference to one of the line's targets, by its name."""


def _destination_or_name(text: str) -> str:
    if re.fullmatch(_NAME, text):
        return str(text)
    try:
        return destination(text)
    except ValueError as error:
        if str(error).startswith("is neither"):
            raise ValueError(f"{error}, nor the name of one of transfers") from None
        raise


DestinationOrName = Annotated[
    str,
    AfterValidator(_destination_or_name),
    Field(json_schema_extra={"pattern": f"^({_WRITTEN}|{SIP}|{_NAME})$"}),
]
"""A destination, or the name of a target of the line."""


class Target(Section):
    """A target of transfers."""

    to: Destination
    """A phone number in quotes, or a sip: address."""
    description: Text | None = None
    """The purpose of the target; the model chooses by it (transfer_call)."""
    announce: Text | None = None
    """A text that the bot says word for word before the transfer."""


def _by_destination(value: Any) -> Any:
    return {"to": value} if isinstance(value, str) else value


AnyTarget = Annotated[Target, BeforeValidator(_by_destination, json_schema_input_type=Target | Destination)]
"""A target, or its destination alone."""
