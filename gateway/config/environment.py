"""``${NAME}`` in values, and the names that stand in for keys nobody wrote."""

import re
from collections.abc import Mapping

from gateway.text import joined, unfit

ENDPOINT = ("AZURE_COGNITIVE_SERVICES_ENDPOINT", "AZURE_VOICE_LIVE_ENDPOINT", "AZURE_VOICELIVE_ENDPOINT")
KEY = ("AZURE_COGNITIVE_SERVICES_KEY", "AZURE_VOICE_LIVE_API_KEY", "AZURE_VOICELIVE_API_KEY")
MODEL = ("VOICE_LIVE_MODEL", "AZURE_VOICELIVE_MODEL")
API_VERSION = ("AZURE_VOICE_LIVE_API_VERSION",)
PUBLIC_URL = ("GATEWAY_PUBLIC_URL",)
STREAM_KEY = ("GATEWAY_STREAM_KEY",)

_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


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


def first_set(environ: Mapping[str, str], names: tuple[str, ...]) -> FromEnvironment | None:
    """The value of the first of ``names`` that is set and not empty."""
    for name in names:
        if value := environ.get(name):
            return FromEnvironment(value, name)
    return None


def interpolate(text: str, environ: Mapping[str, str]) -> str:
    """``text`` with each ``${NAME}`` replaced; ``$${`` stands for ``${``. Raises :class:`InterpolationError`.

    A variable that is set to nothing counts as missing: an empty line of a ``.env`` file is not a value.
    """
    names: list[str] = []

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return "${"
        if not _NAME.fullmatch(name):
            raise InterpolationError(match[0], f"{match[0]} is not a reference to a variable, expected ${{NAME}}")
        if not environ.get(name):
            raise InterpolationError(match[0], f"environment variable {name} is not set")
        value = joined(environ[name])
        if problem := unfit(value):
            raise InterpolationError(match[0], f"environment variable {name} holds {problem}, expected text")
        names.append(name)
        return value

    replaced = _REFERENCE.sub(replace, text)
    return FromEnvironment(replaced, ", ".join(names)) if names else replaced
