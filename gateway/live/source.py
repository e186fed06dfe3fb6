"""The sources of calls in progress: a process on a Unix socket here, or a gateway on its private listener."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
import msgspec
from aiohttp import hdrs
from msgspec import Struct

from gateway.live.messages import OrderFor, Outcome, Update
from gateway.live.proof import proof_of
from gateway.text import json_bytes

CONNECT_S = 2.0
ANSWER_S = 5.0
GATEWAY_ANSWER_S = 8.0
"""Seconds for a gateway's answer to an order, which it has to give to its processes."""
SILENCE_S = 25.0
"""Seconds without a byte after which a process counts as gone; an idle one writes every ten."""
LINE_BYTES = 4 << 20
"""Most bytes of an update: some thousand calls."""
GONE = (aiohttp.ClientError, OSError, TimeoutError, ValueError, msgspec.DecodeError)
"""The ways in which a process does not answer; ``ValueError`` is a line that is too long."""


class Source(Struct, frozen=True):
    """The place where a process is asked, or, with a ``url`` and the ``key`` that it shares, a gateway."""

    socket: str = ""
    url: str = ""
    key: str = ""

    @property
    def name(self) -> str:
        """The name by which it is known here."""
        return self.url or self.socket

    @property
    def gateway(self) -> str:
        """The address of the gateway; empty for a process on this machine."""
        return self.url


def sources_in(folder: Path) -> Sequence[Source]:
    """Return the processes with a socket in a folder."""
    return [Source(str(path)) for path in sorted(folder.glob("live-*.sock"))]


def sources_at(urls: Iterable[str], key: str) -> Sequence[Source]:
    """Return the gateways whose private listeners are at these addresses."""
    return [Source(url=url, key=key) for url in dict.fromkeys(urls)]


def failure_of(error: BaseException | None) -> str:
    """Return why a source does not answer, by one of ``GONE``; ``None`` stands for an end in order."""
    match error:
        case None:
            return "has closed the connection"
        case aiohttp.ClientResponseError(status=403):
            return "refuses the key: expected the same console.key there"
        case aiohttp.ClientResponseError(status=404):
            return "does not show its calls: expected console.key and listen.private there"
        case aiohttp.ClientResponseError():
            return f"answers {error.status}"
        case TimeoutError():
            return "does not answer in time"
        case msgspec.DecodeError() | ValueError():
            return "answers what is no update: expected the address of its listen.private"
        case _:
            return "is not reached"


class Reader:
    """Reads the updates of one source, and gives it orders."""

    def __init__(self, source: Source) -> None:
        connector = aiohttp.TCPConnector() if source.url else aiohttp.UnixConnector(path=source.socket)
        timeout = aiohttp.ClientTimeout(total=None, connect=CONNECT_S, sock_connect=CONNECT_S, sock_read=SILENCE_S)
        self._url = source.url or "http://gateway"
        self._answer = aiohttp.ClientTimeout(total=GATEWAY_ANSWER_S if source.url else ANSWER_S, connect=CONNECT_S)
        self._http = aiohttp.ClientSession(
            connector=connector,
            timeout=timeout,
            read_bufsize=LINE_BYTES,
            headers={hdrs.AUTHORIZATION: proof_of(source.key)} if source.key else {},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    async def updates(self) -> AsyncIterator[Update]:
        """Yield updates until the source ends. Raises one of ``GONE``."""
        async with asyncio.timeout(ANSWER_S):
            answer = await self._http.get(f"{self._url}/live", allow_redirects=False)
        async with answer:
            if answer.status != 200:
                raise aiohttp.ClientResponseError(answer.request_info, (), status=answer.status)
            async for line in answer.content:
                if line.strip():
                    yield msgspec.json.decode(line, type=Update)

    async def order(self, order: OrderFor) -> Outcome:
        """Return what came of an order. Raises one of ``GONE``."""
        sent = self._http.post(
            f"{self._url}/order", data=json_bytes(order), timeout=self._answer, allow_redirects=False
        )
        async with sent as answer:
            return _OUTCOMES.get(answer.status, Outcome.UNKNOWN)


_OUTCOMES = {200: Outcome.DONE, 404: Outcome.REFUSED, 403: Outcome.REFUSED}
