"""Stand-ins for the two legs and a phone's socket, driven by the test."""

import asyncio
import itertools
from collections.abc import Callable, Sequence

from gateway.call.errands import Errand, ErrandEvent
from gateway.errors import OutboxFullError
from gateway.phone.commands import PhoneCommand, StopPlayback
from gateway.phone.events import PhoneClosed, PhoneEnd, PhoneEvent, PlaybackStopped
from gateway.voice.commands import SendAudio, VoiceCommand
from gateway.voice.events import VoiceClosed, VoiceEnd, VoiceEvent


class FakePhone:
    """A phone leg: ``tell`` makes it report an event; ``sent`` holds its commands."""

    def __init__(self) -> None:
        self.sent: list[PhoneCommand] = []
        self.closed = False
        self.full = False
        self.writes = True
        self._events: asyncio.Queue[PhoneEvent] = asyncio.Queue()
        self.asked = asyncio.Event()
        self._told_at_once: Callable[[PhoneEvent], None] = self.tell

    def tell(self, event: PhoneEvent) -> None:
        self._events.put_nowait(event)

    async def run(self, tell: Callable[[PhoneEvent], None]) -> None:
        self._told_at_once = tell
        while True:
            event = await self._events.get()
            tell(event)
            if isinstance(event, PhoneClosed):
                return

    def send(self, *commands: PhoneCommand) -> None:
        if self.full:
            raise OutboxFullError("the peer has not read 262144 bytes")
        for command in commands:
            self.sent.append(command)
            self.asked.set()
            if self.writes and isinstance(command, StopPlayback):
                self._told_at_once(PlaybackStopped())

    async def close(self) -> None:
        self.closed = True
        self.tell(PhoneClosed(PhoneEnd.CLOSED))


class FakeVoice:
    """A voice leg: ``tell`` makes it report an event; ``sent`` holds its commands."""

    def __init__(self) -> None:
        self.sent: list[VoiceCommand] = []
        self.closed = False
        self.full = False
        self.close_hangs = False
        self.conversation_id = ""
        self.later: list[FakeVoice] = []
        """The legs that were made after this one."""
        self._events: asyncio.Queue[VoiceEvent] = asyncio.Queue()
        self.asked = asyncio.Event()

    def tell(self, event: VoiceEvent) -> None:
        self._events.put_nowait(event)

    async def run(self, tell: Callable[[VoiceEvent], None]) -> None:
        while True:
            event = await self._events.get()
            tell(event)
            if isinstance(event, VoiceClosed):
                return

    def send(self, command: VoiceCommand) -> None:
        if self.full:
            raise OutboxFullError("the peer has not read 262144 bytes")
        self.sent.append(command)
        self.asked.set()

    def send_audio(self, audio: bytes) -> None:
        self.send(SendAudio(audio))

    async def close(self) -> None:
        self.closed = True
        if self.close_hangs:
            await asyncio.Event().wait()
        self.tell(VoiceClosed(VoiceEnd.CLOSED))

    def again(self, conversation_id: str) -> "FakeVoice":
        leg = FakeVoice()
        leg.conversation_id = conversation_id
        self.later.append(leg)
        return leg


class FakeErrands:
    """Errands that the test carries out: ``sent`` holds them, and ``answer`` reports the result of one."""

    def __init__(self) -> None:
        self.sent: list[Errand] = []
        self.cancelled = 0
        self.asked = asyncio.Event()
        self._answers: asyncio.Queue[ErrandEvent] = asyncio.Queue()

    def answer(self, event: ErrandEvent) -> None:
        self._answers.put_nowait(event)

    async def run(self, errand: Errand) -> ErrandEvent:
        self.sent.append(errand)
        self.asked.set()
        try:
            return await self._answers.get()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


class FakeSocket:
    """A media socket with prepared messages; ``None`` waits for ever."""

    def __init__(self, *messages: str | bytes | None, close_code: int | None = 1000, failure: str = "") -> None:
        self.sent: list[str | bytes] = []
        self.close_code = close_code
        self.failure = failure
        self.close_reason = ""
        self.pings = 0
        self.alive: Callable[[], None] | None = None
        self.closed_with: int | None = None
        self.closed_because = ""
        self._messages = itertools.chain(messages)

    async def receive(self) -> str | bytes | None:
        for message in self._messages:
            if message is None:
                await asyncio.Event().wait()
            return message
        return None

    async def hand_to(self, take: Callable[[str | bytes], bool], alive: Callable[[], None] | None = None) -> None:
        self.alive = alive
        while (message := await self.receive()) is not None and take(message):
            continue

    def send(self, message: str | bytes) -> None:
        self.sent.append(message)

    def send_all(self, messages: Sequence[str | bytes]) -> None:
        for message in messages:
            self.send(message)

    def ping(self) -> None:
        self.pings += 1

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self.closed_with = code
        self.closed_because = reason
