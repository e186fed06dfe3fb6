"""Opens a session as a call does, with the production leg, and notes its events with their times."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from gateway.doctor.sessions.bots import Bot
from gateway.doctor.sessions.tap import Message, TappedService
from gateway.errors import OutboxFullError
from gateway.voice.commands import VoiceCommand
from gateway.voice.endpoints.pooled import Single
from gateway.voice.events import ServiceError, SessionReady, VoiceClosed, VoiceEnd, VoiceEvent
from gateway.voice.leg import VoiceLeg
from gateway.voice.opening import Opening
from gateway.voice.service import Negotiate, VoiceLive

OPEN_LIMIT_S = 30.0
"""Longer than connection, negotiation and acceptance may take together by their own limits."""
Found = TypeVar("Found")


class Talk:
    """One session. ``opened_s`` is the time that it took to be accepted."""

    def __init__(self, leg: VoiceLeg, tapped: TappedService, arrived: asyncio.Event) -> None:
        self._leg = leg
        self._arrived = arrived
        self._seen = 0
        self.tapped = tapped
        self.events: list[tuple[float, VoiceEvent]] = []
        """All events so far, each with its time on the loop's clock."""
        self.opened_s = 0.0

    @property
    def opening(self) -> Opening:
        """The attempts at the session."""
        return self._leg.opening

    @property
    def ready(self) -> SessionReady | None:
        """The event of an accepted session."""
        return next((event for _, event in self.events if isinstance(event, SessionReady)), None)

    @property
    def closed(self) -> VoiceClosed | None:
        """The event that ended the session."""
        return next((event for _, event in self.events if isinstance(event, VoiceClosed)), None)

    def tell(self, event: VoiceEvent) -> None:
        """Note an event of the leg."""
        self.events.append((asyncio.get_running_loop().time(), event))
        self._arrived.set()

    def send(self, command: VoiceCommand) -> None:
        """Carry out a command; a service that does not read ends the session."""
        try:
            self._leg.send(command)
        except OutboxFullError as error:
            self.tell(VoiceClosed(VoiceEnd.STALLED, str(error)))

    async def until(self, *kinds: type[VoiceEvent], limit_s: float) -> VoiceEvent | None:
        """Return the next event of a kind after the one that was returned last; ``None`` at the limit or the end."""

        def found() -> VoiceEvent | None:
            while self._seen < len(self.events):
                _, event = self.events[self._seen]
                self._seen += 1
                if isinstance(event, kinds):
                    return event
            return None

        return await self._awaited(found, limit_s)

    async def until_message(self, kind: str, limit_s: float) -> Message | None:
        """Return the first message of a type that is no event; ``None`` where an error, the limit or the end comes."""
        known = len(self.events)

        def found() -> Message | None:
            return next(iter(self.tapped.all_of(kind)), None)

        def is_refused() -> bool:
            return any(isinstance(event, ServiceError) for _, event in self.events[known:])

        return await self._awaited(found, limit_s, is_refused)

    async def _awaited(
        self, found: Callable[[], Found | None], limit_s: float, is_over: Callable[[], bool] = lambda: False
    ) -> Found | None:
        try:
            async with asyncio.timeout(limit_s):
                while (one := found()) is None and self.closed is None and not is_over():
                    self._arrived.clear()
                    await self._arrived.wait()
                return one
        except TimeoutError:
            return None

    async def opened(self) -> None:
        """Wait until the session is accepted, or will not be."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await self.until(SessionReady, limit_s=OPEN_LIMIT_S)
        self.opened_s = loop.time() - begun
        if self.ready is None and self.closed is None:
            self.tell(VoiceClosed(VoiceEnd.UNREACHABLE, f"no session within {OPEN_LIMIT_S:g} s"))


@asynccontextmanager
async def talking(service: VoiceLive, bot: Bot, *, negotiate: Negotiate | None = None) -> AsyncIterator[Talk]:
    """Open the session of a bot as its calls do, or with another ``negotiate``; close it when the block ends.

    The block begins when the session is accepted or refused.
    """
    arrived = asyncio.Event()
    tapped = TappedService(service, arrived.set, negotiate=negotiate or service.negotiate)
    leg = VoiceLeg(Single(tapped.as_service()), bot.proposals, bot.audio_format)
    talk = Talk(leg, tapped, arrived)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(leg.run(talk.tell))
        try:
            await talk.opened()
            yield talk
        finally:
            await leg.close()
            running.cancel()
