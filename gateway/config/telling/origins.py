"""Tells where each setting of ``gateway.yaml`` comes from: the file, the environment, or the default."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct
from pydantic import BaseModel, SecretStr

from gateway.config.accounts import supply_accounts
from gateway.config.deployment import FALLBACKS, MAY_BE_EMPTY, Deployment
from gateway.config.endpoints import EndpointSection
from gateway.config.reading.document import Document, read_document
from gateway.config.reading.environment import FromEnvironment, first_set
from gateway.config.reading.problems import KeyPath, dotted

_SET = "set"
"""The text in place of a secret."""


class Origin(Struct, frozen=True):
    """A setting by its dotted key: its value as a text, and where it comes from. Secrets are not shown."""

    key: str
    value: str
    origin: str
    is_set: bool
    """False for a default."""


def origins(deployment: Deployment, *sections: KeyPath) -> list[Origin]:
    """Return the settings of ``sections`` of a deployment, in the order of its models."""
    environ = deployment.environ
    document = read_document(deployment.file, environ, may_be_empty=MAY_BE_EMPTY)
    supply_accounts(document, environ)
    return [one for section in sections for one in _of_section(deployment, document, section, environ)]


def _of_section(
    deployment: Deployment, document: Document, path: KeyPath, environ: Mapping[str, str]
) -> Iterator[Origin]:
    value = _value(deployment, path)
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _of_section(deployment, document, (*path, name), environ)
        return
    origin = _origin(document, path, environ)
    yield Origin(dotted(path), _shown(value), origin or "default", bool(origin))


def _value(deployment: Deployment, path: KeyPath) -> Any:
    value: Any = deployment
    for part in path:
        accounts = getattr(value, "accounts", None)
        value = accounts[part] if accounts is not None else getattr(value, str(part))
    return value


def _origin(document: Document, path: KeyPath, environ: Mapping[str, str]) -> str:
    """Return the origin of a key; empty for its default."""
    written = _written(document, path)
    at = document.position(path)
    if isinstance(written, list) and written:
        written = written[0]
    by = f"environment, {written.origin}" if isinstance(written, FromEnvironment) else ""
    if at is not None:
        where = f"{document.file}:{at.line}"
        return f"{where}, from {by}" if by else where
    if by:
        return by
    supplied = first_set(environ, FALLBACKS.get(path, ()))
    return f"environment, {supplied.origin}" if supplied is not None else ""


def _written(document: Document, path: KeyPath) -> Any:
    value: Any = document.data
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _shown(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, SecretStr) or (isinstance(value, tuple) and any(isinstance(one, SecretStr) for one in value)):
        return _SET
    if isinstance(value, tuple):
        return ", ".join(one.label if isinstance(one, EndpointSection) else str(one) for one in value)
    return str(value)
