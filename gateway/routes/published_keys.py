"""Fetches the keys that a provider publishes, when a token names an unknown one, and again when they are old."""

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import structlog

from gateway.call.metrics import Metrics
from gateway.errors import InputError, WireError
from gateway.phone.provider import KeySet, Provider
from gateway.phone.shared.jwks import UnknownKeyError
from gateway.phone.shared.jwt import bearer
from gateway.rest import CallControl, CallControlError
from gateway.routes.kept_keys import keep, read_kept

log = structlog.get_logger()
Checked = TypeVar("Checked")

LIFE_S = 3600.0
"""Age after which keys are fetched anew; they are used until the new ones have come."""
RETRY_S = 10.0
"""Shortest time between two fetches of a provider's keys, whether the first succeeded or failed."""
WAIT_S = 5.0
"""Most seconds that a request waits for a key; the server that publishes them may be slow."""


class PublishedKeys:
    """Fetches keys, once for all requests that wait for them. Use as an async context manager."""

    def __init__(
        self, control: CallControl, metrics: Metrics, kept: Mapping[str, tuple[KeySet, Path]] | None = None
    ) -> None:
        """``kept`` names, for each account that has one, the file that keeps its keys beyond the process' life."""
        self._control = control
        self._metrics = metrics
        self._kept = kept or {}
        self._group = asyncio.TaskGroup()
        self._fetches: dict[str, asyncio.Task[None]] = {}
        self._old_at: dict[str, float] = {}
        self._next_at: dict[str, float] = {}

    async def __aenter__(self) -> "PublishedKeys":
        await self._group.__aenter__()
        for name, (keys, file) in self._kept.items():
            await self._load(name, keys, file)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        for fetch in self._fetches.values():
            fetch.cancel()
        await self._group.__aexit__(None, None, None)

    async def checked(self, provider: Provider, headers: Mapping[str, str], check: Callable[[], Checked]) -> Checked:
        """Return the result of ``check`` for a request with these ``headers``. Raises its ``SignatureError``.

        If it needs an unknown key, the keys are fetched and it is called once more.
        """
        keys = provider.published_keys
        if keys is None:
            return check()
        try:
            checked = check()
        except UnknownKeyError:
            fetch = self._fetch(provider.name, keys)
            if fetch is None:
                raise
            await asyncio.wait([fetch], timeout=WAIT_S)
            return check()
        if bearer(headers) and time.monotonic() >= self._old_at.get(provider.name, 0.0):
            self._fetch(provider.name, keys)
        return checked

    async def _load(self, name: str, keys: KeySet, file: Path) -> None:
        """Take the kept keys, which serve until they have been fetched anew; without them, log why."""
        try:
            keys.replace(await asyncio.to_thread(read_kept, file))
        except FileNotFoundError:
            return  # nothing was kept yet
        except (OSError, InputError, WireError) as error:
            log.warning("keys_file_failed", provider=name, file=str(file), detail=str(error))
        else:
            log.info("keys_loaded", provider=name, file=str(file))

    async def _keep(self, name: str, document: bytes) -> None:
        """Write fetched keys to the file that keeps them."""
        _, file = self._kept[name]
        try:
            await asyncio.to_thread(keep, file, document)
        except OSError as error:
            log.warning("keys_file_failed", provider=name, file=str(file), detail=str(error))

    def _fetch(self, name: str, keys: KeySet) -> asyncio.Task[None] | None:
        """Return the fetch that is running, or start one; ``None`` if the last one is too recent."""
        fetch = self._fetches.get(name)
        if fetch is None and time.monotonic() >= self._next_at.get(name, 0.0):
            fetch = self._fetches[name] = self._group.create_task(self._run(name, keys))
        return fetch

    async def _run(self, name: str, keys: KeySet) -> None:
        """Fetch the keys; on failure, keep the old ones and log it."""
        failure = ""
        try:
            document = await self._control.fetch(keys.request())
            keys.replace(document)
            self._old_at[name] = time.monotonic() + LIFE_S
            if name in self._kept:
                self._group.create_task(self._keep(name, document))
        except (CallControlError, WireError) as error:
            failure = str(error)
        except Exception as error:  # noqa: BLE001 -- a provider's bad answer must not end the task group
            failure = f"{type(error).__name__}: {error}"
        finally:
            del self._fetches[name]
            self._next_at[name] = time.monotonic() + RETRY_S
        if failure:
            self._metrics.keys_unavailable.labels(name).inc()
            log.error("keys_unavailable", provider=name, detail=failure)
