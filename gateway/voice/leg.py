"""The voice leg: a Voice Live session as events in and commands out."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gateway.errors import WireError
from gateway.voice import wire
from gateway.voice.bot import Agent, Answering
from gateway.voice.commands import AddMessage, CreateResponse, VoiceCommand
from gateway.voice.events import (
    MalformedEvent,
    ServiceError,
    SessionReady,
    VoiceClosed,
    VoiceEnd,
    VoiceEvent,
)
from gateway.voice.service import VoiceLive, VoiceRefusedError, VoiceUnreachableError
from gateway.websocket import TEXT, WebSocket

READY_TIMEOUT_S = 10.0
"""The limit from the open connection to the accepted session settings; 66-88 ms were measured at the service."""


class VoiceLeg:
    """One session. ``run`` connects; ``SessionReady`` comes first, if at all, and ``VoiceClosed`` last."""

    def __init__(self, service: VoiceLive, answering: Answering, session: Mapping[str, Any]) -> None:
        self._service = service
        self._answering = answering
        self._is_agent = isinstance(answering, Agent)
        self._session = session
        self._socket: WebSocket | None = None
        self._closing: VoiceClosed | None = None

    async def run(self, tell: Callable[[VoiceEvent], None]) -> None:
        """Pass every event to ``tell`` as it arrives, the closing event last; raise what ``tell`` raises."""
        try:
            self._socket = socket = await self._service.connect(self._answering)
        except VoiceRefusedError as error:
            return tell(VoiceClosed(VoiceEnd.REFUSED, str(error)))
        except VoiceUnreachableError as error:
            return tell(VoiceClosed(VoiceEnd.UNREACHABLE, str(error)))

        def take(message: str | bytes) -> bool:
            for event in _decode(message):
                tell(event)
            return True

        try:
            first = await self._open_session(socket)
            tell(first)
            if isinstance(first, SessionReady):
                await socket.hand_to(take)
                tell(self._closing or self._closed_by_service(socket))
        finally:
            await socket.close()
        return None

    async def _open_session(self, socket: WebSocket) -> VoiceEvent:
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                socket.send(wire.session_update(self._session))
                while (message := await socket.receive()) is not None:
                    for event in _decode(message):
                        if isinstance(event, SessionReady):
                            return event
                        if isinstance(event, ServiceError) and event.event_id in ("", wire.SESSION_UPDATE_ID):
                            return VoiceClosed(VoiceEnd.REFUSED, f"Voice Live refused the session: {event.message}")
        except TimeoutError:
            detail = f"Voice Live did not take the session settings within {READY_TIMEOUT_S:g} s"
            return VoiceClosed(VoiceEnd.UNREACHABLE, detail)
        except ConnectionError as error:
            return VoiceClosed(VoiceEnd.LOST, str(error))
        return self._closing or self._closed_by_service(socket)

    def send(self, command: VoiceCommand) -> None:
        """Carry out a command at once; a connection that is gone is reported by its closing event.

        Raises ``OutboxFullError`` where the peer has stopped reading.
        """
        if self._socket is None:
            raise RuntimeError("a command before SessionReady")
        if self._is_agent and isinstance(command, CreateResponse) and command.instructions:
            # refused with "Overriding instructions in response.create is not supported with Agent service."
            self.send(AddMessage("system", command.instructions))
            command = CreateResponse(request_id=command.request_id)
        try:
            self._socket.send(wire.encode(command), TEXT)
        except ConnectionError:
            return

    async def close(self) -> None:
        """End the session; safe in every state, the connecting one included, in which ``run`` must be cancelled."""
        self._closing = self._closing or VoiceClosed(VoiceEnd.CLOSED)
        if self._socket is not None:
            await self._socket.close()

    def _closed_by_service(self, socket: WebSocket) -> VoiceClosed:
        """Return the closing event. The SDK's iterator ends alike for both: if we did not close it, it was lost."""
        return VoiceClosed(VoiceEnd.LOST, socket.failure or f"Voice Live closed the session with {socket.close_code}")


def _decode(message: str | bytes) -> Sequence[VoiceEvent]:
    try:
        return wire.decode(message)
    except WireError as error:
        return (MalformedEvent(str(error)),)
