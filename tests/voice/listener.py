"""A voice leg that is read to its end, against the emulator."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from gateway.sim.emulator import Emulator, Session
from gateway.voice.bot import Answering, Model
from gateway.voice.events import SessionReady, VoiceEvent
from gateway.voice.leg import VoiceLeg
from gateway.voice.proposals import Proposal
from gateway.voice.service import VoiceLive
from tests.sim.emulator.wire import ULAW, scripted

MODEL = Model("gpt-4.1")
SESSION = {"modalities": ["text", "audio"], "instructions": "Answer.", **ULAW}


class Listener:
    """Reads a leg to its end, and lets the test wait for what it told."""

    def __init__(self, leg: VoiceLeg, service: Emulator) -> None:
        self.leg = leg
        self.service = service
        self.events: list[VoiceEvent] = []
        self._told = asyncio.Event()

    async def read(self) -> None:
        await self.leg.run(self._tell)

    def _tell(self, event: VoiceEvent) -> None:
        self.events.append(event)
        self._told.set()

    async def until(self, kind: type[VoiceEvent], count: int = 1) -> VoiceEvent:
        """The event of a kind with this number, told already or yet to come."""
        while len(self.all(kind)) < count:
            self._told.clear()
            await self._told.wait()
        return self.all(kind)[count - 1]

    def all(self, kind: type[VoiceEvent]) -> list[VoiceEvent]:
        """All events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]


@asynccontextmanager
async def listening(
    *turns: dict[str, Any],
    session: dict[str, Any] = SESSION,
    answering: Answering = MODEL,
    api_version: str = "2026-07-15",
    **keys: Any,
) -> AsyncIterator[Listener]:
    """A leg that is being read, on an emulator with these turns; closed at the end."""
    script = scripted(*(turns or ({"say": "Yes."},)), vad="scripted", **keys)
    async with (
        asyncio.timeout(20),
        Emulator(script) as service,
        VoiceLive(service.endpoint, "any", api_version=api_version, connect_timeout_s=2) as live,
        asyncio.TaskGroup() as group,
    ):
        listener = Listener(VoiceLeg(live, [Proposal(answering, session)]), service)
        reading = group.create_task(listener.read())
        yield listener
        await listener.leg.close()
        await reading


async def session_of(listener: Listener) -> Session:
    """The session, once it is ready."""
    await listener.until(SessionReady)
    return await listener.service.session()
