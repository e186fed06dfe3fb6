"""Points a number's webhook at this gateway: through its provider's API, or by hand. Pure.

Each provider has its own way in ``providers/<name>/pointing.py``, or a sentence for the operator.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from gateway.config.providers import ProviderSettings
from gateway.config.reading.environment import variable_of
from gateway.config.secrets import first, values_of
from gateway.errors import GatewayError, InputError
from gateway.path_segment import segment
from gateway.phone.requests import HttpRequest, Steps
from gateway.text import json_bytes


class Change(Struct, frozen=True):
    """A change to make: ``what`` is the thing, ``before`` and ``after`` its webhook, ``request`` does it.

    The provider asks the fallback where it cannot fetch the webhook's answer or a later document of a call.
    """

    what: str
    before: str
    after: str
    request: HttpRequest
    fallback_before: str = ""
    fallback_after: str = ""
    codecs: Sequence[str] = ()
    """The codecs that calls may come in, in the provider's names and by its preference; empty where it tells none."""
    usable_codecs: Sequence[str] = ()
    """Those of its codecs that a stream to this gateway may have."""

    @property
    def unfit_codecs(self) -> list[str]:
        """The codecs in which calls are refused."""
        return [codec for codec in self.codecs if codec not in self.usable_codecs]

    @property
    def is_needed(self) -> bool:
        """True if there is anything to change."""
        return (self.before, self.fallback_before) != (self.after, self.fallback_after)


class Urls(Struct, frozen=True):
    """The URLs that a number gets: our answer and status webhooks, and the fallback where the answer fails."""

    answer: str
    status: str
    fallback: str


Settings = TypeVar("Settings", bound=ProviderSettings)


class Account(Struct, Generic[Settings], frozen=True):
    """An account at a provider: its name in ``gateway.yaml`` and the settings that it has there."""

    name: str
    settings: Settings

    def needed(self, key: str) -> str:
        """Return a setting that every request needs. Raises InputError where it is not set."""
        text = first(values_of(getattr(self.settings, key)))
        if not text:
            raise InputError(f"{variable_of(self.name, key)} is not set, expected it in the environment")
        return text


Pointing: TypeAlias = Steps[Change]
"""The requests that find a number; they return the change to make."""


class ByApi(Struct, Generic[Settings], frozen=True):
    """A provider whose API sets the webhook of a number."""

    account: Account[Settings]
    find: Callable[[Account[Settings], str, Urls], Pointing]
    """The steps for an account, a number in E.164 and the URLs that it is to have."""

    def point(self, number: str, urls: Urls) -> Pointing:
        """Return the pointing of a number.

        Raises ``InputError`` for what is not set or not there, ``GatewayError`` for an answer that cannot be read.
        """
        try:
            return (yield from self.find(self.account, number, urls))
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            raise GatewayError(f"the provider's API answered otherwise than it documents: {error!r}") from error


class ByHand(Struct, frozen=True):
    """A provider that has no API for it: what the operator is to enter, and where."""

    instructions: str
    """A sentence; ``{answer}`` and ``{status}`` are our webhooks, ``{stream}`` is the stream's address and ``{secret}``
    the variable with its secret."""


def fetched(url: str, headers: Mapping[str, str]) -> Steps[dict[str, Any]]:
    """Fetch a JSON object from an API. Raises ``GatewayError`` where the answer is none."""
    body = yield HttpRequest("GET", url, headers, repeatable=True)
    try:
        decoded = msgspec.json.decode(body)
    except msgspec.DecodeError:
        decoded = None
    if not isinstance(decoded, dict):
        raise GatewayError("the provider's API answered with something that is no JSON object")
    return decoded


def changing(method: str, url: str, headers: Mapping[str, str], body: object) -> HttpRequest:
    """Return the request that makes a change; it may be made twice."""
    return HttpRequest(method, url, {**headers, "Content-Type": "application/json"}, json_bytes(body), repeatable=True)


def id_segment(text: str) -> str:
    """Return an id as a segment of a path. Raises InputError where it cannot be one."""
    try:
        return segment(text)
    except ValueError as error:
        raise InputError(f"the id {text[:40]!r} {error}: expected one as the provider's console shows it") from None
