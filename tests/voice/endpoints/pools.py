"""Services whose connections are there already, as a pool."""

import asyncio
from typing import Any

from gateway.fleet.memory import Memory
from gateway.fleet.sessions import Sessions, bytes_for
from gateway.voice.bot import Answering
from gateway.voice.endpoints.endpoint import Endpoint
from gateway.voice.endpoints.pool import Pool
from gateway.voice.endpoints.pooled import PooledVoiceLive
from gateway.voice.service import VoiceLive
from tests.fakes import FakeSocket

Connection = FakeSocket | Exception | float
"""A socket, a failure, or the seconds for which the service does not answer."""


class At(VoiceLive):
    """The service at one endpoint."""

    def __init__(self, name: str, *connections: Connection) -> None:
        super().__init__(f"https://{name}.example", "key")
        self.connections = list(connections)
        self.asked: list[Answering] = []
        self.limits: list[float | None] = []

    async def connect(
        self, answering: Answering, query: Any = None, *, limit_s: float | None = None, call_id: str = ""
    ) -> Any:
        """Return the next socket, or raise the next failure."""
        self.asked.append(answering)
        self.limits.append(limit_s)
        connection = self.connections.pop(0)
        if isinstance(connection, float):
            await asyncio.sleep(connection)
            connection = self.connections.pop(0)
        if isinstance(connection, Exception):
            raise connection
        return connection


def pooled(*services: tuple[Endpoint, At]) -> PooledVoiceLive:
    """Return a pool of one process, on the running loop's clock."""
    sessions = Sessions(Memory(bytes_for(100)), 0, 100)
    held = Pool([endpoint for endpoint, _ in services], sessions)
    clock = asyncio.get_running_loop().time
    return PooledVoiceLive({endpoint.name: service for endpoint, service in services}, held, clock)
