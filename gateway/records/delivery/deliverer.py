"""Works off the outbox: one pump for each receiver that has something due, so that a slow one holds up no other."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from gateway.config.records.deliver import Receiver
from gateway.records.delivery.metrics import DeliveryMetrics
from gateway.records.delivery.outbox import DEAD, DELIVERED, WAITING, Due, Outbox
from gateway.records.delivery.schedule import FIRST_S, GIVE_UP_S, next_try
from gateway.records.delivery.sending import Outcome, Sender

log = structlog.get_logger()

POLL_S = 5.0
"""Seconds between two looks into the outbox, which finds what other processes left and what is tried again."""
AT_ONCE = 4
"""Messages under way to one receiver, by each process."""
LEASE_MARGIN_S = 60.0
"""Seconds for which a claim is kept beyond the time that the receiver has for its answer."""
LONGEST_PAUSE_S = 60.0
"""The longest pause of a process for a receiver that fails, after which one message tries it."""

Write = Callable[[Due], Awaitable[bytes | None]]
"""Returns the body of a message; ``None`` if the record of its call is gone."""


class Deliverer:
    """Delivers what is in the outbox while :meth:`run` runs.

    ``find`` returns a receiver by its name in the outbox, ``write`` the body of a message. ``now`` is the time in UTC,
    ``drawn`` a random number from 0 to 1.
    """

    def __init__(
        self,
        outbox: Outbox,
        sender: Sender,
        find: Callable[[str], Receiver | None],
        write: Write,
        metrics: DeliveryMetrics,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        drawn: Callable[[], float] = random.random,
        poll_s: float = POLL_S,
    ) -> None:
        self._outbox, self._sender, self._find, self._write = outbox, sender, find, write
        self._metrics, self._now, self._drawn, self._poll_s = metrics, now, drawn, poll_s
        self._awake, self._idle = asyncio.Event(), asyncio.Event()
        self._pumping: set[str] = set()
        self._again: set[str] = set()
        self._claimed: dict[str, Due] = {}
        self._failures: dict[str, int] = {}
        self._paused_until: dict[str, datetime] = {}
        self._is_out = False

    def wake(self) -> None:
        """Look into the outbox at once: something was put into it."""
        self._awake.set()

    async def finish(self, limit_s: float) -> None:
        """Return once nothing is due and nothing is under way, or after ``limit_s``."""
        self._idle.clear()
        self.wake()
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._idle.wait()

    async def run(self) -> None:
        """Deliver until cancelled; then give back what was claimed and not settled."""
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    self._awake.clear()
                    await self._guarded(self._look(group))
                    self._tell_idle()
                    with suppress(TimeoutError):
                        async with asyncio.timeout(self._poll_s):
                            await self._awake.wait()
        finally:
            await self._guarded(self._outbox.release(list(self._claimed.values()), self._now()))

    async def _look(self, group: asyncio.TaskGroup) -> None:
        now = self._now()
        for target in await self._outbox.targets(now):
            if target in self._pumping:
                self._again.add(target)
            elif self._paused_until.get(target, now) <= now:
                self._pumping.add(target)
                group.create_task(self._pump(target))
        self._metrics.waiting(await self._outbox.waiting(), now)

    async def _guarded(self, work: Awaitable[None]) -> None:
        """Await ``work``; a database that fails is reported once, and asked again later."""
        try:
            await work
        except (SQLAlchemyError, OSError) as error:
            self._tell_outage(error)
        else:
            self._is_out = False

    def _tell_outage(self, error: Exception) -> None:
        if not self._is_out:
            log.warning("deliveries_unavailable", error=type(error).__name__)
        self._is_out = True

    async def _pump(self, target: str) -> None:
        try:
            await self._guarded(self._empty(target))
        finally:
            self._pumping.discard(target)
            if target in self._again:
                self._again.discard(target)
                self.wake()
            self._tell_idle()

    def _tell_idle(self) -> None:
        if not self._pumping and not self._awake.is_set():
            self._idle.set()

    async def _empty(self, target: str) -> None:
        """Deliver what is due for a target until nothing is, or until it fails."""
        receiver = self._find(target)
        if receiver is None:  # another gateway on the same database may have another configuration
            await self._bury(target, "no receiver of this name in the configuration", self._a_day_ago())
            return
        if await self._outbox.is_gone(target, receiver.url):
            await self._bury(target, "the receiver has answered 410 before: it is gone")
            return
        while True:
            at_once = 1 if self._failures.get(target) else AT_ONCE
            lease_s = receiver.timeout_s + LEASE_MARGIN_S
            claimed = await self._outbox.claim(target, self._now(), at_once, lease_s)
            if not claimed:
                return
            self._claimed.update((due.id, due) for due in claimed)
            async with asyncio.TaskGroup() as group:
                tries = [group.create_task(self._deliver(target, receiver, due)) for due in claimed]
            if not all(each.result() for each in tries):
                await self._pause(target)
                return
            self._failures.pop(target, None)

    async def _pause(self, target: str) -> None:
        failures = self._failures[target] = self._failures.get(target, 0) + 1
        now = self._now()
        pause_s = min(FIRST_S * 2 ** min(failures - 1, 10), LONGEST_PAUSE_S)
        self._paused_until[target] = now + timedelta(seconds=pause_s)
        await self._bury(target, "not delivered within a day: the receiver fails", self._a_day_ago())

    def _a_day_ago(self) -> datetime:
        return self._now() - timedelta(seconds=GIVE_UP_S)

    async def _bury(self, target: str, detail: str, before: datetime | None = None) -> None:
        if count := await self._outbox.bury(target, detail, self._now(), before):
            self._metrics.tried(target, "dead", count)
            log.warning("deliveries_dead", target=target, count=count, detail=detail)

    async def _deliver(self, target: str, receiver: Receiver, due: Due) -> bool:
        """Try one delivery and write its outcome; return ``False`` where the receiver or the database has failed."""
        try:
            outcome = await self._tried(target, receiver, due)
            state, then = self._next(outcome, due)
            await self._outbox.settle(due, state, outcome.detail, then)
        except (SQLAlchemyError, OSError) as error:  # the claim ends with its lease, and another one follows
            self._tell_outage(error)
            return False
        self._claimed.pop(due.id, None)
        self._tell(target, due, outcome, state)
        return outcome.kind != "failed"

    async def _tried(self, target: str, receiver: Receiver, due: Due) -> Outcome:
        try:
            body = await self._write(due)
        except (SQLAlchemyError, OSError):
            raise
        except Exception:  # a bug, which must not end the gateway
            log.exception("delivery_not_written", target=target, delivery=due.id)
            return Outcome("failed", "its body cannot be written")
        if body is None:
            return Outcome("gone", "the record of the call is gone")
        outcome = await self._sender.send(receiver, due.id, body)
        if outcome.kind == "gone":
            await self._outbox.mark_gone(target, receiver.url)
            log.warning("delivery_receiver_gone", target=target)
        return outcome

    def _next(self, outcome: Outcome, due: Due) -> tuple[str, datetime]:
        """Return the state of a delivery after a try, and the time of its next one."""
        now = self._now()
        if outcome.kind != "failed":
            return DELIVERED if outcome.kind == "delivered" else DEAD, now
        then = next_try(due.attempts, due.created.timestamp(), now.timestamp(), self._drawn(), outcome.retry_after_s)
        return (DEAD, now) if then is None else (WAITING, datetime.fromtimestamp(then, UTC))

    def _tell(self, target: str, due: Due, outcome: Outcome, state: str) -> None:
        self._metrics.tried(target, "dead" if state == DEAD else outcome.kind)
        fields = {"target": target, "delivery": due.id, "call_event": due.event, "attempt": due.attempts}
        if state == DEAD:
            log.warning("delivery_dead", **fields, detail=outcome.detail)
        elif state == WAITING:
            log.info("delivery_failed", **fields, detail=outcome.detail)
        else:
            log.debug("delivered", **fields)
