"""One call while it lasts: two legs, the conversation between them, one timer."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final, Protocol

from gateway.call import notes
from gateway.call.conversation import Conversation
from gateway.call.ending import EndCall, Order, ShutDown
from gateway.call.errands import Errand, ErrandEvent, TransferEnded
from gateway.call.history.glance import Glance
from gateway.call.messages import NOTHING, Commands, Event
from gateway.call.record import CallIdentity, CallRecord
from gateway.call.recovery.commands import LegCommand
from gateway.call.recovery.legs import Running, Voice, VoiceLegs
from gateway.errors import OutboxFullError
from gateway.phone.commands import PhoneCommand
from gateway.phone.events import CallerAudio, PhoneClosed, PhoneEnd, PhoneEvent
from gateway.voice.commands import VoiceCommand
from gateway.voice.events import VoiceClosed, VoiceEnd

LOOP_GRAIN_S = 0.001
"""uvloop counts in whole milliseconds and may call up to two early, which would find nothing due and be set again."""
CLOSE_LIMIT_S = 2.0
"""Closing legs takes no longer; whatever is left of them is cancelled."""


_AUDIO: Final = CallerAudio
"""Compiled, a ``Final`` is found without a look into the module's dictionary."""


class Phone(Protocol):
    """The phone leg as a call sees it."""

    async def run(self, tell: Callable[[PhoneEvent], None]) -> None:
        """Pass every event to ``tell`` as it arrives, the closing event last; raise what ``tell`` raises."""

    def send(self, *commands: PhoneCommand) -> None:
        """Carry out at once; ``OutboxFullError`` where the peer does not read. A stop that was written is an event."""

    async def close(self) -> None:
        """End the leg, in any state."""


class Errands(Protocol):
    """The executor of errands, which run beside the legs."""

    async def run(self, errand: Errand) -> ErrandEvent:
        """Do it, however long that takes, and return its result; it is cancelled when the call ends."""


