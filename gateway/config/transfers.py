"""Where a line may transfer its callers: targets by name, so that nobody can make one up during a call."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from gateway.config.section import Section, Text

E164 = r"\+[1-9]\d{6,14}"
"""A phone number in international format."""
_SIP = r"sips?:[^\s@]+@[^\s@]+"
_NAME = r"[A-Za-z0-9_-]{1,64}"


def _destination(text: str) -> str:
    if re.fullmatch(f"{E164}|{_SIP}", text):
        return str(text)
    raise ValueError("is neither a phone number such as +14255550199 nor an address such as sip:desk@example.com")


def _target_name(name: str) -> str:
    if not re.fullmatch(_NAME, name):
        raise ValueError("is not fit for a name, expected letters, digits, _ and -")
    return str(name)


Destination = Annotated[str, AfterValidator(_destination), Field(json_schema_extra={"pattern": f"^({E164}|{_SIP})$"})]
"""A phone number in quotes, or a sip: address."""
TargetName = Annotated[str, AfterValidator(_target_name), Field(json_schema_extra={"pattern": f"^{_NAME}$"})]
"""What a target is called."""


class Target(Section):
    """Somebody to transfer to."""

    to: Destination
    """A phone number in quotes, or a sip: address."""
    description: Text | None = None
    """What this target is for: by it the model chooses (transfer_call)."""
    announce: Text | None = None
    """What the bot says before the transfer, word for word."""


def _by_destination(value: Any) -> Any:
    return {"to": value} if isinstance(value, str) else value


AnyTarget = Annotated[Target, BeforeValidator(_by_destination, json_schema_input_type=Target | Destination)]
"""A target, or its destination alone."""
