"""Hands on what comes in on a connection as it arrives, or keeps it until somebody asks for it.

It may be compiled (pyproject.toml): every frame passes here, and what awaits messages does not.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import copy_context

UNREAD_LIMIT = 64 * 1024
"""Bytes that are read ahead while nobody takes messages; above that the peer has to wait."""
MESSAGE_COST = 128
"""Bytes that a waiting message counts for beside its length, so that empty ones are limited too."""

Take = Callable[[str | bytes], bool]
"""Takes each message within the turn of the loop in which it arrives; returns ``False`` to get no more."""


class Inlet:
    """The messages of one connection. ``pause`` and ``resume`` stop reading from the peer, and go on with it."""

    def __init__(self, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        self._pause = pause
        self._resume = resume
        self._waiter: asyncio.Future[None] | None = None
        self._unread: deque[str | bytes] = deque()
        self._unread_size = 0
        self._is_paused = False
        self._take: Take | None = None
        self._alive: Callable[[], None] | None = None
        self._run: Callable[..., object] = copy_context().run
        self.is_over = False
        """``True`` once nothing more comes."""

    def deliver(self, message: str | bytes) -> None:
        """Hand a message that has come to whoever takes messages, or keep it while nobody does."""
        take = self._take
        if take is None:
            self._keep(message)
            return
        try:
            if self._run(take, message):
                return
            error = None
        except Exception as raised:  # noqa: BLE001 -- raised again where it is awaited, not here in a transport's callback
            error = raised
        self._stop_taking(error)

    def sign_of_life(self) -> None:
        """Report a ping or a pong."""
        if self._alive is not None:
            try:
                self._run(self._alive)
            except Exception as raised:  # noqa: BLE001 -- as above
                self._stop_taking(raised)

    def begin(self, take: Take, alive: Callable[[], None] | None) -> None:
        """Hand messages to ``take``, and signs of life to ``alive``, with the context variables of now."""
        self._run = copy_context().run
        self._take, self._alive = take, alive

    def stop(self) -> None:
        """Hand on no more."""
        self._take = self._alive = None

    def end(self) -> None:
        """Take no more messages, and wake whoever waits for one."""
        self.is_over = True
        self.stop()
        self.wake()

    def wait(self) -> "asyncio.Future[None]":
        """Return what is done when a message or the end has come; ``waited`` follows.

        It raises what ``take`` or ``alive`` raised. Raises ``RuntimeError`` where it is awaited already.
        """
        if self._waiter is not None:
            raise RuntimeError("the socket's messages are awaited twice")
        self._waiter = asyncio.get_running_loop().create_future()
        return self._waiter

    def waited(self) -> None:
        """Forget the last ``wait``."""
        self._waiter = None

    def wake(self, error: Exception | None = None) -> None:
        """End the wait, with an error or without."""
        if self._waiter is not None and not self._waiter.done():
            if error is None:
                self._waiter.set_result(None)
            else:
                self._waiter.set_exception(error)

    @property
    def has_unread(self) -> bool:
        """``True`` if messages wait."""
        return bool(self._unread)

    def next_unread(self) -> str | bytes:
        """Return the first message that waits."""
        message = self._unread.popleft()
        self._unread_size -= len(message) + MESSAGE_COST
        if not self._unread:
            self.read_on()
        return message

    def read_on(self) -> None:
        """Read from the peer again, where that was stopped."""
        if self._is_paused:
            self._is_paused = False
            self._resume()

    def _stop_taking(self, error: Exception | None) -> None:
        self.stop()
        self.wake(error)

    def _keep(self, message: str | bytes) -> None:
        """Keep a message that nobody takes yet."""
        if not self.is_over:
            self._unread.append(message)
            self._unread_size += len(message) + MESSAGE_COST
            if self._unread_size > UNREAD_LIMIT and not self._is_paused:
                self._is_paused = True
                self._pause()
            self.wake()
