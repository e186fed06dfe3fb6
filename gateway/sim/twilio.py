"""A simulated Twilio: the phone's end of a media stream, frame by frame in real time.

Source: Twilio Media Streams, WebSocket messages; Voice webhooks.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import aiohttp

from gateway.audio.formats import PCMU, AudioFormat
from gateway.errors import GatewayError, InputError, WireError
from gateway.sim.playout import FRAME_MS, Cleared, Heard, Playout
from gateway.sim.twilio_wire import (
    Answer,
    Clear,
    Mark,
    Media,
    TwilioWire,
    incoming_call,
    new_sid,
    parse_answer,
    signature,
    without_query,
)

PROTOCOL_ERROR = 31924
INVALID_MESSAGE = 31951
TOO_MUCH_MEDIA = 31931
_FRAME_S = FRAME_MS / 1000


@dataclass(frozen=True)
class Violation:
    """Something that Twilio would warn of: its error ``code`` and ``what`` was wrong, at ``loop.time()``."""

    at: float
    code: int
    what: str


@dataclass(frozen=True)
class Received:
    """A valid message of the gateway, at ``loop.time()``.

    ``position`` is how many bytes of audio came before it on this stream; ``size`` are a media message's own bytes;
    ``name`` is a mark's; ``cleared`` tells what a clear did.
    """

    at: float
    event: Literal["media", "mark", "clear"]
    position: int
    size: int = 0
    name: str = ""
    cleared: Cleared | None = None


@dataclass(frozen=True)
class Returned:
    """A mark that went back to the gateway, at ``loop.time()``."""

    at: float
    name: str


@dataclass(frozen=True)
class Tick:
    """One frame of the call: its ``number`` from 0, ``at`` (``loop.time()``) and what the caller ``heard`` in it."""

    number: int
    at: float
    heard: Heard


@dataclass
class FrameClock:
    """How well the simulated phone itself kept time: a frame sent 20 ms or more after its due time is late."""

    frames: int = 0
    late_frames: int = 0
    worst_late_ms: float = 0.0

    def sent(self, late_s: float) -> None:
        """Count a frame."""
        self.frames += 1
        self.late_frames += late_s >= _FRAME_S
        self.worst_late_ms = max(self.worst_late_ms, late_s * 1000)


async def request_answer(
    answer_url: str, *, to: str, from_: str, auth_token: str = "", call_sid: str = "", timeout_s: float = 10.0
) -> Answer:
    """Ask the answer webhook what to do with a call, as Twilio does; signed if there is an ``auth_token``.

    Raises ``GatewayError`` where the webhook cannot be reached, refuses, or answers with no stream.
    """
    form = incoming_call("AC" + "0123456789abcdef" * 2, call_sid or new_sid("CA"), to=to, from_=from_)
    headers = {"X-Twilio-Signature": signature(auth_token, answer_url, form)} if auth_token else {}
    limit = aiohttp.ClientTimeout(total=timeout_s)
    with _reaching(answer_url, "the answer webhook", timeout_s):
        async with (
            aiohttp.ClientSession(timeout=limit) as session,
            session.post(answer_url, data=form, headers=headers) as response,
        ):
            document = await response.text()
    if response.status != 200:
        raise GatewayError(
            f"the answer webhook {answer_url} refused the call: {response.status} {response.reason}; expected 200"
        )
    return parse_answer(document, answer_url)


class SimulatedTwilio:
    """The phone's end of one call; made by :meth:`connect`.

    What the gateway did is read from ``messages``, ``clears`` (those of them that were clears), ``returned`` (the marks
    it got back), ``violations``, ``bot_audio`` (as heard, frame by frame), ``playout`` and, once ``closed`` is set,
    from ``ended_by`` and ``close_code``. Frame ``n`` of either direction belongs to ``started_at + n * 20 ms``.
    """

    def __init__(
        self,
        socket: aiohttp.ClientWebSocketResponse,
        session: aiohttp.ClientSession,
        wire: TwilioWire,
        *,
        on_tick: Callable[[Tick], None] | None = None,
        keep: bool = True,
    ) -> None:
        self._socket = socket
        self._session = session
        self._wire = wire
        self._on_tick = on_tick
        self._keep = keep
        self._saying = bytearray()
        self._hanging_up = False
        self.audio_format = wire.audio_format
        self.call_sid = wire.call_sid
        self.stream_sid = wire.stream_sid
        self.playout = Playout(wire.audio_format)
        self.started_at = 0.0
        self.clock = FrameClock()
        self.caller_audio = bytearray()
        self.bot_audio = bytearray()
        self.messages: list[Received] = []
        self.clears: list[Received] = []
        self.returned: list[Returned] = []
        self.violations: list[Violation] = []
        self.closed = asyncio.Event()
        self.ended_by: Literal["caller", "gateway"] = "gateway"
        self.close_code: int | None = None

    @classmethod
    @contextlib.asynccontextmanager
    async def connect(
        cls,
        url: str,
        *,
        to: str = "",
        from_: str = "",
        parameters: Mapping[str, str] | None = None,
        audio_format: AudioFormat = PCMU,
        call_sid: str = "",
        auth_token: str = "",
        on_tick: Callable[[Tick], None] | None = None,
        keep: bool = True,
        timeout_s: float = 10.0,
    ) -> AsyncIterator["SimulatedTwilio"]:
        """Open the stream ``url`` and keep the call going until the body is left, which hangs up.

        ``parameters`` default to ``from`` and ``to``, as an answer document would pass them. ``on_tick`` is called
        before each frame, with what was heard; what it lets the caller say begins in the same frame. Without
        ``keep`` only counters grow, no audio and no messages. Raises ``GatewayError`` where the stream cannot be
        opened.
        """
        given = {"from": from_, "to": to} if parameters is None else parameters
        wire = TwilioWire(audio_format, call_sid=call_sid)
        url = without_query(url)
        async with aiohttp.ClientSession() as session:
            socket = await _open(session, url, auth_token, timeout_s)
            phone = cls(socket, session, wire, on_tick=on_tick, keep=keep)
            try:
                await phone._begin({name: value for name, value in given.items() if value})
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(phone._receive())
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
        """Whether the caller still has something to say."""
        return bool(self._saying)

    def say(self, audio: bytes) -> None:
        """Let the caller say ``audio``, in the call's format, from the next frame on; behind what is being said."""
        self._saying += audio

    async def press(self, digit: str) -> None:
        """Press a key."""
        await self._send(self._wire.dtmf(digit))

    def hang_up(self) -> None:
        """End the call as a caller does: ``stop``, then the socket is closed; within one frame."""
        self._hanging_up = True

    async def drop(self) -> None:
        """Lose the connection: neither ``stop`` nor a WebSocket close."""
        self.ended_by = "caller"
        await self._session.close()

    async def _begin(self, parameters: Mapping[str, str]) -> None:
        self.started_at = asyncio.get_running_loop().time()
        await self._send(self._wire.connected())
        await self._send(self._wire.start(parameters))

    async def _run_clock(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._hanging_up and not self.closed.is_set():
            due = self.started_at + self.clock.frames * _FRAME_S
            await asyncio.sleep(max(0.0, due - loop.time()))
            if self.closed.is_set():
                return
            await self._frame(loop.time())
            self.clock.sent(loop.time() - due)
        if not self.closed.is_set():
            self.ended_by = "caller"
            await self._send(self._wire.stop())
            await self._socket.close()
            self._over()

    async def _frame(self, now: float) -> None:
        heard = self.playout.tick()
        for name in heard.marks:
            await self._return_mark(name, now)
        number = self.clock.frames
        if self._on_tick is not None:
            self._on_tick(Tick(number, now, heard))
        size = self.audio_format.bytes_for(FRAME_MS)
        silence = self.audio_format.silence(FRAME_MS)
        spoken = bytes(self._saying[:size])
        del self._saying[:size]
        frame = spoken + silence[len(spoken) :]
        if self._keep:
            self.caller_audio += frame
            self.bot_audio += heard.audio
        await self._send(self._wire.media(frame, number * FRAME_MS))

    async def _receive(self) -> None:
        loop = asyncio.get_running_loop()
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                await self._obey(message.data, loop.time())
            elif message.type is aiohttp.WSMsgType.BINARY:
                self._warn(INVALID_MESSAGE, "a binary message; expected text", loop.time())
            else:
                self._warn(PROTOCOL_ERROR, f"WebSocket protocol error: {message.data}", loop.time())
        if not self._hanging_up:
            self._over()

    def _over(self) -> None:
        self.close_code = self._socket.close_code
        self.closed.set()

    async def _obey(self, text: str, now: float) -> None:
        try:
            order = self._wire.parse(text)
        except WireError as error:
            self._warn(INVALID_MESSAGE, str(error), now)
            return
        position = self.playout.added_bytes
        match order:
            case Media():
                self._note(Received(now, "media", position, size=len(order.media.payload)))
                if not self.playout.add(order.media.payload):
                    self._warn(TOO_MUCH_MEDIA, "media discarded: more than 10 minutes of audio are queued", now)
            case Mark():
                self._note(Received(now, "mark", position, name=order.mark.name))
                if self.playout.mark(order.mark.name):
                    await self._return_mark(order.mark.name, now)
            case Clear():
                cleared = self.playout.clear()
                message = Received(now, "clear", position, cleared=cleared)
                self._note(message)
                self.clears.append(message)
                for name in cleared.marks:
                    await self._return_mark(name, now)

    async def _return_mark(self, name: str, now: float) -> None:
        if self._keep:
            self.returned.append(Returned(now, name))
        await self._send(self._wire.mark(name))

    def _note(self, message: Received) -> None:
        if self._keep:
            self.messages.append(message)

    def _warn(self, code: int, what: str, now: float) -> None:
        """Twilio warns once per stream of what it discards; invalid messages are all kept, for the one who debugs."""
        if code == INVALID_MESSAGE or all(violation.code != code for violation in self.violations):
            self.violations.append(Violation(now, code, what))

    async def _send(self, text: str) -> None:
        with contextlib.suppress(ConnectionError):  # the gateway has gone: the receiving side learns it next
            await self._socket.send_str(text)


async def _open(
    session: aiohttp.ClientSession, url: str, auth_token: str, timeout_s: float
) -> aiohttp.ClientWebSocketResponse:
    headers = {"X-Twilio-Signature": signature(auth_token, url)} if auth_token else {}
    with _reaching(url, "the stream", timeout_s):
        async with asyncio.timeout(timeout_s):
            return await session.ws_connect(url, headers=headers, timeout=aiohttp.ClientWSTimeout(ws_close=5.0))


@contextlib.contextmanager
def _reaching(url: str, what: str, timeout_s: float) -> Iterator[None]:
    try:
        yield
    except aiohttp.WSServerHandshakeError as error:
        raise GatewayError(f"{what} {url} was refused: {error.status} {error.message}; expected 101") from error
    except aiohttp.InvalidURL as error:
        raise InputError(f"{url!r} is not a URL; expected one like ws://127.0.0.1:8080/stream/twilio") from error
    except TimeoutError as error:
        raise GatewayError(f"{what} {url} did not answer within {timeout_s:g} s") from error
    except aiohttp.ClientConnectorError as error:
        reason = os.strerror(error.os_error.errno) if error.os_error.errno else str(error.os_error)
        raise GatewayError(f"{what} {url} cannot be reached: {reason}") from error
    except aiohttp.ClientError as error:
        raise GatewayError(f"{what} {url} cannot be reached: {error}") from error
