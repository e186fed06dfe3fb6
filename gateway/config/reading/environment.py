"""Replaces ``${NAME}`` in values, and reads the variables that supply missing keys."""

import re
from collections.abc import Mapping

from gateway.text import joined, unfit

ENDPOINT = ("AZURE_COGNITIVE_SERVICES_ENDPOINT", "AZURE_VOICE_LIVE_ENDPOINT", "AZURE_VOICELIVE_ENDPOINT")
KEY = ("AZURE_COGNITIVE_SERVICES_KEY", "AZURE_VOICE_LIVE_API_KEY", "AZURE_VOICELIVE_API_KEY")
MODEL = ("VOICE_LIVE_MODEL", "AZURE_VOICELIVE_MODEL")
API_VERSION = ("AZURE_VOICE_LIVE_API_VERSION",)
PUBLIC_URL = ("GATEWAY_PUBLIC_URL",)
SOCKETS = ("GATEWAY_SOCKETS",)
STREAM_KEY = ("GATEWAY_STREAM_KEY",)
STORAGE_CONNECTION = ("AZURE_STORAGE_CONNECTION_STRING",)
STORAGE_ACCOUNT = ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT")
STORAGE_KEY = ("AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_KEY")
DATA = ("GATEWAY_DATA",)
RECORDS_URL = ("GATEWAY_RECORDS_URL",)
TRANSPORTS = ("GATEWAY_TRANSPORTS",)
OLD = "_OLD"
"""Ending of the variable that holds a secret's old value, which is also accepted during its replacement."""

_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNSEEN = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"


class FromEnvironment(str):
    """A text that came from the environment; messages name the variable and never show the text."""

    __slots__ = ("origin",)

    def __new__(cls, value: str, origin: str) -> "FromEnvironment":
        text = super().__new__(cls, value)
        text.origin = origin
        return text

    origin: str


class InterpolationError(ValueError):
    """A ``${…}`` that cannot be replaced; ``reference`` is its text, as written."""

    def __init__(self, reference: str, message: str) -> None:
        self.reference = reference
        super().__init__(message)


def variable_of(account: str, key: str) -> str:
    """Return the variable for a key of an account: ``TWILIO_EU_AUTH_TOKEN``."""
    return f"{account}_{key}".replace("-", "_").upper()


def bare(text: str) -> str:
    """Return ``text`` without invisible characters at its ends: white space, line ends, a byte order mark."""
    return text.strip(_UNSEEN)


def is_bare_inside(text: str) -> bool:
    """Return ``True`` if ``text`` contains no invisible characters."""
    return text.isprintable() and not any(sign in _UNSEEN for sign in text)


def value_in(environ: Mapping[str, str], name: str) -> str:
    """Return the value of a variable without white space around it; empty if it is not set."""
    return bare(joined(environ.get(name, "")))


def first_set(environ: Mapping[str, str], names: tuple[str, ...]) -> FromEnvironment | None:
    """Return the value of the first of ``names`` that is set and not blank."""
    for name in names:
        if value := value_in(environ, name):
            return FromEnvironment(value, name)
    return None


def interpolate(text: str, environ: Mapping[str, str]) -> str:
    """Return ``text`` with each ``${NAME}`` replaced; ``$${`` means ``${``. Raises :class:`InterpolationError`.

    A variable that is set to nothing counts as missing: an empty line of a ``.env`` file is not a value. White space
    around a value does not count: a mounted secret ends in a line feed.
    """
    names: list[str] = []

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return "${"
        if not _NAME.fullmatch(name):
            raise InterpolationError(match[0], f"{match[0]} is not a reference to a variable, expected ${{NAME}}")
        value = value_in(environ, name)
        if not value:
            raise InterpolationError(match[0], f"environment variable {name} is not set")
        if problem := unfit(value):
            raise InterpolationError(match[0], f"environment variable {name} holds {problem}, expected text")
        names.append(name)
        return value

    replaced = _REFERENCE.sub(replace, text)
    return FromEnvironment(replaced, ", ".join(names)) if names else replaced
