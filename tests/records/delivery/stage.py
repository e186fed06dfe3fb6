"""An outbox in a database of its own, deliveries to put into it, and processes that work it off."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from gateway.config.records.deliver import Receiver
from gateway.records.delivery.deliverer import POLL_S, Deliverer, Write
from gateway.records.delivery.events import Facts, message_id
from gateway.records.delivery.metrics import DeliveryMetrics
from gateway.records.delivery.outbox import Due, Outbox
from gateway.records.delivery.sending import Sender
from gateway.records.rows import DeliveryRow
from gateway.records.store.database import Database
from gateway.records.store.tables import deliveries
from gateway.text import json_bytes, json_text

START = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)


@dataclass
class Stage:
    """An outbox and its database."""

    database: Database
    outbox: Outbox

    async def put(self, *rows: DeliveryRow) -> None:
        """Put deliveries into the outbox, as the records' writer does."""
        async with self.database.write() as connection:
            await self.database.put(connection, deliveries, [msgspec.structs.asdict(row) for row in rows])

    async def states(self) -> dict[str, tuple[str, int]]:
        """The state and the tries of each delivery, by its event and call."""
        c = deliveries.c
        async with self.database.read() as connection:
            found = await connection.execute(select(c.call_key, c.event, c.state, c.attempts).order_by(c.seq))
            return {f"{row.call_key} {row.event}": (row.state, row.attempts) for row in found}


def delivery(call_key: str, seq: int = 1, event: str = "call.ended", target: str = "crm") -> DeliveryRow:
    """An event of a call, since ``START``."""
    return DeliveryRow(
        id=message_id(call_key, target, seq, event),
        call_key=call_key,
        seq=seq,
        target=target,
        event=event,
        body=json_text(Facts(START)),
        created=START,
    )


@asynccontextmanager
async def stage(where: Path | str) -> AsyncIterator[Stage]:
    """An outbox in a new database: on SQLite in a folder, or at a URL."""
    async with Database(f"sqlite:///{where / 'calls.db'}" if isinstance(where, Path) else where) as database:
        await database.migrate()
        yield Stage(database, Outbox(database))


class Clock:
    """The wall clock of a test in virtual time: it shows ``START`` when it is made."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._made = self._loop.time()

    def __call__(self) -> datetime:
        """Return the time."""
        return START + timedelta(seconds=self.passed_s)

    @property
    def passed_s(self) -> float:
        """Seconds since ``START``."""
        return self._loop.time() - self._made


@asynccontextmanager
async def delivering(
    outbox: Outbox,
    clock: Clock,
    receivers: Mapping[str, Receiver],
    *,
    write: Write | None = None,
    registry: CollectorRegistry | None = None,
    poll_s: float = POLL_S,
) -> AsyncIterator[Deliverer]:
    """A process that delivers; each message is the event's name and its call's key."""

    async def written(due: Due) -> bytes:
        return json_bytes({"type": due.event, "call": due.call_key})

    # receivers verify the time of a signature by the machine's clock
    async with Sender() as sender:
        deliverer = Deliverer(
            outbox,
            sender,
            receivers.get,
            write or written,
            DeliveryMetrics(registry or CollectorRegistry()),
            now=clock,
            drawn=lambda: 0.5,
            poll_s=poll_s,
        )
        async with asyncio.TaskGroup() as group:
            running = group.create_task(deliverer.run())
            yield deliverer
            running.cancel()
