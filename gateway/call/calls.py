"""The calls of one process: admission, and the end of them all."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Protocol

from gateway.call.call import Call
from gateway.call.refusal import Refusal
from gateway.call.settings import PARTING_LIMIT_S
from gateway.fleet.board import Board
from gateway.fleet.places import CallKey, Full, KnownCall, News, Place, Places

ANNOUNCE_LIMIT_S = PARTING_LIMIT_S + 10.0
"""The time within which the calls that are left at the end of a drain are told and handed on: 5 s for the provider's
REST API, and 5 s for the end of the stream."""
EXPECTED_POLL_S = 0.1
"""The interval at which a drain looks for the streams of answered calls, which may come to another worker."""
_REFUSALS = {Full.ALL: Refusal.FULL, Full.LINE: Refusal.LINE_FULL, Full.CALLER: Refusal.CALLER_FULL}


class Room(Protocol):
    """The room that this process has for calls, by its load."""

    def has_room(self) -> bool:
        """Return ``True`` if one more call may be taken."""

    def took(self) -> None:
        """Note that a call was taken."""


class Calls:
    """The calls of one process.

    A call that is answered by a webhook has its place from then on; any other call takes one when its stream opens,
    before that has said whose it is.

    ``places`` are shared by all workers; without them they are of this process alone.
    """

    def __init__(self, limit: int, places: Places | None = None) -> None:
        self.limit = limit
        self.room: Room | None = None
        """The bound of this process' calls beside ``limit``, if there is one."""
        self._places = places or Board(limit).places
        self.draining = False
        self.retiring = False
        """Another process takes the new calls; those that come here all the same are taken."""
        self.ending = False
        """The grace is over: calls in progress are being ended."""
        self._held = 0
        self.ended = 0
        """The streams of this process that have ended so far."""
        self._waits_for_start: set[asyncio.Timeout] = set()
        self._calls: dict[Call, CallKey] = {}
        self._empty = asyncio.Event()
        self._empty.set()
        self._no_grace = asyncio.Event()

    def __len__(self) -> int:
        return self._held

    @property
    def willing(self) -> bool:
        """``True`` if one more call would be taken."""
        return not self.draining and self._has_room() and not self._places.is_full()

    @property
    def in_use(self) -> int:
        """The number of places that are taken or kept, at all workers."""
        return self._places.in_use()

    @property
    def unwilling(self) -> Refusal:
        """The reason for which no call is taken now."""
        return Refusal.SHUT_DOWN if self.draining else Refusal.FULL

    def reserve(
        self,
        key: CallKey,
        line: str,
        line_limit: int | None,
        life_s: float,
        caller: str = "",
        caller_limit: int | None = None,
    ) -> Refusal | None:
        """Keep a place for the stream of a call that is about to be answered; return why it cannot be."""
        if self.draining:
            return Refusal.DRAINING
        if not self._has_room():
            return Refusal.FULL
        full = self._places.reserve(key, line, line_limit, life_s, caller, caller_limit)
        if full is None and self.room is not None:
            self.room.took()
        return _REFUSALS[full] if full else None

    def cancel(self, key: CallKey) -> KnownCall | None:
        """Free the place that is kept for a call whose stream will not come; return what was known of the call."""
        return self._places.cancel(key)

    def expected(self) -> list[KnownCall]:
        """Return the calls that were answered here and whose streams have not come."""
        return self._places.reserved()

    @contextmanager
    def place(self, key: CallKey | None = None) -> Iterator[Place | None]:
        """Hold a place for a stream: that of the answered call ``key``, else any; ``None`` where none is left.

        During a drain only an answered call has one.
        """
        held = None if self.ending else self._take(key)
        if held is None:
            yield None
            return
        self._held += 1
        self._empty.clear()
        try:
            yield held
        finally:
            self._places.free(held)
            self._held -= 1
            self.ended += 1
            if not self._held:
                self._empty.set()

    def _has_room(self) -> bool:
        return self.room is None or self.room.has_room()

    def _take(self, key: CallKey | None) -> Place | None:
        """Take the place of an answered call; any other, where calls are taken."""
        if self.room is None or self.draining:
            return self._places.take(key, reserved_only=self.draining)
        held = self._places.take(key, reserved_only=True)
        if held is None and self.room.has_room():
            held = self._places.take(key)
            if held is not None:
                self.room.took()
        return held

    def late_frames(self) -> dict[Call, int]:
        """Return how many frames each call in progress has sent late so far."""
        return {call: call.late_frames for call in self._calls}

    def name(
        self,
        place: Place,
        key: CallKey,
        line: str,
        line_limit: int | None,
        caller: str = "",
        caller_limit: int | None = None,
    ) -> Refusal | None:
        """Note whose call holds a place; return why it is turned away, where no webhook had reserved the place."""
        full = self._places.name(place, key, line, line_limit, caller, caller_limit)
        return _REFUSALS[full] if full else None

    def is_reserved_for(self, place: Place, line: str) -> bool:
        """Return whether a webhook had reserved the place for a call of ``line``."""
        return self._places.is_reserved_for(place, line)

    @asynccontextmanager
    async def opening(self) -> AsyncIterator[None]:
        """Wait for a stream's start in here: ``TimeoutError`` where the end of all calls comes first."""
        async with asyncio.timeout(None) as wait:
            self._waits_for_start.add(wait)
            try:
                yield
            finally:
                self._waits_for_start.discard(wait)

    @contextmanager
    def running(self, call: Call, key: CallKey) -> Iterator[None]:
        """Let ``drain`` and ``reported_over`` reach a call."""
        self._calls[call] = key
        if self.ending:
            call.shut_down()
        try:
            yield
        finally:
            del self._calls[call]

    def running_now(self) -> list[tuple[CallKey, Call]]:
        """Return the calls of this process."""
        return [(key, call) for call, key in self._calls.items()]

    def reported_over(self, key: CallKey, detail: str) -> bool:
        """End this call, which its provider reports as over, at whichever worker; ``False`` where there is none."""
        return self._end(key, detail) or self._places.report(key, News.OVER)

    def transfer_failed(self, key: CallKey, detail: str) -> bool:
        """Let this call go on, which its provider could not transfer; ``False`` where no worker has it."""
        return self._take_back(key, detail) or self._places.report(key, News.TRANSFER_FAILED)

    def take_news(self) -> None:
        """Act on reports about the calls here that providers sent to other workers."""
        for key, news in self._places.take_news():
            act = self._end if news is News.OVER else self._take_back
            act(key, f"{key[0]} told another worker")

    def _end(self, key: CallKey, detail: str) -> bool:
        found = self._known_as(key)
        for call in found:
            call.reported_over(detail)
        return bool(found)

    def _take_back(self, key: CallKey, detail: str) -> bool:
        found = self._known_as(key)
        for call in found:
            call.transfer_failed(detail)
        return bool(found)

    def _known_as(self, key: CallKey) -> list[Call]:
        return [call for call, known in self._calls.items() if known == key]

    async def drain(self, grace_s: float, limit_s: float) -> None:
        """Take no more calls, give those in progress ``grace_s`` to end by themselves, then end them in order.

        A process that is ``retiring`` takes those that come all the same. Calls that are left say why and hand their
        callers on, as their lines say, within ``ANNOUNCE_LIMIT_S``; then they end at once. Returns when the last has
        ended, or ``limit_s`` after it was asked to.
        """
        self.draining = not self.retiring
        await self._grace(grace_s)
        self.ending = True
        if not self._held:
            return
        now = asyncio.get_running_loop().time()
        for wait in self._waits_for_start:
            wait.reschedule(now)
        speaking = [call for call in list(self._calls) if call.shut_down(at_once=self._no_grace.is_set())]
        if speaking:
            await self._grace(ANNOUNCE_LIMIT_S, expects_streams=False)
            for call in list(self._calls):
                call.shut_down(at_once=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._empty.wait()

    def end_now(self) -> None:
        """Cut a drain short: its calls are ended in order now, whatever they are about to say."""
        self._no_grace.set()

    async def _grace(self, grace_s: float, *, expects_streams: bool = True) -> None:
        """Return when no call is left or expected, when the grace is over, or when it is cut short."""
        loop = asyncio.get_running_loop()
        over_at = loop.time() + grace_s
        async with asyncio.TaskGroup() as group:
            no_grace = group.create_task(self._no_grace.wait())
            while (left := over_at - loop.time()) > 0 and not no_grace.done():
                if not self._held:
                    if not expects_streams or not self._places.reserved():
                        break
                    await asyncio.wait([no_grace], timeout=min(left, EXPECTED_POLL_S))
                    continue
                empty = group.create_task(self._empty.wait())
                await asyncio.wait([no_grace, empty], timeout=left, return_when=asyncio.FIRST_COMPLETED)
                empty.cancel()
            no_grace.cancel()
