"""The deliveries of a process: the rows of its calls' events, and the work on the outbox while it runs."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import structlog
from prometheus_client import CollectorRegistry

from gateway.call.record import CallIdentity
from gateway.records.delivery.deliverer import Deliverer
from gateway.records.delivery.events import CallDeliveries, interrupted, recording_stored
from gateway.records.delivery.metrics import DeliveryMetrics
from gateway.records.delivery.outbox import Outbox
from gateway.records.delivery.reading import MessageWriter
from gateway.records.delivery.sending import Sender
from gateway.records.delivery.targets import Targets
from gateway.records.rows import DeliveryRow, Row
from gateway.records.store.database import Database

log = structlog.get_logger()

UNTIL_READY_S = 1.0
"""Seconds between two looks whether there is something to do at all."""
FINISH_S = 3.0
"""Seconds at the end of a process in which the last events may still go out."""


class Deliveries:
    """Makes the deliveries of calls, and delivers them while :meth:`run` runs.

    ``words`` says if the records keep words, ``worker`` is the name of this process.
    """

    def __init__(
        self, targets: Targets, database: Database, registry: CollectorRegistry, *, words: bool, worker: str = ""
    ) -> None:
        self.targets = targets
        self._metrics = DeliveryMetrics(registry)
        self._outbox = Outbox(database, worker)
        self._writer = MessageWriter(database, targets.find, words=words)
        self._deliverer: Deliverer | None = None
        self._wanted, self._began = asyncio.Event(), asyncio.Event()

    def link_with(self, link: Callable[[str], Awaitable[str]]) -> None:
        """Tell receivers links to recordings that ``link`` makes of their URLs, anew for each try."""
        self._writer.link = link

    def of_call(
        self, call_key: str, identity: CallIdentity, started: datetime, text: Callable[[str], str] = str
    ) -> CallDeliveries | None:
        """Return what makes the deliveries of a call, which began at ``started``; ``None`` if nobody gets any.

        ``text`` returns a message of a provider as it may be sent on.
        """
        targets = self.targets.of_line(identity.line)
        for target in targets:
            self._metrics.know(target.name)
        return CallDeliveries(call_key, started, identity.started_at, targets, text) if targets else None

    def of_interrupted(self, call_key: str, line: str, at: datetime) -> list[DeliveryRow]:
        """Return the deliveries for a call that was found interrupted at ``at``."""
        return interrupted(call_key, at, self.targets.of_line(line))

    def of_recording(self, call_key: str, line: str, about: dict[str, Any]) -> list[DeliveryRow]:
        """Return the deliveries for a recording that is stored now; ``about`` has ``url``, ``format``, ``seconds``."""
        return recording_stored(call_key, datetime.now(UTC), self.targets.of_line(line), about)

    def written(self, rows: Iterable[Row]) -> None:
        """Look into the outbox at once if something is new in it: these rows were written."""
        if any(isinstance(row, DeliveryRow) for row in rows):
            self._wanted.set()
            if self._deliverer is not None:
                self._deliverer.wake()

    async def run(self, is_ready: Callable[[], bool]) -> None:
        """Deliver until cancelled, from when the database is ready and the configuration names a receiver."""
        while not (is_ready() and self.targets.is_any()):
            self._wanted.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(UNTIL_READY_S):
                    await self._wanted.wait()
        async with Sender() as sender:
            self._deliverer = Deliverer(self._outbox, sender, self.targets.find, self._writer.write, self._metrics)
            self._began.set()
            while True:
                await self._run(self._deliverer)

    async def _run(self, deliverer: Deliverer) -> None:
        try:
            await deliverer.run()
        except Exception:  # a bug, which ends no call
            log.exception("deliveries_failed")
            await asyncio.sleep(UNTIL_READY_S)

    async def finish(self) -> None:
        """Deliver what is due, for a few seconds at most: what is left waits for another process."""
        if not self._wanted.is_set() and self._deliverer is None:
            return  # nothing was written
        with suppress(TimeoutError):
            async with asyncio.timeout(FINISH_S):
                await self._began.wait()
                if self._deliverer is not None:
                    await self._deliverer.finish(FINISH_S)
