"""Keys that a provider publishes, fetched when a token names one that is not in hand, and again when they are old."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar, runtime_checkable

import structlog

from gateway.call.metrics import Metrics
from gateway.errors import WireError
from gateway.phone.provider import HttpRequest, Provider
from gateway.phone.shared.jwks import UnknownKeyError
from gateway.phone.shared.jwt import bearer
from gateway.rest import CallControl, CallControlError

log = structlog.get_logger()
Checked = TypeVar("Checked")

LIFE_S = 3600.0
"""Older keys are fetched anew; they serve meanwhile."""
RETRY_S = 10.0
"""A provider whose keys were fetched, or could not be had, is asked again no sooner."""
WAIT_S = 5.0
"""How long a request waits for a key; whoever publishes them may be slow."""


@runtime_checkable
class PublishesKeys(Protocol):
    """A provider whose tokens are checked against keys that it publishes (RFC 7517).

    Its ``verify`` and ``verify_upgrade`` raise ``UnknownKeyError``, and have done nothing then, where a token names a
    key that is not in hand.
    """

    name: str

    def jwks_request(self) -> HttpRequest:
        """What to fetch."""

    def set_keys(self, document: bytes) -> None:
        """Take what was fetched; ``WireError`` where it is no key set."""


class PublishedKeys:
    """Fetches keys, once for all requests that wait for them. Use as an async context manager."""

    def __init__(self, control: CallControl, metrics: Metrics) -> None:
        self._control = control
        self._metrics = metrics
        self._group = asyncio.TaskGroup()
        self._fetches: dict[str, asyncio.Task[None]] = {}
        self._old_at: dict[str, float] = {}
        self._next_at: dict[str, float] = {}

    async def __aenter__(self) -> "PublishedKeys":
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        for fetch in self._fetches.values():
            fetch.cancel()
        await self._group.__aexit__(None, None, None)

    async def checked(self, provider: Provider, headers: Mapping[str, str], check: Callable[[], Checked]) -> Checked:
        """Return what ``check`` makes of a request with these ``headers``; raises ``SignatureError`` as it does.

        Where it wants a key that is not in hand, the keys are fetched and it is asked once more.
        """
        if not isinstance(provider, PublishesKeys):
            return check()
        try:
            checked = check()
        except UnknownKeyError:
            fetch = self._fetch(provider)
            if fetch is None:
                raise
            await asyncio.wait([fetch], timeout=WAIT_S)
            return check()
        if bearer(headers) and time.monotonic() >= self._old_at.get(provider.name, 0.0):
            self._fetch(provider)
        return checked

    def _fetch(self, provider: PublishesKeys) -> asyncio.Task[None] | None:
        """Return the fetch that is under way, or begins; ``None`` where the last one is too recent."""
        fetch = self._fetches.get(provider.name)
        if fetch is None and time.monotonic() >= self._next_at.get(provider.name, 0.0):
            fetch = self._fetches[provider.name] = self._group.create_task(self._run(provider))
        return fetch

    async def _run(self, provider: PublishesKeys) -> None:
        """Fetch and hand over; where the keys cannot be had, the old ones are kept and the log tells."""
        failure = ""
        try:
            provider.set_keys(await self._control.perform([provider.jwks_request()]))
            self._old_at[provider.name] = time.monotonic() + LIFE_S
        except (CallControlError, WireError) as error:
            failure = str(error)
        except Exception as error:  # noqa: BLE001 -- what a stranger published must not end the task group
            failure = f"{type(error).__name__}: {error}"
        finally:
            del self._fetches[provider.name]
            self._next_at[provider.name] = time.monotonic() + RETRY_S
        if failure:
            self._metrics.keys_unavailable.labels(provider.name).inc()
            log.error("keys_unavailable", provider=provider.name, detail=failure)
