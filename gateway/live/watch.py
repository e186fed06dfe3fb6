"""The calls of all processes, or gateways, followed while somebody looks; else none is asked anything."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import aiohttp
import structlog
from msgspec import Struct
from msgspec.structs import replace

from gateway.live.messages import About, LiveCall, OrderFor, Outcome, Update
from gateway.live.source import GONE, Reader, Source, failure_of

log = structlog.get_logger()

SEEK_S = 1.0
"""Seconds between two searches for processes that have come or gone."""
LINGER_S = 10.0
"""Seconds for which calls are followed after the last has looked: a page that is loaded looks twice."""
FIRST_S = 2.0
"""Most seconds to wait for the first look at every process."""
LONGEST_PAUSE_S = 16.0
"""Most seconds until a source that does not answer is asked again; the first pause is that of a search."""


class Seen(Struct, frozen=True):
    """A gateway as it is seen: what each of its processes says of itself, or why it does not answer."""

    name: str
    """Its address; empty for the gateway of this machine."""
    about: tuple[About, ...] = ()
    failure: str = ""


class Watch:
    """Follows the processes that ``sources`` finds, between :meth:`running`'s start and end."""

    def __init__(self, sources: Callable[[], Sequence[Source]]) -> None:
        self._sources = sources
        self._looking: set[asyncio.Event] = set()
        self._wanted = asyncio.Event()
        self._left = asyncio.Event()
        self._calls: dict[str, dict[str, LiveCall]] = {}
        self._about: dict[str, About] = {}
        self._present: dict[str, Source] = {}
        self._following: dict[str, asyncio.Task[None]] = {}
        self._pauses: dict[str, tuple[float, float]] = {}
        """When a source that did not answer may be asked again, and how long it was left alone for that."""
        self._failures: dict[str, str] = {}
        self._complete = asyncio.Event()

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

    @property
    def gateways(self) -> list[Seen]:
        """Each gateway, whether it answers or not."""
        names = dict.fromkeys(source.gateway for source in self._present.values()) or {"": None}
        return [Seen(name, self._about_of(name), self._failures.get(name, "")) for name in names]

    def _about_of(self, gateway: str) -> tuple[About, ...]:
        sources = (name for name, source in sorted(self._present.items()) if source.gateway == gateway)
        return tuple(self._about[name] for name in sources if name in self._about)

    @asynccontextmanager
    async def looking(self, first_s: float = FIRST_S) -> AsyncIterator[asyncio.Event]:
        """Look until the block ends; the event is set at each change.

        The block starts once every process has told its calls, or after ``first_s`` without those that are slow.
        """
        changed = asyncio.Event()
        self._looking.add(changed)
        self._wanted.set()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(first_s):
                    await self._complete.wait()
            yield changed
        finally:
            self._looking.discard(changed)
            if not self._looking:
                self._wanted.clear()
                self._left.set()

    async def order(self, order: OrderFor, gateway: str = "") -> Outcome:
        """Give an order to the ``gateway`` that has the call, or to all processes of this machine at once."""
        outcomes: set[Outcome] = set()
        async with asyncio.TaskGroup() as group:
            sources = [source for source in self._sources() if source.gateway == gateway]
            waiting = {group.create_task(_ask(source, order)) for source in sources}
            while waiting and Outcome.DONE not in outcomes:
                answered, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                outcomes |= {task.result() for task in answered}
            for task in waiting:
                task.cancel()
        if Outcome.DONE in outcomes:
            return Outcome.DONE
        return Outcome.UNKNOWN if Outcome.UNKNOWN in outcomes else Outcome.REFUSED

    async def _run(self) -> None:
        while True:
            await self._wanted.wait()
            async with asyncio.TaskGroup() as group:
                await self._follow_all(group)
                for task in self._following.values():
                    task.cancel()
            self._calls, self._about = {}, {}
            for known in (self._present, self._following, self._pauses, self._failures):
                known.clear()
            self._complete.clear()

    async def _follow_all(self, group: asyncio.TaskGroup) -> None:
        """Follow every process there is, and return once nobody has looked for a while."""
        while True:
            self._present = present = {source.name: source for source in self._sources()}
            for name in self._following.keys() - present.keys():
                self._following.pop(name).cancel()
                self._pauses.pop(name, None)
            for name, source in present.items():
                if name not in self._following or (self._following[name].done() and self._is_due(name)):
                    self._following[name] = group.create_task(self._follow(source))
            self._note_complete()
            self._left.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(SEEK_S if self._looking else LINGER_S):
                    await (self._left if self._looking else self._wanted).wait()
                    continue
            if not self._looking:
                return

    def _is_due(self, name: str) -> bool:
        due, _ = self._pauses.get(name, (0.0, 0.0))
        return asyncio.get_running_loop().time() >= due

    async def _follow(self, source: Source) -> None:
        calls: dict[str, LiveCall] = {}
        failed: BaseException | None = None
        try:
            async with Reader(source) as reader:
                async for update in reader.updates():
                    self._calls[source.name] = calls
                    self._take(source, calls, update)
        except GONE as error:
            failed = error
        finally:
            self._calls.pop(source.name, None)
            self._about.pop(source.name, None)
            self._note_change()
        self._failed(source, failure_of(failed))

    def _failed(self, source: Source, why: str) -> None:
        _, paused_s = self._pauses.get(source.name, (0.0, SEEK_S / 2))
        pause_s = min(2 * paused_s, LONGEST_PAUSE_S)
        self._pauses[source.name] = (asyncio.get_running_loop().time() + pause_s, pause_s)
        if source.gateway and self._failures.get(source.name) != why:
            log.warning("live_unreachable", gateway=source.name, detail=why)
        self._failures[source.name] = why
        self._note_complete()
        self._note_change()

    def _take(self, source: Source, calls: dict[str, LiveCall], update: Update) -> None:
        for call in update.calls:
            calls[call.key] = replace(call, gateway=source.gateway) if source.gateway else call
        for key in update.gone:
            calls.pop(key, None)
        if update.about is not None:
            self._about[source.name] = update.about
            self._pauses.pop(source.name, None)
            self._failures.pop(source.name, None)
        self._note_complete()
        self._note_change()

    def _note_complete(self) -> None:
        if all(name in self._about or name in self._failures for name in self._following):
            self._complete.set()

    def _note_change(self) -> None:
        for changed in self._looking:
            changed.set()


async def _ask(source: Source, order: OrderFor) -> Outcome:
    try:
        async with Reader(source) as reader:
            return await reader.order(order)
    except GONE as error:
        is_stale = isinstance(error, aiohttp.ClientConnectorError) and not source.gateway
        return Outcome.REFUSED if is_stale else Outcome.UNKNOWN  # nobody serves the socket of a process that has died
