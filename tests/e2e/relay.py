"""A relay in front of a gateway, which can vanish as a process does: connections break, and new ones are refused."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class Relay:
    """Passes on what comes, until it vanishes."""

    def __init__(self) -> None:
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def before(self, url: str) -> AsyncIterator[str]:
        """Stand before ``url``; yield the address in its place."""
        parts = urlsplit(url)
        async with asyncio.TaskGroup() as group:

            async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                there, back = await asyncio.open_connection(parts.hostname, parts.port)
                self._open |= {writer, back}
                group.create_task(_pass_on(reader, back))
                group.create_task(_pass_on(there, writer))

            self._server = await asyncio.start_server(relay, "127.0.0.1", 0)
            port = self._server.sockets[0].getsockname()[1]
            try:
                yield f"http://127.0.0.1:{port}"
            finally:
                self.vanish()

    def vanish(self) -> None:
        """Break every connection off, and take no new one."""
        if self._server is not None:
            self._server.close()
        for writer in self._open:
            writer.transport.abort()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
    writer.close()
