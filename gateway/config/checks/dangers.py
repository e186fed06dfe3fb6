"""Finds what opens a deployment to anybody: keys that can be guessed, streams and webhooks without protection."""

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from pydantic import SecretStr

from gateway.config.deployment import Deployment
from gateway.config.secrets import values_of
from gateway.errors import ConfigError

OWN_LENGTH = 16
"""Fewest characters of a key that the operator makes up; with a key of one letter a token can be forged."""
GIVEN_LENGTH = 16
"""Fewest characters, without a warning, of a secret shared with a provider; most have 32 and more."""
SHORTEST_GIVEN = 8
"""Fewest characters of any provider's secret; a shorter text is another value, or a part of the secret."""
DIFFERENT = 4
"""Fewest different characters of a key."""
_PRIVATE_NAMES = (".local", ".internal", ".lan", ".home.arpa", ".invalid", ".test", ".localhost")


def weak_keys(deployment: Deployment) -> list[ConfigError]:
    """Return an error for each key that can be guessed.

    These are keys of the operator's own, and secrets that are too short to be any provider's.
    """
    weak = [*_weak_keys(deployment), *_no_secrets(deployment)]
    return [_error(deployment, key, message) for key, message in weak]


def exposures(deployment: Deployment) -> list[ConfigError]:
    """Return an error for each setting that lets anybody outside this machine in, or lets them read the traffic."""
    return [_error(deployment, key, message) for key, message in _exposures(deployment)]


def weak_secrets(deployment: Deployment) -> Iterator[str]:
    """Yield a warning for each secret shared with a provider that may be guessed."""
    for key, text in _given(deployment):
        if len(text) >= SHORTEST_GIVEN and (why := _weak(text, GIVEN_LENGTH)):
            yield f"{key}: {why}, so that it can be guessed: expected what the provider shows"


def _no_secrets(deployment: Deployment) -> Iterator[tuple[str, str]]:
    for key, text in _given(deployment):
        if why := _shorter(text, SHORTEST_GIVEN):
            yield key, f"{why}, expected what the provider shows, {SHORTEST_GIVEN} characters or more at all of them"


def _given(deployment: Deployment) -> Iterator[tuple[str, str]]:
    """Yield the secrets shared with a provider, by their keys."""
    for name, section in deployment.providers.accounts.items():
        for key in type(section).model_fields:
            value = getattr(section, key)
            secret = value[0] if isinstance(value, tuple) and value else value
            if key != "stream_secret" and isinstance(secret, SecretStr):
                values = values_of(value)
                for index, text in enumerate(values):
                    yield f"providers.{name}.{key}" + (f"[{index}]" if len(values) > 1 else ""), text


def _weak_keys(deployment: Deployment) -> Iterator[tuple[str, str]]:
    own = [("streams.key", values_of(deployment.streams.key))]
    own.append(("console.key", values_of(deployment.console.key)))
    own += [
        (f"providers.{name}.stream_secret", values_of(section.stream_secret))
        for name, section in deployment.providers.accounts.items()
    ]
    for key, values in own:
        for index, text in enumerate(values):
            if why := _weak(text, OWN_LENGTH):
                which = f"{key}[{index}]" if len(values) > 1 else key
                expected = f"expected {OWN_LENGTH} or more at random, such as `openssl rand -hex 32` makes"
                yield which, f"{why}, so that it can be guessed: {expected}"


def _shorter(text: str, length: int) -> str:
    return f"has {len(text)} character{'s' if len(text) != 1 else ''}" if len(text) < length else ""


def _weak(text: str, length: int) -> str:
    if short := _shorter(text, length):
        return short
    different = len(set(text))
    return f"has {different} different character{'s' if different != 1 else ''}" if different < DIFFERENT else ""


def _exposures(deployment: Deployment) -> Iterator[tuple[str, str]]:
    if deployment.streams.auth == "off" and not _is_own_machine(deployment.listen.host):
        message = f"off, while {deployment.listen.host} lets others in, expected token, or listen.host: 127.0.0.1"
        yield "streams.auth", message
    url = urlsplit(deployment.public_url or "")
    if url.scheme == "http" and not _is_private(url.hostname or ""):
        yield "public_url", "is not encrypted, expected https://: numbers and stream tokens can be read on the way"
    for index, address in enumerate(deployment.console.gateways):
        url = urlsplit(address)
        if url.scheme == "http" and not _is_private(url.hostname or ""):
            message = (
                "is not encrypted, expected https:// or a private address: words and the key can be read on the way"
            )
            yield f"console.gateways[{index}]", message


def _is_own_machine(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _is_private(host: str) -> bool:
    address = _address(host)
    return address.is_private if address is not None else "." not in host or host.endswith(_PRIVATE_NAMES)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _error(deployment: Deployment, key: str, message: str) -> ConfigError:
    return ConfigError(f"{key}: {message}", file=deployment.file, key=key)
