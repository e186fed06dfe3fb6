"""The failures that have an owner. Anything else is a bug and is not caught."""

from pathlib import Path


class GatewayError(Exception):
    """A failure whose message is complete by itself: it is shown as it stands, never as a traceback."""


class WireError(GatewayError):
    """The peer broke its protocol: the message says which rule and what stood there instead."""


class MessageError(WireError):
    """One message is wrong, and the stream may go on as if it had not come; before the start as well."""


class OutboxFullError(Exception):
    """A peer has not read for so long that what it owes us passed the limit."""


class InputError(GatewayError):
    """The operator gave something that cannot be used: the message says what, where and what was expected."""


class RecordingError(InputError):
    """A recording that cannot be read as audio."""


class ConfigError(InputError):
    """A configuration that cannot be used.

    ``file``, ``line`` and ``column`` (both from 1) point at the key; a ConfigError about the environment or a whole
    file has line and column 0. ``key`` is the dotted path of the key, empty where there is none.
    """

    def __init__(self, message: str, *, file: Path | str = "", line: int = 0, column: int = 0, key: str = "") -> None:
        self.message = message
        self.file = str(file)
        self.line = line
        self.column = column
        self.key = key
        super().__init__(str(self))

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}: " if self.line else f"{self.file}: " if self.file else ""
        return f"{where}{self.message}"
