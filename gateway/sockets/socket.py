"""The interface of a socket for whoever uses one. Another object may stand before a socket and note what passes."""

from collections.abc import Callable, Sequence
from typing import Protocol

from gateway.sockets.inlet import Take
from gateway.sockets.message_socket import BINARY


class Socket(Protocol):
    """A ``MessageSocket``, or what has its methods."""

    async def receive(self) -> str | bytes | None:
        """Return the next message, text as ``str`` and binary as ``bytes``; ``None`` once the socket is closed."""

    async def hand_to(self, take: Take, alive: Callable[[], None] | None = None) -> None:
        """Hand every message to ``take`` as it arrives, until the socket is closed or ``take`` wants no more.

        ``alive`` is called for each ping and pong. What either raises is raised here.
        """

    def send(self, message: str | bytes, opcode: int = BINARY) -> None:
        """Write ``message`` as one frame, without waiting; ``opcode`` is that of bytes.

        Raises ``ConnectionError`` where the connection is gone and ``OutboxFullError`` where the peer does not read.
        """

    def send_all(self, messages: Sequence[str | bytes]) -> None:
        """Write messages as ``send`` does, in one piece where that can be."""

    def ping(self) -> None:
        """Ask for a pong."""

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close in order, in limited time; safe to call twice."""

    @property
    def close_code(self) -> int | None:
        """The close code (RFC 6455 §7.4), 1006 where the connection broke; ``None`` while open."""

    @property
    def close_reason(self) -> str:
        """The reason in the peer's close frame; empty where it gave none."""

    @property
    def failure(self) -> str:
        """The reason why the connection broke, in words; empty where it was closed in order."""
