"""A process that has calls, as its reader sees it: on a Unix socket of this machine."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
import msgspec
from msgspec import Struct

from gateway.live.messages import OrderFor, Update
from gateway.text import json_bytes

CONNECT_S = 2.0
ANSWER_S = 5.0
SILENCE_S = 25.0
"""Seconds without a byte after which a process counts as gone; an idle one writes every ten."""
LINE_BYTES = 4 << 20
"""Most bytes of an update: some thousand calls."""
GONE = (aiohttp.ClientError, OSError, TimeoutError, ValueError, msgspec.DecodeError)
"""The ways in which a process does not answer; ``ValueError`` is a line that is too long."""


class Source(Struct, frozen=True):
    """The place where a process is asked."""

    socket: str

    @property
    def name(self) -> str:
        """The name by which it is known here."""
        return self.socket


def sources_in(folder: Path) -> Sequence[Source]:
    """Return the processes with a socket in a folder."""
    return [Source(str(path)) for path in sorted(folder.glob("live-*.sock"))]


class Reader:
    """Reads the updates of one process, and gives it orders."""

    def __init__(self, source: Source) -> None:
        connector = aiohttp.UnixConnector(path=source.socket)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENCE_S)
        self._http = aiohttp.ClientSession(
            base_url="http://gateway", connector=connector, timeout=timeout, read_bufsize=LINE_BYTES
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    async def updates(self) -> AsyncIterator[Update]:
        """Yield updates until the process ends. Raises one of ``GONE``."""
        async with self._http.get("/live") as answer:
            answer.raise_for_status()
            async for line in answer.content:
                if line.strip():
                    yield msgspec.json.decode(line, type=Update)

    async def order(self, order: OrderFor) -> bool:
        """Return whether the process has carried out an order. Raises one of ``GONE``."""
        async with self._http.post("/order", data=json_bytes(order), timeout=_ANSWER) as answer:
            return answer.status == 200


_ANSWER = aiohttp.ClientTimeout(total=ANSWER_S)
