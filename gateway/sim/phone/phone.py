"""A simulated phone: the provider's end of a media stream, frame by frame in real time, over any provider's wire."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Self, assert_never

import aiohttp

from gateway.errors import GatewayError, WireError
from gateway.sim.faults.phone import PhoneFaults
from gateway.sim.faults.plan import PhoneReset
from gateway.sim.phone.connection import Connection, open_stream
from gateway.sim.phone.continuation import Step
from gateway.sim.phone.observed import FrameClock, Received, Returned, Tick, Violation
from gateway.sim.phone.playout import FRAME_MS, Heard, Playout
from gateway.sim.phone.wire import (
    Clear,
    Close,
    Digits,
    Ender,
    HangUp,
    Mark,
    Media,
    Message,
    Order,
    Party,
    Pause,
    Send,
    StreamOpening,
    Transfer,
    Violated,
    Wire,
)

LOST = 1006
_FRAME_S = FRAME_MS / 1000
_FAREWELL_S = 5.0
"""The time that the phone waits for the gateway's answer to the end of the stream, on wires that have one."""


class SimulatedPhone:
    """The phone's end of one call; made by :meth:`open`.

    What the gateway did is read from ``messages``, ``clears`` (those of them that were clears), ``returned`` (the marks
    it got back), ``violations``, ``bot_audio`` (as heard, frame by frame, in ``bot_format``), ``playout`` and, once
    ``closed`` is set, from ``ended_by``, ``end_reason`` and ``close_code``. Frame ``n`` of either direction belongs to
    ``started_at + n * 20 ms``.
    """

    def __init__(
        self,
        socket: aiohttp.ClientWebSocketResponse,
        session: aiohttp.ClientSession,
        wire: Wire,
        *,
        on_tick: Callable[[Tick], None] | None = None,
        keep: bool = True,
        faults: PhoneFaults | None = None,
    ) -> None:
        self._socket = socket
        self._connection = Connection(socket)
        self._faults = faults
        self._session = session
        self.wire = wire
        self._on_tick = on_tick
        self._keep = keep
        self._saying = bytearray()
        self._pressing: list[str] = []
        self._frame_audio = bytearray()
        self._playing = False
        self._hanging_up = False
        self._closing_with: int | None = None
        self._ready = asyncio.Event()
        self._answered = asyncio.Event()
        self._warned: set[tuple[int, str]] = set()
        self.audio_format = wire.audio_format
        self.bot_format = wire.bot_format
        self.url = wire.stream.url
        self.call_id = wire.call.call_id
        self.stream_id = wire.call.stream_id
        self.playout = Playout(wire.bot_format, limit_ms=wire.queue_limit_ms, drops_silence=wire.fills_with_silence)
        self.started_at = 0.0
        self.clock = FrameClock()
        self.caller_audio = bytearray()
        self.bot_audio = bytearray()
        self.messages: list[Received] = []
        self.clears: list[Received] = []
        self.returned: list[Returned] = []
        self.keys_pressed: list[float] = []
        """The times of the keys, by ``loop.time()``; only the gateway learns which keys they were."""
        self.violations: list[Violation] = []
        self.unplayed_ms: float | None = None
        """The gateway's audio that was still queued when the stream ended."""
        self.closed = asyncio.Event()
        self.ended_by: Ender = "gateway"
        self.end_reason = "the gateway closed the stream"
        self.continuation: tuple[Step, ...] = ()
        """The steps that the caller met after the stream, once the provider has gone on."""
        self.close_code: int | None = None

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls,
        opening: StreamOpening,
        wire: Wire,
        *,
        on_tick: Callable[[Tick], None] | None = None,
        keep: bool = True,
        faults: PhoneFaults | None = None,
        timeout_s: float = 10.0,
    ) -> AsyncIterator[Self]:
        """Open the stream and keep the call going until the body is left, which hangs up.

        The body begins when the caller's audio may flow, or the gateway has ended the stream before. ``on_tick`` is
        called before each frame, with what was heard; words that it lets the caller say begin in the same frame.
        Without ``keep`` it only counts, and keeps no audio and no messages. ``faults`` strike from the first frame on.
        Raises ``GatewayError`` where the stream cannot be opened.
        """
        async with aiohttp.ClientSession() as session:
            socket = await open_stream(session, opening, timeout_s)
            phone = cls(socket, session, wire, on_tick=on_tick, keep=keep, faults=faults)
            try:
                async with asyncio.TaskGroup() as tasks:
                    await phone._begin()
                    tasks.create_task(phone._receive())
                    await phone._until_ready(opening.url, timeout_s)
                    tasks.create_task(phone._run_clock())
                    yield phone
                    phone.hang_up()
            except BaseExceptionGroup as group:
                if len(group.exceptions) > 1:
                    raise
                raise group.exceptions[0] from None  # what failed in the body, as it was raised there
            finally:
                await socket.close()

    @property
    def saying(self) -> bool:
        """True while the caller still has something to say."""
        return bool(self._saying)

    def say(self, audio: bytes) -> None:
        """Let the caller say ``audio``, in the call's format, from the next frame on; after what is being said."""
        self._saying += audio

    def key(self, digit: str) -> None:
        """Let the caller press a key with the next frame."""
        self._pressing.append(digit)

    async def press(self, digit: str) -> None:
        """Press a key now."""
        self.keys_pressed.append(asyncio.get_running_loop().time())
        await self._send(self.wire.key(digit))

    def hang_up(self) -> None:
        """End the call as the provider does when a caller hangs up; within one frame."""
        self._end("caller", "the caller hung up")

    def end(self, order: HangUp | Transfer) -> None:
        """End the call as the gateway ordered, on the stream or by the provider's REST API; within one frame."""
        now, position = asyncio.get_running_loop().time(), self.playout.added_bytes
        if isinstance(order, HangUp):
            self._note(Received(now, "hang_up", position, name=order.reason))
            self._end("gateway", "the gateway hung up")
        else:
            self._note(Received(now, "transfer", position, name=order.to))
            self._end("gateway", "the gateway transferred the caller")

    def hear_digits(self, digits: str) -> None:
        """Take keys that the gateway sends to the caller's side, on the stream or by the provider's REST API."""
        now, position = asyncio.get_running_loop().time(), self.playout.added_bytes
        self._note(Received(now, "digits", position, name=digits))

    def _end(self, by: Party, reason: str) -> None:
        if not self._hanging_up and not self.closed.is_set():
            self._hanging_up = True
            self.ended_by, self.end_reason = by, reason
            self._ready.set()

    def warn(self, violated: Violated) -> None:
        """Note that the gateway broke a rule: of the wire, or of the provider's webhooks and REST API."""
        if violated.once:
            if (violated.code, violated.what) in self._warned:
                return
            self._warned.add((violated.code, violated.what))
        self.violations.append(Violation(asyncio.get_running_loop().time(), violated.code, violated.what))

    async def drop(self) -> None:
        """Lose the connection: neither the messages of an end nor a WebSocket close."""
        self.ended_by, self.end_reason = "caller", "the connection was lost"
        await self._session.close()

    async def _begin(self) -> None:
        self.started_at = asyncio.get_running_loop().time()
        await self._send(self.wire.opening())
        if self.wire.ready:
            self._ready.set()

    async def _until_ready(self, url: str, timeout_s: float) -> None:
        if self._ready.is_set():
            return
        try:
            async with asyncio.timeout(timeout_s):
                await self._ready.wait()
        except TimeoutError:
            raise GatewayError(f"the stream {url} was opened, and not accepted within {timeout_s:g} s") from None
        self.started_at = asyncio.get_running_loop().time()

    async def _run_clock(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._hanging_up and not self.closed.is_set():
            due = self.started_at + self.clock.frames * _FRAME_S
            await asyncio.sleep(max(0.0, due - loop.time()))
            if self.closed.is_set():
                return
            if self._faults is not None and await self._is_gone(self._faults, loop.time()):
                return
            await self._frame(loop.time())
            self.clock.sent(loop.time() - due)
        self._stop_playing()
        if not self.closed.is_set():
            await self._say_goodbye()

    async def _is_gone(self, faults: PhoneFaults, now: float) -> bool:
        """Let the faults of this frame strike; return ``True`` where the phone is gone by one."""
        if self._hanging_up:  # who hangs up in this frame meets nothing any more
            return False
        faults.tick(now - self.started_at, now, audible=self._playing)
        self._connection.read(on=faults.reads)
        if faults.gone is None:
            return False
        is_reset = isinstance(faults.gone, PhoneReset)
        self.ended_by, self.end_reason = "network", "the connection was reset" if is_reset else "the phone vanished"
        self._hanging_up = True
        self._stop_playing()
        if is_reset:
            self._connection.reset()
        else:
            await self._connection.abandon()
        self._over()
        return True

    async def _say_goodbye(self) -> None:
        self._connection.read(on=True)
        await self._send(self.wire.stop())
        if not self.wire.stopped:
            try:
                async with asyncio.timeout(_FAREWELL_S):
                    await self._answered.wait()
            except TimeoutError:
                self.warn(Violated(f"the end of the stream was not answered within {_FAREWELL_S:g} s"))
        await self._socket.close()
        self._over()

    async def _frame(self, now: float) -> None:
        heard = self.playout.tick()
        for name in heard.marks:
            await self._return_mark(name, now, cleared=False)
        await self._follow_playback(heard)
        number = self.clock.frames
        queued_ms = self.bot_format.duration_ms(self.playout.queued_bytes)
        await self._send(self.wire.tick(number * FRAME_MS, queued_ms))
        await self._obey(self.wire.due(number * FRAME_MS, queued_ms), now)
        if self._on_tick is not None:
            self._on_tick(Tick(number, now, heard))
        while self._pressing:
            await self.press(self._pressing.pop(0))
        size = self.audio_format.bytes_for(FRAME_MS)
        silence = self.audio_format.silence(FRAME_MS)
        spoken = bytes(self._saying[:size])
        del self._saying[:size]
        frame = spoken + silence[len(spoken) :]
        if self._keep:
            self.caller_audio += frame
            self.bot_audio += heard.audio
        self._frame_audio += frame
        end_ms = (number + 1) * FRAME_MS
        if end_ms % self.wire.frame_ms == 0:
            audio = bytes(self._frame_audio)
            self._frame_audio.clear()
            await self._send_audio(audio, end_ms - self.wire.frame_ms)

    async def _send_audio(self, audio: bytes, timestamp_ms: int) -> None:
        if self._faults is None:
            await self._send(self.wire.media(audio, timestamp_ms))
        else:
            sent = () if self._faults.loses() else self.wire.media(audio, timestamp_ms)
            await self._send(self._faults.pass_on(sent))

    async def _follow_playback(self, heard: Heard) -> None:
        if heard.size and not self._playing:
            self._playing = True
            await self._send(self.wire.playback_started())
        if self._playing and self.playout.idle:
            self._playing = False
            await self._send(self.wire.playback_ended())

    async def _receive(self) -> None:
        loop = asyncio.get_running_loop()
        async for message in self._socket:
            match message.type:
                case aiohttp.WSMsgType.TEXT | aiohttp.WSMsgType.BINARY:
                    await self._read(message.data, loop.time())
                case aiohttp.WSMsgType.PING:
                    with contextlib.suppress(ConnectionError):
                        await self._socket.pong(message.data)
                    await self._obey(self.wire.pinged(), loop.time())
                case aiohttp.WSMsgType.ERROR:
                    self.warn(Violated(f"WebSocket protocol error: {message.data}", self.wire.protocol_error_code))
                case _:
                    pass  # a pong that nobody asked for
        if not self._hanging_up:
            closed_by_gateway = self._closing_with is None and self._socket.close_code != LOST
            if closed_by_gateway and not self.wire.gateway_may_close:
                self.warn(Violated("the gateway closed the stream; expected the provider to close it"))
            self._over()
        self._ready.set()
        self._answered.set()

    def _stop_playing(self) -> None:
        if self.unplayed_ms is None:
            self.unplayed_ms = self.bot_format.duration_ms(self.playout.queued_bytes)

    def _over(self) -> None:
        self._stop_playing()
        self.close_code = self._closing_with or self._socket.close_code
        self.closed.set()

    async def _read(self, message: Message, now: float) -> None:
        try:
            orders = self.wire.parse(message)
        except WireError as error:
            self.warn(Violated(str(error), self.wire.invalid_code))
            return
        await self._obey(orders, now)
        if self.wire.ready:
            self._ready.set()
        if self._hanging_up and self.wire.stopped:
            self._answered.set()

    async def _obey(self, orders: Sequence[Order], now: float) -> None:
        for order in orders:
            await self._carry_out(order, now)

    async def _carry_out(self, order: Order, now: float) -> None:
        position = self.playout.added_bytes
        match order:
            case Media(audio):
                self._note(Received(now, "media", position, size=len(audio)))
                if not self.playout.add(audio):
                    await self._obey(self.wire.overflowed(), now)
            case Mark(name):
                self._note(Received(now, "mark", position, name=name))
                if self.playout.mark(name):
                    await self._return_mark(name, now, cleared=False)
            case Clear():
                await self._clear(now)
            case Pause(on):
                self._note(Received(now, "pause" if on else "resume", position))
                self.playout.paused = on
            case Digits(digits):
                self.hear_digits(digits)
            case HangUp() | Transfer():
                self.end(order)
            case Send(messages):
                await self._send(messages)
            case Close(code):
                self._closing_with = code
                self.end_reason = f"the provider closed the stream with {code}"
                await (self._session.close() if code == LOST else self._socket.close(code=code))
            case Violated():
                self.warn(order)
            case _:
                assert_never(order)

    async def _clear(self, now: float) -> None:
        cleared = self.playout.clear()
        self._playing = False
        message = Received(now, "clear", self.playout.added_bytes, cleared=cleared)
        self._note(message)
        self.clears.append(message)
        for name in cleared.marks:
            await self._return_mark(name, now, cleared=True)
        await self._send(self.wire.cleared())

    async def _return_mark(self, name: str, now: float, *, cleared: bool) -> None:
        messages = self.wire.mark_returned(name, cleared=cleared)
        if messages and self._keep:
            self.returned.append(Returned(now, name))
        await self._send(messages)

    def _note(self, message: Received) -> None:
        if self._keep:
            self.messages.append(message)

    async def _send(self, messages: Sequence[Message]) -> None:
        if self._faults is None or self._faults.gone is None:
            await self._connection.send(messages)