class Call:
    """Runs a conversation between two legs until it ends; nothing of either is left afterwards.

    ``on_end`` is called with the end before the legs are closed, and then ``leave``, which may ask the provider to go
    on otherwise than its document says. ``clock`` is the call's, in seconds: the event loop's own has a millisecond's
    grain under uvloop, and stands still within a turn.
    """

    def __init__(
        self,
        phone: Phone,
        voice: Voice,
        conversation: Conversation,
        record: CallRecord,
        errands: Errands,
        on_end: Callable[[EndCall], None] = lambda _: None,
        *,
        leave: Callable[[EndCall], Awaitable[None]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._phone = phone
        self._to_voice: Callable[[VoiceCommand], None] = voice.send
        """Sends to the voice leg in use. That is found once for all frames: each object on their way costs a miss of
        the processor's cache, where there are hundreds of calls."""
        self._audio_to_voice: Callable[[bytes], None] = voice.send_audio
        self._legs = VoiceLegs(voice, self._handle, self._start, self._close_leg)
        self._conversation = conversation
        self._record = record
        self._errands = errands
        self._on_end = on_end
        self._leave = leave
        self._clock = clock
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf
        self._ended: asyncio.Future[EndCall] = self._loop.create_future()

    async def run(self) -> EndCall:
        """Run the call to its end and return that. A bug in the call is raised, with both legs closed."""
        try:
            async with self._group:
                self._start(self._phone.run(self._on_phone_event))
                self._legs.begin()
                self._perform(self._conversation.begin(self._clock()))
                self._arm()
                ended = await self._ended
                self._on_end(ended)  # before the stream closes: then the provider asks what follows
                if self._leave is not None:
                    await self._leave(ended)
                await self._close_legs()
                for task in self._tasks:
                    task.cancel()
        except BaseException:
            await self._close_legs()
            raise
        finally:
            if self._timer is not None:
                self._timer.cancel()
        return ended

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _send_on(self, errand: Errand) -> None:
        self._handle(await self._errands.run(errand))

    def shut_down(self, *, at_once: bool = False) -> bool:
        """End the call because the process ends; return ``True`` if it says so to the caller first.

        With ``at_once`` nothing is said. What is said already is cut off.
        """
        self._handle(ShutDown(at_once))
        return not self._ended.done()

    def order(self, order: Order) -> None:
        """Do what an operator says. A transfer that is not possible now is left out; see ``glance``."""
        self._handle(order)

    def glance(self) -> Glance:
        """Return what the call looks like now."""
        return self._conversation.glance()

    @property
    def late_frames(self) -> int:
        """The number of frames that were sent to the phone after their moment, by our own lateness."""
        return self._conversation.late_frames

    @property
    def identity(self) -> CallIdentity:
        """The identity of the call."""
        return self._record.identity

    def reported_over(self, detail: str) -> None:
        """End the call because the provider says, beside the stream, that it is over."""
        self._handle(PhoneClosed(PhoneEnd.HUNG_UP, detail))

    def transfer_failed(self, detail: str) -> None:
        """Go on with the caller, because the provider says beside the stream that nobody has taken the call."""
        self._handle(TransferEnded(detail))

    async def _close_legs(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_LIMIT_S), asyncio.TaskGroup() as closing:
                closing.create_task(self._phone.close())
                for voice, running in self._legs.open:
                    closing.create_task(self._end_leg(voice, running))
        except TimeoutError:
            self._record.add(self._clock(), notes.CloseTimedOut(CLOSE_LIMIT_S))

    async def _end_leg(self, voice: Voice, running: Running | None) -> None:
        """Close a voice leg. One that still connects is cancelled now: the phone's close may take longer."""
        await voice.close()
        if running is not None:
            running.cancel()

    async def _close_leg(self, voice: Voice, running: Running) -> None:
        """Close a voice leg that is not needed any more, while the call goes on."""
        try:
            async with asyncio.timeout(CLOSE_LIMIT_S):
                await voice.close()
        except TimeoutError:
            self._record.add(self._clock(), notes.CloseTimedOut(CLOSE_LIMIT_S))
        finally:
            running.cancel()

    def _on_phone_event(self, event: PhoneEvent) -> None:
        if type(event) is not _AUDIO:
            self._handle(event)
            return
        asked = self._conversation.receive_audio(event.audio, self._clock())
        if isinstance(asked, bytes):
            try:
                self._audio_to_voice(asked)
            except OutboxFullError as error:
                self._handle(VoiceClosed(VoiceEnd.STALLED, str(error)))
        elif asked is not None:
            self._perform(asked)

    def _on_deadline(self) -> None:
        """The timer's callback; what fails in it is raised where the call's end is awaited."""
        self._timer_at = math.inf
        try:
            self._perform(self._conversation.on_deadline(self._clock()))
            self._arm()
        except Exception as error:
            if self._ended.done():
                raise
            self._ended.set_exception(error)

    def _arm(self) -> None:
        """Set the call's one timer to the next deadline; one that is set earlier already may stand."""
        deadline = self._conversation.next_deadline()
        if deadline >= self._timer_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = deadline
        delay_s = max(0.0, deadline - self._clock())
        self._timer = self._loop.call_later((delay_s // LOOP_GRAIN_S + 2) * LOOP_GRAIN_S, self._on_deadline)

    def _handle(self, event: Event) -> None:
        asked = self._conversation.handle(event, self._clock())
        if asked is not NOTHING:
            self._perform(asked)
        self._arm()

    def _perform(self, asked: Commands) -> None:
        """Carry commands out, unless carrying one out before has ended the call; notes are kept all the same."""
        if asked.legs and not self._ended.done():
            self._change_legs(asked.legs)
        if asked.phone and not self._ended.done():
            self._send_to_phone(asked.phone)
        if asked.voice and not self._ended.done():
            self._send_to_voice(asked.voice)
        if asked.errands and not self._ended.done():
            for errand in asked.errands:
                self._start(self._send_on(errand))
        for note in asked.notes:
            self._record.add(self._clock(), note)
        if asked.end is not None and not self._ended.done():
            self._ended.set_result(asked.end)

    def _change_legs(self, commands: Sequence[LegCommand]) -> None:
        for command in commands:
            self._legs.perform(command)
        self._to_voice, self._audio_to_voice = self._legs.in_use.send, self._legs.in_use.send_audio

    def _send_to_phone(self, commands: Sequence[PhoneCommand]) -> None:
        try:
            self._phone.send(*commands)
        except OutboxFullError as error:
            self._handle(PhoneClosed(PhoneEnd.STALLED, str(error)))

    def _send_to_voice(self, commands: Sequence[VoiceCommand]) -> None:
        try:
            for command in commands:
                self._to_voice(command)
        except OutboxFullError as error:
            self._handle(VoiceClosed(VoiceEnd.STALLED, str(error)))
