"""Warns of malformed secrets: quotes around one, white space inside, an old value that is not used."""

from collections.abc import Iterable, Iterator

from pydantic import SecretStr

from gateway.config.deployment import Deployment
from gateway.config.line.line import Line
from gateway.config.line.tools import HttpTool, McpTool
from gateway.config.providers import ProviderSettings, provider_of, variables_of
from gateway.config.reading.environment import OLD, is_bare_inside, value_in
from gateway.config.secrets import may_be_two, values_of

_QUOTES = ('""', "''", "``", "“”", "‘’", "„“", "«»")
_WRITTEN_LINE_END = ("\\n", "\\r")
_NOT_SECRET = ("provider", "region", "private_key")
"""Keys whose quotes are not warned of: two are words of the file, and a PEM key is found within quotes."""


def secret_warnings(deployment: Deployment) -> Iterator[str]:
    """Return a warning for each doubtful secret or name in ``gateway.yaml``."""
    for name, section in deployment.providers.accounts.items():
        for key in type(section).model_fields:
            if key not in _NOT_SECRET:
                yield from _problems(f"providers.{name}.{key}", values_in(section, key))
        yield from _unused(name, section, deployment)
    yield from _problems("streams.key", values_of(deployment.streams.key))
    yield from _problems("voice_live.key", values_of(deployment.voice_live.key))
    for index, one in enumerate(deployment.voice_live.endpoints):
        yield from _problems(f"voice_live.endpoints[{index}].key", values_of(one.key))


def tool_secret_warnings(line: Line) -> Iterator[str]:
    """Return a warning for each doubtful secret of a line's tools."""
    for index, tool in enumerate(line.settings.tools):
        key = f"{line.name}: tools[{index}]"
        if isinstance(tool, HttpTool):
            yield from _problems(f"{key}.http.secret", values_of(tool.http.secret))
            yield from _of_headers(f"{key}.http.headers", tool.http.headers.items())
        elif isinstance(tool, McpTool):
            authorization = [("authorization", tool.mcp.authorization)] if tool.mcp.authorization else []
            yield from _of_headers(f"{key}.mcp", authorization)
            yield from _of_headers(f"{key}.mcp.headers", tool.mcp.headers.items())


def values_in(section: ProviderSettings, key: str) -> tuple[str, ...]:
    """Return the texts at a key of an account; empty if it is not set or is not a text."""
    value = getattr(section, key)
    return values_of(value) if isinstance(value, SecretStr | str | tuple) else ()


def _problems(key: str, values: tuple[str, ...]) -> Iterator[str]:
    for index, value in enumerate(values):
        name = f"{key}[{index}]" if len(values) > 1 else key
        if _is_quoted(value):
            yield f"{name}: has quotes around it, which count as a part of it: expected the value alone"
        if not is_bare_inside(value):
            yield f"{name}: has white space or an invisible sign inside, expected one word"
        if value.endswith(_WRITTEN_LINE_END):
            yield f"{name}: ends in {value[-2:]}, written out, which counts as a part of it: expected the value alone"


def _of_headers(key: str, headers: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield a warning for each word of a header, such as ``Bearer …``, that is in quotes."""
    for name, value in headers:
        if any(_is_quoted(word) for word in (value, *value.split())):
            yield f"{key}.{name}: has quotes around a value, which count as a part of it: expected the value alone"


def _is_quoted(text: str) -> bool:
    return len(text) > 1 and text[0] + text[-1] in _QUOTES


def _unused(name: str, section: ProviderSettings, deployment: Deployment) -> Iterator[str]:
    for key, variable in variables_of(name, provider_of(name, section)).items():
        old = value_in(deployment.environ, variable + OLD)
        takes_two = may_be_two(type(section).model_fields[key].annotation)
        if old and old not in values_in(section, key):
            why = f"{variable} is not set, or the file has the key" if takes_two else f"{key} takes one value alone"
            yield f"{variable}{OLD}: is not used: {why}"
