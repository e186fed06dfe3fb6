"""Looks hosts' names up for the HTTP clients, and serves the last good addresses where that fails or takes long."""

import asyncio
import socket
from collections import OrderedDict
from typing import Any

import aiohttp
import structlog
from aiohttp.abc import AbstractResolver, ResolveResult

log = structlog.get_logger()

FRESH_S = 60.0
"""The time for which addresses are served without another look-up."""
PATIENCE_S = 0.5
"""The limit of a look-up where there are older addresses: a caller is waiting."""
RETRY_S = 5.0
"""The time for which older addresses are served after a look-up that failed, before the next one."""
HOSTS_LIMIT = 256

Addresses = list[ResolveResult]


class _Host:
    """The state of a host: its last good addresses, until when they are served, and the look-up that is running."""

    def __init__(self) -> None:
        self.addresses: Addresses = []
        self.served_until = float("-inf")
        self.looking_up: asyncio.Task[Addresses] | None = None
        self.is_stale = False
        """True if the last look-up failed, or the running one takes longer than :data:`PATIENCE_S`."""


class NameLookUp(AbstractResolver):
    """A resolver for ``aiohttp``: an outage of the name service ends no call where the host was reached before."""

    def __init__(self, resolver: AbstractResolver | None = None) -> None:
        self._resolver = resolver or aiohttp.DefaultResolver()
        self._hosts: OrderedDict[tuple[str, int, int], _Host] = OrderedDict()
        self._running: set[asyncio.Task[Addresses]] = set()

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> Addresses:
        """Return a host's addresses. Raises OSError where it has none, and had none before."""
        known = self._known((host, port, family))
        loop = asyncio.get_running_loop()
        if known.served_until > loop.time():
            return list(known.addresses)
        if known.looking_up is None:
            known.looking_up = loop.create_task(self._look_up(known, host, port, family))
            self._running.add(known.looking_up)
            known.looking_up.add_done_callback(self._running.discard)
        if not known.addresses:
            return list(await asyncio.shield(known.looking_up))
        if not known.is_stale:
            await asyncio.wait([known.looking_up], timeout=PATIENCE_S)
            if known.looking_up is not None:
                self._stale(known, host, f"no answer within {PATIENCE_S:g} s")
        return list(known.addresses)

    async def close(self) -> None:
        """End the look-ups that are running."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._resolver.close()

    def _known(self, key: tuple[str, int, int]) -> _Host:
        known = self._hosts.setdefault(key, _Host())
        self._hosts.move_to_end(key)
        if len(self._hosts) > HOSTS_LIMIT:
            self._hosts.popitem(last=False)
        return known

    async def _look_up(self, known: _Host, host: str, port: int, family: socket.AddressFamily) -> Addresses:
        loop = asyncio.get_running_loop()
        try:
            known.addresses = await self._resolver.resolve(host, port, family)
            known.served_until, known.is_stale = loop.time() + FRESH_S, False
        except OSError as error:
            if not known.addresses:
                raise
            known.served_until = loop.time() + RETRY_S
            self._stale(known, host, f"{type(error).__name__}: {error}")
        finally:
            known.looking_up = None
        return known.addresses

    def _stale(self, known: _Host, host: str, why: str) -> None:
        """Log once that older addresses are served."""
        if not known.is_stale:
            log.warning("addresses_stale", host=host, detail=why)
        known.is_stale = True


class Connector(aiohttp.TCPConnector):
    """A connection pool that looks up names by :class:`NameLookUp`. Options are those of ``TCPConnector``."""

    def __init__(self, **options: Any) -> None:
        self._names = NameLookUp()
        super().__init__(resolver=self._names, use_dns_cache=False, **options)

    async def close(self, *, abort_ssl: bool = False) -> None:
        """Close the connections and end the look-ups that are running."""
        await super().close(abort_ssl=abort_ssl)
        await self._names.close()
