"""The base class of all notes. Pure."""

import re
from typing import Any, ClassVar, Literal

import msgspec
from msgspec import Struct

Leg = Literal["phone", "voice"]


class Note(Struct, frozen=True):
    """Something that happened in a call."""

    event: ClassVar[str] = ""
    """The name of the log event."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.event = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def fields(self) -> dict[str, object]:
        """Return the fields as JSON would hold them, by name."""
        plain: dict[str, object] = msgspec.to_builtins(self)
        return plain
