"""The voice leg: a Voice Live session as events in and commands out."""

import asyncio
from collections.abc import Callable, Generator, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from msgspec.structs import replace

from gateway.audio.formats import AudioFormat
from gateway.config.api_versions import RESPONSE_SINCE, newer_members
from gateway.config.session_formats import OUTPUT_FORMATS
from gateway.errors import WireError
from gateway.sockets.message_socket import BROKEN
from gateway.sockets.socket import Socket
from gateway.voice import wire
from gateway.voice.bot import Agent, Answering
from gateway.voice.command_writer import CommandWriter
from gateway.voice.commands import CreateResponse, SayText, SeedMessage, VoiceCommand
from gateway.voice.conversion import Conversion
from gateway.voice.endpoints.lease import Lease
from gateway.voice.endpoints.pooled import Service
from gateway.voice.events import MalformedEvent, VoiceClosed, VoiceEnd, VoiceEvent
from gateway.voice.opening import Opened, Opening
from gateway.voice.proposals import Proposal, going_on_with
from gateway.voice.service import VoiceLive


class Ahead(Protocol):
    """A task that opens the session of a leg before it runs."""

    def __await__(self) -> Generator[Any, None, Opened | VoiceClosed]:
        """Return what came of it."""

    def cancel(self) -> object:
        """Stop it."""


class VoiceLeg:
    """One session. ``run`` connects; ``SessionReady`` comes first, if at all, and ``VoiceClosed`` last.

    ``audio_format`` is the phone's: replies in another are converted; ``None`` passes them as they come.
    ``call_id`` names the call for which a session may have been reserved.
    """

    def __init__(
        self,
        service: Service | VoiceLive,
        proposals: Sequence[Proposal],
        audio_format: AudioFormat | None = None,
        call_id: str = "",
    ) -> None:
        self._service = service
        self._proposals = proposals
        self._call_id = call_id
        self._audio_format = audio_format
        self.opening = Opening(service, proposals, call_id)
        """The attempts at a session, and what came of them."""
        self.opened: Ahead | None = None
        """The task that opens the session before ``run``, if there is one."""
        self._writer = CommandWriter(newer_members(service.api_version, RESPONSE_SINCE))
        self.send = self._writer.send
        self.send_audio = self._writer.send_audio
        self._lease: Lease | None = None
        self._socket: Socket | None = None
        self._closing: VoiceClosed | None = None

    async def run(self, tell: Callable[[VoiceEvent], None]) -> None:
        """Pass every event to ``tell`` as it arrives, the closing event last; raise what ``tell`` raises."""
        opened = await (self.open() if self.opened is None else self.opened)
        if isinstance(opened, VoiceClosed):
            return tell(opened)
        socket, answering = opened.socket, opened.proposal.answering
        try:
            turns = opened.session.get("turn_detection")
            tell(replace(opened.ready, lasts_s=self._lasts_s(), turn_detection=turns))
            await socket.hand_to(self._taker(opened, tell))
            tell(self._closing or _closed_by_service(socket, opened.lease.service, answering))
        finally:
            opened.lease.end()
            await socket.close()
        return None

    async def open(
        self, ask: CreateResponse | SayText | None = None, before: Sequence[SeedMessage] = ()
    ) -> Opened | VoiceClosed:
        """Open the session; in time for the call's first words, ``ask`` for them before the call is there.

        ``before`` goes to the service first. The call asks for all of it all the same, and is not passed on. What the
        service answers waits for ``run``.
        """
        opened = await self.opening.run()
        if isinstance(opened, Opened):
            self._socket, self._lease = opened.socket, opened.lease
            self._writer.open(opened.socket.send, is_agent=isinstance(opened.proposal.answering, Agent))
            self._writer.send_ahead([*before, *([] if ask is None else [ask])])
        return opened

    @property
    def is_lost(self) -> bool:
        """``True`` if the session was opened, and its connection has ended."""
        return self._socket is not None and self._socket.close_code is not None

    def _taker(self, opened: Opened, tell: Callable[[VoiceEvent], None]) -> Callable[[str | bytes], bool]:
        """Return what takes the service's messages; it converts audio only where the phone has another format."""

        def take(message: str | bytes) -> bool:
            for event in _decode(message):
                tell(event)
            return True

        received = OUTPUT_FORMATS.get(str(opened.session.get("output_audio_format")))
        if received is None or self._audio_format in (None, received):
            return take
        conversion = Conversion(received, self._audio_format)

        def take_and_convert(message: str | bytes) -> bool:
            for event in _decode(message):
                for converted in conversion.apply(event):
                    tell(converted)
            return True

        return take_and_convert

    def again(self, conversation_id: str) -> "VoiceLeg":
        """Return a leg for one more session of the same call; its agent goes on with ``conversation_id``, if given."""
        proposals = going_on_with(self._proposals, conversation_id)
        return VoiceLeg(self._service, proposals, self._audio_format, self._call_id)

    def _lasts_s(self) -> float:
        """Return the seconds until the session expires; 0 where the service has not said when."""
        expires_at = wire.expires_at(self.opening.attempts[-1].echoed)
        return max(0.0, expires_at - datetime.now(UTC).timestamp()) if expires_at else 0.0

    async def close(self) -> None:
        """End the session; safe in every state, the connecting one included, in which ``run`` must be cancelled."""
        self._closing = self._closing or VoiceClosed(VoiceEnd.CLOSED)
        if self.opened is not None:
            self.opened.cancel()
        await self.opening.close()
        if self._lease is not None:
            self._lease.end()
        if self._socket is not None:
            await self._socket.close()


class NoVoice:
    """A leg without a session, for calls that need no service: it reports its end alone, and ignores every command."""

    def __init__(self) -> None:
        self._closed = asyncio.Event()

    async def run(self, tell: Callable[[VoiceEvent], None]) -> None:
        """Report the closing event, once the leg is closed."""
        await self._closed.wait()
        tell(VoiceClosed(VoiceEnd.CLOSED))

    def send(self, command: VoiceCommand) -> None:
        """Ignore the command: there is no session."""

    def send_audio(self, audio: bytes) -> None:
        """Ignore the audio."""

    async def close(self) -> None:
        """End the leg; safe to call twice."""
        self._closed.set()

    def again(self, conversation_id: str) -> "NoVoice":
        """Return another leg without a session."""
        return NoVoice()


def _closed_by_service(socket: Socket, service: VoiceLive, answering: Answering) -> VoiceClosed:
    """Return the closing event. The SDK's iterator ends alike for both: if we did not close it, it was lost."""
    reason = f": {socket.close_reason}" if socket.close_reason else ""
    code = 0 if socket.failure or socket.close_code in (None, BROKEN) else int(socket.close_code or 0)
    closed = f"Voice Live closed the session with {code}{reason}" if code else "the connection to Voice Live broke"
    detail = socket.failure or closed
    if expires_at := service.expires_at(answering):
        when = datetime.fromtimestamp(expires_at, UTC)
        tense = "expired" if when <= datetime.now(UTC) else "expires"
        detail += f"; the Entra token {tense} at {when:%Y-%m-%dT%H:%M:%SZ}"
    return VoiceClosed(VoiceEnd.LOST, detail, close_code=code)


def _decode(message: str | bytes) -> Sequence[VoiceEvent]:
    try:
        return wire.decode(message)
    except WireError as error:
        return (MalformedEvent(str(error)),)
