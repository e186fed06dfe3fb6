"""The calls of all processes, followed while somebody looks; with nobody looking, no process is asked anything."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress

from gateway.live.messages import About, LiveCall, OrderFor, Update
from gateway.live.source import GONE, Reader, Source

SEEK_S = 1.0
"""Seconds between two searches for processes that have come or gone."""
LINGER_S = 10.0
"""Seconds for which calls are followed after the last has looked: a page that is loaded looks twice."""
FIRST_S = 2.0
"""Most seconds to wait for the first update of every process."""


class Watch:
    """Follows the processes that ``sources`` finds, between :meth:`running`'s start and end."""

    def __init__(self, sources: Callable[[], Sequence[Source]]) -> None:
        self._sources = sources
        self._looking: set[asyncio.Event] = set()
        self._wanted = asyncio.Event()
        self._left = asyncio.Event()
        self._calls: dict[str, dict[str, LiveCall]] = {}
        self._about: dict[str, About] = {}
        self._following: dict[str, asyncio.Task[None]] = {}
        self._complete = asyncio.Event()
        self.last_failure = ""
        """The last process that did not answer, and how."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Watch"]:
        """Follow processes while somebody looks, until the block ends."""
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self._run())
            try:
                yield self
            finally:
                task.cancel()

    @property
    def calls(self) -> list[LiveCall]:
        """The calls in progress, the oldest first."""
        found = (call for calls in self._calls.values() for call in calls.values())
        return sorted(found, key=lambda call: (call.started, call.key))

    @property
    def about(self) -> list[About]:
        """The state of each process."""
        return [self._about[name] for name in sorted(self._about)]

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[asyncio.Event]:
        """Look until the block ends; the event is set at each change. What is slow to answer is not waited for."""
        changed = asyncio.Event()
        self._looking.add(changed)
        self._wanted.set()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(FIRST_S):
                    await self._complete.wait()
            yield changed
        finally:
            self._looking.discard(changed)
            if not self._looking:
                self._wanted.clear()
                self._left.set()

    async def order(self, order: OrderFor) -> bool:
        """Give an order to the process that has the call; ``False`` where none has it or can do it."""
        for reader in self._readers():
            async with reader:
                with suppress(*GONE):
                    if await reader.order(order):
                        return True
        return False

    def _readers(self) -> Iterator[Reader]:
        return (Reader(source) for source in self._sources())

    async def _run(self) -> None:
        while True:
            await self._wanted.wait()
            async with asyncio.TaskGroup() as group:
                await self._follow_all(group)
                for task in self._following.values():
                    task.cancel()
            self._calls, self._about = {}, {}
            self._following.clear()
            self._complete.clear()

    async def _follow_all(self, group: asyncio.TaskGroup) -> None:
        """Follow every process there is, and return once nobody has looked for a while."""
        while True:
            present = {source.name: source for source in self._sources()}
            for name in self._following.keys() - present.keys():
                self._following.pop(name).cancel()
            for name, source in present.items():
                if name not in self._following or self._following[name].done():
                    self._following[name] = group.create_task(self._follow(source))
            self._note_complete()
            self._left.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(SEEK_S if self._looking else LINGER_S):
                    await (self._left if self._looking else self._wanted).wait()
                    continue
            if not self._looking:
                return

    async def _follow(self, source: Source) -> None:
        calls: dict[str, LiveCall] = {}
        try:
            async with Reader(source) as reader:
                async for update in reader.updates():
                    self._calls[source.name] = calls
                    self._take(source.name, calls, update)
        except GONE as error:
            self.last_failure = f"{source.name}: {type(error).__name__}"
        finally:
            self._calls.pop(source.name, None)
            self._about.pop(source.name, None)
            self._note_change()

    def _take(self, name: str, calls: dict[str, LiveCall], update: Update) -> None:
        for call in update.calls:
            calls[call.key] = call
        for key in update.gone:
            calls.pop(key, None)
        if update.about is not None:
            self._about[name] = update.about
        self._note_complete()
        self._note_change()

    def _note_complete(self) -> None:
        if all(name in self._about or task.done() for name, task in self._following.items()):
            self._complete.set()

    def _note_change(self) -> None:
        for changed in self._looking:
            changed.set()
