"""The calls of one process: admission, and the end of them all."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from gateway.call.call import Call

CallKey = tuple[str, str]
"""The provider's name and the id that the call has there: no provider has a say about another's calls."""


class Calls:
    """Who is on the phone. A stream takes a place when it opens, before it has said whose call it is."""

    def __init__(self, limit: int, share_of: Callable[[int], int] = int) -> None:
        self.limit = limit
        self._share_of = share_of
        self.draining = False
        self.ending = False
        """The grace is over: calls in progress are being ended."""
        self._places = 0
        self._opening: set[asyncio.Timeout] = set()
        self._calls: dict[Call, CallKey] = {}
        self._by_line: Counter[str] = Counter()
        self._empty = asyncio.Event()
        self._empty.set()
        self._no_grace = asyncio.Event()

    def __len__(self) -> int:
        return self._places

    @property
    def willing(self) -> bool:
        """Whether one more call would be taken."""
        return not self.draining and self._places < self.limit

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place for a stream; ask ``willing`` first."""
        self._places += 1
        self._empty.clear()
        try:
            yield
        finally:
            self._places -= 1
            if not self._places:
                self._empty.set()

    @asynccontextmanager
    async def opening(self) -> AsyncIterator[None]:
        """Wait for a stream's start in here: ``TimeoutError`` where the end of all calls comes first."""
        async with asyncio.timeout(None) as wait:
            self._opening.add(wait)
            try:
                yield
            finally:
                self._opening.discard(wait)

    def line_is_full(self, line: str, limit: int | None) -> bool:
        """Whether a line has all the calls that this process may take for it."""
        return limit is not None and self._by_line[line] >= self._share_of(limit)

    @contextmanager
    def running(self, call: Call, line: str, key: CallKey) -> Iterator[None]:
        """Count a call on its line and let ``drain`` and ``reported_over`` reach it."""
        self._calls[call] = key
        self._by_line[line] += 1
        if self.ending:
            call.shut_down()
        try:
            yield
        finally:
            del self._calls[call]
            self._by_line[line] -= 1

    def reported_over(self, key: CallKey, detail: str) -> bool:
        """End this call, which its provider reports as over; ``False`` where there is none."""
        found = [call for call, known in self._calls.items() if known == key]
        for call in found:
            call.reported_over(detail)
        return bool(found)

    async def drain(self, grace_s: float, limit_s: float) -> None:
        """Take no more calls, give those in progress ``grace_s`` to end by themselves, then end them in order.

        Returns when the last has ended, or ``limit_s`` after it was asked to.
        """
        self.draining = True
        await self._grace(grace_s)
        if not self._places:
            return
        self.ending = True
        now = asyncio.get_running_loop().time()
        for wait in self._opening:
            wait.reschedule(now)
        for call in list(self._calls):
            call.shut_down()
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._empty.wait()

    def end_now(self) -> None:
        """Cut the grace of a drain short: its calls are ended in order now."""
        self._no_grace.set()

    async def _grace(self, grace_s: float) -> None:
        """Return when no call is left, when the grace is over, or when it is cut short."""
        async with asyncio.TaskGroup() as group:
            waits = [group.create_task(event.wait()) for event in (self._empty, self._no_grace)]
            await asyncio.wait(waits, timeout=grace_s, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
