"""The interface of a WebSocket under a leg: messages passed on as they arrive, writes that never wait."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Protocol

from aiohttp import WSMsgType

from gateway.sockets.inlet import Inlet, Take

OUTBOX_LIMIT = 256 * 1024
"""Bytes that may wait for a peer that stopped reading: about 15 s of G.711 as JSON."""
CLOSE_ROOM = 64 * 1024
"""Waiting bytes above which a peer counts as not reading: no closing handshake is tried with it."""
REASON_LIMIT = 123
"""Bytes of UTF-8 that a close frame holds beside its code (RFC 6455 §5.5)."""
NO_CODE = 1005
"""RFC 6455 §7.1.5: the peer closed and gave no code."""
BROKEN = 1006
"""RFC 6455 §7.1.5: the connection ended without a close frame."""

TEXT, BINARY, CLOSE, PING, PONG = (
    WSMsgType.TEXT,
    WSMsgType.BINARY,
    WSMsgType.CLOSE,
    WSMsgType.PING,
    WSMsgType.PONG,
)


class Send(Protocol):
    """Writes a message as one frame, without waiting."""

    def __call__(self, message: str | bytes, opcode: int = BINARY) -> None:
        """Write ``message``; ``opcode`` is that of bytes.

        Raises ``ConnectionError`` where the connection is gone and ``OutboxFullError`` where the peer does not read.
        """


class MessageSocket(ABC):
    """One end of a connection. What comes in is handed on, or waits for whoever asks."""

    send: Send

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._inlet = Inlet(self._pause, self._resume)
        self.close_code: int | None = None
        """The close code (RFC 6455 §7.4), 1006 where the connection broke; ``None`` while open."""
        self.close_reason = ""
        """The reason in the peer's close frame; empty where it gave none."""
        self.failure = ""
        """The reason why the connection broke, in words; empty where it was closed in order."""

    def send_all(self, messages: Sequence[str | bytes]) -> None:
        """Write messages as ``send`` does, as one piece where the socket can: each write is a call of the system."""
        for message in messages:
            self.send(message)

    @abstractmethod
    def ping(self) -> None:
        """Ask for a pong, which ``hand_to`` reports."""

    @abstractmethod
    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close in order, waiting no longer than the close time-out; safe to call twice."""

    @abstractmethod
    def _pause(self) -> None:
        """Read no more from the peer."""

    @abstractmethod
    def _resume(self) -> None:
        """Read on."""

    async def receive(self) -> str | bytes | None:
        """Return the next message, text as ``str`` and binary as ``bytes``; ``None`` once the socket is closed."""
        inlet = self._inlet
        if not inlet.has_unread and not inlet.is_over:
            await self._wait()
        return inlet.next_unread() if inlet.has_unread else None

    async def hand_to(self, take: Take, alive: Callable[[], None] | None = None) -> None:
        """Hand every message to ``take`` as it arrives, until the socket is closed or ``take`` wants no more.

        ``alive`` is called for each ping and pong. Both run with the context variables of whoever awaits this, and what
        they raise is raised here.
        """
        inlet = self._inlet
        while inlet.has_unread:
            if not take(inlet.next_unread()):
                return
        if not inlet.is_over:
            inlet.begin(take, alive)
            try:
                await self._wait()
            finally:
                inlet.stop()

    async def _wait(self) -> None:
        arrival = self._inlet.wait()
        try:
            await arrival
        finally:
            self._inlet.waited()


def as_reason(text: str) -> str:
    """Return the beginning of ``text`` that a close frame can hold, in whole characters."""
    return text.encode(errors="replace")[:REASON_LIMIT].decode(errors="ignore")


def as_payload(message: str | bytes) -> bytes:
    """Return a message as a frame carries it; half a character is replaced, because no text may end a call."""
    if isinstance(message, bytes):
        return message
    try:
        return message.encode()
    except UnicodeEncodeError:
        return message.encode(errors="replace")
