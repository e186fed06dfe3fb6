"""The deliveries of a process: the rows of its calls' events, and the work on the outbox while it runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from prometheus_client import CollectorRegistry

from gateway.call.record import CallIdentity
from gateway.records.delivery.deliverer import POLL_S, Deliverer
from gateway.records.delivery.events import CallDeliveries
from gateway.records.delivery.metrics import DeliveryMetrics
from gateway.records.delivery.outbox import Outbox
from gateway.records.delivery.reading import MessageWriter
from gateway.records.delivery.sending import Sender
from gateway.records.delivery.targets import Targets
from gateway.records.store.database import Database


class Deliveries:
    """Makes the deliveries of calls, and delivers them while :meth:`running` is open.

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

    def of_call(self, call_key: str, identity: CallIdentity, started: datetime) -> CallDeliveries | None:
        """Return what makes the deliveries of a call, which began at ``started``; ``None`` if nobody gets any."""
        targets = self.targets.of_line(identity.line)
        for target in targets:
            self._metrics.know(target.name)
        return CallDeliveries(call_key, started, identity.started_at, targets) if targets else None

    def wake(self) -> None:
        """Look into the outbox at once: something was put into it."""
        if self._deliverer is not None:
            self._deliverer.wake()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliver until the block ends. Without a receiver in the configuration, nothing is looked for."""
        async with Sender() as sender, asyncio.TaskGroup() as group:
            self._deliverer = Deliverer(self._outbox, sender, self.targets.find, self._writer.write, self._metrics)
            running = group.create_task(self._run(self._deliverer))
            try:
                yield
            finally:
                running.cancel()

    async def _run(self, deliverer: Deliverer) -> None:
        while not self.targets.is_any():  # noqa: ASYNC110 -- a line's file that is saved brings no event
            await asyncio.sleep(POLL_S)
        await deliverer.run()
