"""The interface of a WebSocket under a leg: messages passed on as they arrive, writes that never wait."""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import partial

from aiohttp import WSMsgType

OUTBOX_LIMIT = 256 * 1024
"""Bytes that may wait for a peer that stopped reading: about 15 s of G.711 as JSON."""
CLOSE_ROOM = 64 * 1024
"""Waiting bytes above which a peer counts as not reading: no closing handshake is tried with it."""
UNREAD_LIMIT = 64 * 1024
"""Bytes that are read ahead while nobody takes messages; above that the peer has to wait."""
MESSAGE_COST = 128
"""Bytes that a waiting message counts for beside its length, so that empty ones are limited too."""
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

Take = Callable[[str | bytes], bool]
"""Takes each message within the turn of the loop in which it arrives; returns ``False`` to get no more."""


class MessageSocket(ABC):
    """One end of a connection. What comes in is handed on, or waits for whoever asks."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._unread: deque[str | bytes] = deque()
        self._unread_size = 0
        self._is_paused = False
        self._is_over = False
        self._take: Take | None = None
        self._alive: Callable[[], object] | None = None
        self.close_code: int | None = None
        """The close code (RFC 6455 §7.4), 1006 where the connection broke; ``None`` while open."""
        self.close_reason = ""
        """The reason in the peer's close frame; empty where it gave none."""
        self.failure = ""
        """The reason why the connection broke, in words; empty where it was closed in order."""

    @abstractmethod
    def send(self, message: str | bytes, opcode: int = BINARY) -> None:
        """Write ``message`` as one frame, without waiting; ``opcode`` is that of bytes.

        Raises ``ConnectionError`` where the connection is gone and ``OutboxFullError`` where the peer does not read.
        """

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
        if not self._unread and not self._is_over:
            await self._wait()
        return self._next_unread() if self._unread else None

    async def hand_to(self, take: Take, alive: Callable[[], None] | None = None) -> None:
        """Hand every message to ``take`` as it arrives, until the socket is closed or ``take`` wants no more.

        ``alive`` is called for each ping and pong. Both run with the context variables of whoever awaits this, and what
        they raise is raised here.
        """
        while self._unread:
            if not take(self._next_unread()):
                return
        if not self._is_over:
            run: Callable[..., bool] = copy_context().run
            self._take = partial(run, take)
            self._alive = None if alive is None else partial(copy_context().run, alive)
            try:
                await self._wait()
            finally:
                self._take = self._alive = None

    def deliver(self, message: str | bytes) -> None:
        """Hand a message that has come to whoever takes messages, or keep it while nobody does."""
        take = self._take
        if take is None:
            self._keep(message)
            return
        try:
            if take(message):
                return
            error = None
        except Exception as raised:  # noqa: BLE001 -- raised again in hand_to, not here in a transport's callback
            error = raised
        self._stop_taking(error)

    def _sign_of_life(self) -> None:
        """Report a ping or a pong."""
        if self._alive is not None:
            try:
                self._alive()
            except Exception as raised:  # noqa: BLE001 -- as above
                self._stop_taking(raised)

    def _stop_taking(self, error: Exception | None) -> None:
        self._take = self._alive = None
        self._wake(error)

    async def _wait(self) -> None:
        if self._waiter is not None:
            raise RuntimeError("the socket's messages are awaited twice")
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self, error: Exception | None = None) -> None:
        if self._waiter is not None and not self._waiter.done():
            if error is None:
                self._waiter.set_result(None)
            else:
                self._waiter.set_exception(error)

    def _keep(self, message: str | bytes) -> None:
        """Keep a message that nobody takes yet."""
        if not self._is_over:
            self._unread.append(message)
            self._unread_size += len(message) + MESSAGE_COST
            if self._unread_size > UNREAD_LIMIT and not self._is_paused:
                self._is_paused = True
                self._pause()
            self._wake()

    def _next_unread(self) -> str | bytes:
        message = self._unread.popleft()
        self._unread_size -= len(message) + MESSAGE_COST
        if not self._unread:
            self._read_on()
        return message

    def _read_on(self) -> None:
        if self._is_paused:
            self._is_paused = False
            self._resume()


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
