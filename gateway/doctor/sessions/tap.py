"""Notes what a session's socket sends and receives, while the production leg uses it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec

from gateway.sockets.inlet import Take
from gateway.sockets.message_socket import BINARY
from gateway.sockets.socket import Socket
from gateway.voice.service import Negotiate, VoiceLive, VoiceRefusedError, VoiceUnreachableError

Message = dict[str, Any]


@dataclass
class Connection:
    """The messages of one connection, those with audio in them left out."""

    handshake_s: float
    sent: list[Message] = field(default_factory=list)
    received: list[Message] = field(default_factory=list)

    def of(self, kind: str) -> list[Message]:
        """Return the received messages of a type."""
        return [message for message in self.received if message.get("type") == kind]


class TappedService:
    """A :class:`VoiceLive` whose connections are noted; it is one in all else."""

    def __init__(
        self, service: VoiceLive, noted: Callable[[], None] = lambda: None, negotiate: Negotiate = "on"
    ) -> None:
        """Call ``noted`` after each message."""
        self._service = service
        self.negotiate: Negotiate = negotiate
        """The reaction to a refused session, in place of the service's own."""
        self._noted = noted
        self.connections: list[Connection] = []
        self.failure: VoiceRefusedError | VoiceUnreachableError | None = None
        """The last handshake that failed."""

    async def connect(self, *args: Any, **options: Any) -> Socket:
        """Connect as the service does, and note what is said."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            socket = await self._service.connect(*args, **options)
        except (VoiceRefusedError, VoiceUnreachableError) as error:
            self.failure = error
            raise
        self.connections.append(Connection(loop.time() - begun))
        return cast(Socket, _TappedSocket(socket, self.connections[-1], self._noted))

    def as_service(self) -> VoiceLive:
        """Return it under the type that a leg takes."""
        return cast(VoiceLive, self)

    def all_of(self, kind: str) -> Sequence[Message]:
        """Return the received messages of a type, over all connections."""
        return [message for connection in self.connections for message in connection.of(kind)]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._service, name)


class _TappedSocket:
    def __init__(self, socket: Socket, connection: Connection, noted: Callable[[], None]) -> None:
        self._socket = socket
        self._connection = connection
        self._noted = noted

    async def receive(self) -> str | bytes | None:
        message = await self._socket.receive()
        if message is not None:
            _note(message, self._connection.received)
        return message

    async def hand_to(self, take: Take, alive: Callable[[], None] | None = None) -> None:
        def noted(message: str | bytes) -> bool:
            _note(message, self._connection.received)
            self._noted()
            return take(message)

        await self._socket.hand_to(noted, alive)

    def send(self, message: str | bytes, opcode: int = BINARY) -> None:
        _note(message, self._connection.sent)
        self._socket.send(message, opcode)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)


def _note(text: str | bytes, where: list[Message]) -> None:
    try:
        message = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):  # reported by the leg
        return
    if isinstance(message, dict) and message.get("type") not in _AUDIO:
        where.append(message)


_AUDIO = ("input_audio_buffer.append", "response.audio.delta", "response.output_audio.delta")
