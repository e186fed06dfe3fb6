"""Keys that a provider publishes, fetched when they are first wanted and again when they have grown old."""

import asyncio
import time
from typing import Protocol, runtime_checkable

import structlog

from gateway.call.metrics import Metrics
from gateway.errors import WireError
from gateway.phone.provider import HttpRequest, Provider
from gateway.rest import CallControl, CallControlError

log = structlog.get_logger()

LIFE_S = 3600.0
RETRY_S = 10.0
"""A provider whose keys could not be had is asked again no sooner."""


@runtime_checkable
class PublishesKeys(Protocol):
    """A provider whose signatures are checked against keys that it publishes (RFC 7517)."""

    def jwks_request(self) -> HttpRequest:
        """What to fetch."""

    def set_keys(self, document: bytes) -> None:
        """Take what was fetched; ``WireError`` where it is no key set."""


class PublishedKeys:
    """Sees to it that a provider has its keys before it is asked to check a signature."""

    def __init__(self, control: CallControl, metrics: Metrics) -> None:
        self._control = control
        self._metrics = metrics
        self._due: dict[str, float] = {}
        self._fetching = asyncio.Lock()

    async def fetch_for(self, provider: Provider) -> None:
        """Fetch the keys if they are due; where they cannot be had, the old ones are kept and the log tells."""
        if not isinstance(provider, PublishesKeys):
            return
        async with self._fetching:
            if time.monotonic() < self._due.get(provider.name, 0.0):
                return
            self._due[provider.name] = time.monotonic() + RETRY_S
            try:
                provider.set_keys(await self._control.perform([provider.jwks_request()]))
            except (CallControlError, WireError) as error:
                self._metrics.keys_unavailable.labels(provider.name).inc()
                log.error("keys_unavailable", provider=provider.name, detail=str(error))
                return
            self._due[provider.name] = time.monotonic() + LIFE_S
