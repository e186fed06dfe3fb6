"""The phone leg: a provider's media stream as events in and commands out."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, Protocol

from msgspec.structs import replace

from gateway.audio.formats import Encoding
from gateway.errors import MessageError, OutboxFullError, WireError
from gateway.phone.commands import AskForLife, EndStream, PhoneCommand, StopPlayback, StreamCommand
from gateway.phone.early import Early
from gateway.phone.events import (
    CallerAudio,
    CallStarted,
    MalformedMessage,
    OddMessage,
    PhoneClosed,
    PhoneEnd,
    PhoneEvent,
    PlaybackStopped,
    SignOfLife,
    WireReply,
)
from gateway.phone.provider import Codec
from gateway.phone.whole_samples import WholeSamples

PEER_CLOSE_LIMIT_S = 1.0
_AUDIO: Final = CallerAudio
"""Compiled, a ``Final`` is found without a look into the module's dictionary."""


class MediaSocket(Protocol):
    """The socket under the leg; ``gateway.sockets.websocket.WebSocket`` is one, and another server may have its own."""

    async def receive(self) -> str | bytes | None:
        """Return the next message; ``None`` once closed."""

    async def hand_to(self, take: Callable[[str | bytes], bool], alive: Callable[[], None] | None = None) -> None:
        """Hand every message to ``take`` as it arrives, until closed or until it returns ``False``.

        ``alive`` is called for pings and pongs. What either raises is raised here.
        """

    def send(self, message: str | bytes) -> None:
        """Write at once; raise ``ConnectionError`` where it is gone, ``OutboxFullError`` if the peer does not read."""

    def send_all(self, messages: Sequence[str | bytes]) -> None:
        """Write messages as ``send`` does, in one piece where that can be."""

    def ping(self) -> None:
        """Ask for a pong, as far as that can be done at once."""

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close in order; safe to call twice."""

    @property
    def close_code(self) -> int | None:
        """The close code, 1006 where the connection broke."""

    @property
    def failure(self) -> str:
        """The reason why the connection broke, in words."""


class PhoneLeg:
    """One media stream: ``start``, then ``run``; the last event is ``PhoneClosed``."""

    def __init__(self, socket: MediaSocket, codec: Codec, *, peer_closes: bool = False, clears: bool = True) -> None:
        """Take ``peer_closes`` and ``clears`` as in the provider's ``Traits``."""
        self._socket = socket
        self._codec = codec
        self._peer_closes = peer_closes
        self._clears = clears
        self._early = Early()
        self._untold: list[PhoneEvent] = []
        self._samples: WholeSamples | None = None
        self._closing: PhoneClosed | None = None
        self._read_out = asyncio.Event()
        self._tell: Callable[[PhoneEvent], None] = self._untold.append

    async def start(self, timeout_s: float) -> CallStarted | PhoneClosed | None:
        """Read up to the start message; ``None`` if the stream was closed before, its closing event if it was a probe.

        Whatever the provider sends before it is ignored: audio and any other message may overtake the start.
        Raises ``WireError`` where the call cannot be carried or the peer speaks another protocol, and ``TimeoutError``
        after ``timeout_s``, whose text says what came in place of a start.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while (message := await self._socket.receive()) is not None:
                    begun = self._begin(message)
                    if isinstance(begun, CallStarted):
                        return begun
                    if isinstance(begun, PhoneClosed):
                        self._read_out.set()
                        return begun if begun.probe else None
        except TimeoutError:
            raise TimeoutError(str(self._early)) from None
        return None

    def _begin(self, message: str | bytes) -> CallStarted | PhoneClosed | None:
        """Take a message before the start; return the start or the end that it brings, or ``None``."""
        if not message:
            self._early.add(None)
            return None
        begun: CallStarted | PhoneClosed | None = None
        for event in self._decode(message):
            if isinstance(event, WireReply):
                self._reply(event)
            elif begun is not None:
                self._untold.append(event)
            elif isinstance(event, CallStarted | PhoneClosed):
                begun = event
            else:
                self._early.add(event)
        if not isinstance(begun, CallStarted):
            return begun
        if begun.audio_format.encoding is Encoding.L16:
            self._samples = WholeSamples()
        return begun if self._clears else replace(begun, playout=replace(begun.playout, clears=False))

    def _decode(self, message: str | bytes) -> Sequence[PhoneEvent | WireReply]:
        """Return the events of a message outside of the call; a wrong message is ignored."""
        try:
            return self._codec.decode(message)
        except MessageError as error:
            return (MalformedMessage(str(error)),)

    async def run(self, tell: Callable[[PhoneEvent], None]) -> None:
        """Pass every event to ``tell`` as it arrives, the closing event last; raise what ``tell`` raises.

        Linear audio is passed on in whole samples, however the provider cuts it.
        """
        decode, is_closed = self._codec.decode, False
        hear = tell if self._samples is None else _in_whole_samples(self._samples, tell)

        def take(message: str | bytes) -> bool:
            nonlocal is_closed
            events: Sequence[PhoneEvent | WireReply]
            try:
                events = decode(message)
            except WireError as error:
                events = (MalformedMessage(str(error), readable=not message or isinstance(error, MessageError)),)
            if not events:
                tell(SignOfLife())
            for event in events:
                if type(event) is _AUDIO:
                    hear(event)
                elif type(event) is WireReply:
                    self._reply(event)
                    tell(SignOfLife())
                else:
                    tell(event)
                    if type(event) is PhoneClosed:
                        is_closed = True
                        return False
            return True

        self._tell = tell
        if self._early:
            tell(OddMessage(f"let go before the start: {self._early}"))
        for event in self._untold:
            tell(event)
        await self._socket.hand_to(take, lambda: tell(SignOfLife()))
        self._read_out.set()
        if not is_closed:
            tell(self._closing or self._closed_by_peer())

    def send(self, *commands: PhoneCommand) -> None:
        """Carry out commands at once, in their order; report a stop that was written as ``PlaybackStopped``.

        What follows one another, as audio and its mark, goes in one write: each is a call of the system, and a packet.
        Nothing is written where the wire does not support it, or where the connection is gone (see the closing event).
        Raises ``OutboxFullError`` where the peer has stopped reading.
        """
        messages: list[str | bytes] = []
        for command in commands:
            encoded = self._codec.encode(command)
            messages += encoded
            if type(command) is AskForLife and not encoded:
                self._socket.ping()
            elif type(command) is StopPlayback:
                is_written, messages = self._write(messages), []
                if is_written:
                    self._tell(PlaybackStopped())
        self._write(messages)

    def _write(self, messages: Sequence[str | bytes]) -> bool:
        """Write messages; return ``False`` where there are none, or the connection is gone."""
        try:
            if len(messages) == 1:
                self._socket.send(messages[0])
            elif messages:
                self._socket.send_all(messages)
        except ConnectionError:
            return False
        return bool(messages)

    def order(self, command: StreamCommand) -> bool:
        """Carry out a command that leaves the conversation; return ``False`` where the wire does not support it."""
        messages = tuple(self._codec.encode(command))
        self._reply(WireReply(messages))
        return bool(messages)

    def write(self, message: str) -> None:
        """Send a message of the wire that belongs to no command; nothing where the connection is gone."""
        self._reply(WireReply((message,)))

    async def close(self) -> None:
        """End the stream; the provider goes on with what its answer document says."""
        if self._closing is None:
            self._closing = PhoneClosed(PhoneEnd.CLOSED)
            self._reply(WireReply(tuple(self._codec.encode(EndStream()))))
            if self._peer_closes:
                await self._let_peer_close()
        await self._socket.close()

    async def turn_away(self, code: int, reason: str) -> None:
        """End a stream that becomes no call. A provider that alone may close is asked to, and may answer."""
        if self._peer_closes:
            self._reply(WireReply(tuple(self._codec.encode(EndStream()))))
            self._read_out.set()
            await self._let_peer_close()
        await self._socket.close(code, reason)

    async def _let_peer_close(self) -> None:
        """Wait for the provider's answer to the end and for its closing; close the stream if neither comes."""
        with suppress(TimeoutError, WireError):
            async with asyncio.timeout(PEER_CLOSE_LIMIT_S):
                await self._read_out.wait()
                while (message := await self._socket.receive()) is not None:
                    for event in self._decode(message):
                        if isinstance(event, WireReply):
                            self._reply(event)

    def _reply(self, reply: WireReply) -> None:
        with suppress(OutboxFullError):  # the socket is nearly gone: its end is reported next
            self._write(reply.messages)

    def _closed_by_peer(self) -> PhoneClosed:
        code = self._socket.close_code
        if code in (1000, 1001, 1005):
            return PhoneClosed(PhoneEnd.HUNG_UP, f"the stream was closed with {code}")
        return PhoneClosed(PhoneEnd.LOST, self._socket.failure or f"the stream broke off with {code}")


def _in_whole_samples(samples: WholeSamples, tell: Callable[[PhoneEvent], None]) -> Callable[[CallerAudio], None]:
    """Return what passes audio on to ``tell`` in whole samples, and says so the first time that it was cut in one."""
    told_of_cut = False

    def hear(event: CallerAudio) -> None:
        nonlocal told_of_cut
        if not len(event.audio) % 2 and not samples.rest:
            tell(event)
            return
        if not told_of_cut:
            told_of_cut = True
            tell(OddMessage("audio that ends in half a sample"))
        tell(CallerAudio(samples.join(event.audio)))

    return hear
