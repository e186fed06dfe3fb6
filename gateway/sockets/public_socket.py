"""A socket on a library's own WebSocket: two tasks for each, in place of the fast socket's private names."""

import asyncio
from collections import deque
from contextlib import suppress

from gateway.errors import OutboxFullError
from gateway.sockets.message_socket import (
    BINARY,
    CLOSE_ROOM,
    NO_CODE,
    OUTBOX_LIMIT,
    PING,
    PONG,
    TEXT,
    MessageSocket,
    as_payload,
    as_reason,
)
from gateway.sockets.wire import Ended, Sign, Wire


class PublicSocket(MessageSocket):
    """One end of a connection, by a library's WebSocket.

    One task reads and one writes. Beside ``outbox_limit`` the library and its transport hold about 128 KiB for a peer
    that does not read.
    """

    def __init__(self, wire: Wire, *, close_timeout_s: float, outbox_limit: int = OUTBOX_LIMIT) -> None:
        super().__init__()
        self._wire = wire
        self._close_timeout_s = close_timeout_s
        self._limit = outbox_limit
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._outbox: deque[tuple[bytes, int]] = deque()
        self._unsent = 0
        self._has_work = asyncio.Event()
        self._takes_no_more = False
        self._reading = self._loop.create_task(self._read())
        self._reading.add_done_callback(self._read_out)
        self._writing = self._loop.create_task(self._write())

    # Messages in

    def _pause(self) -> None:
        self._may_read.clear()

    def _resume(self) -> None:
        self._may_read.set()

    async def _read(self) -> None:
        while True:
            await self._may_read.wait()
            received = await self._wire.receive()
            if isinstance(received, Ended):
                return await self._ended(received)
            if isinstance(received, Sign):
                self._signed(received)
            else:
                self._inlet.deliver(received)

    def _read_out(self, reading: asyncio.Task[None]) -> None:
        """Raise a bug of the reading to whoever takes the messages."""
        if not reading.cancelled() and (error := reading.exception()) is not None:
            self._inlet.wake(error if isinstance(error, Exception) else None)
            self._over()

    def _signed(self, sign: Sign) -> None:
        if sign.is_ping:
            self._put(sign.payload, PONG)
        self._inlet.sign_of_life()

    # Messages out

    def send(self, message: str | bytes, opcode: int = BINARY) -> None:
        """Queue ``message`` for the writer, as one frame.

        Raises ``ConnectionError`` where the connection is gone and ``OutboxFullError`` where the peer does not read.
        """
        if self._takes_no_more:
            raise ConnectionResetError("the WebSocket is closed")
        if self._unsent > self._limit:
            raise OutboxFullError(f"the peer has not read {self._unsent} bytes")
        self._put(as_payload(message), TEXT if isinstance(message, str) else opcode)

    def ping(self) -> None:
        """Ask for a pong, which ``hand_to`` reports."""
        self._put(b"", PING)

    def _put(self, payload: bytes, opcode: int) -> None:
        if not self._takes_no_more and self._unsent <= self._limit:
            self._outbox.append((payload, opcode))
            self._unsent += len(payload)
            self._has_work.set()

    async def _write(self) -> None:
        try:
            while self._outbox or not self._takes_no_more:
                if not self._outbox:
                    self._has_work.clear()
                    await self._has_work.wait()
                    continue
                payload, opcode = self._outbox[0]
                await self._wire.send(payload, opcode)
                self._outbox.popleft()
                self._unsent -= len(payload)
        except ConnectionError:  # the reader comes to the end too, and says how it ended
            self._takes_no_more = True

    # The end

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close in order, waiting no longer than the close time-out; safe to call twice.

        A peer that does not read is not waited for.
        """
        is_reading = self._unsent <= CLOSE_ROOM
        was_open = self.close_code is None and not self._inlet.is_over
        self._over()
        try:
            self._reading.cancel()
            await asyncio.wait([self._reading])
            if was_open and is_reading:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._close_timeout_s):
                        await asyncio.wait([self._writing])
                        self.close_code = await self._wire.close(code, as_reason(reason))
        finally:
            await self._drop()

    async def _ended(self, end: Ended) -> None:
        """Note the end that came from the peer, and answer it."""
        self.close_code, self.close_reason, self.failure = end.code, end.reason, end.failure
        self._over()
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(self._close_timeout_s):
                await asyncio.wait([self._writing])
                await self._wire.close(end.code if end.code != NO_CODE else 1000, "")

    async def _drop(self) -> None:
        self.close_code = self.close_code or 1006
        self._writing.cancel()
        await self._wire.drop()
        await asyncio.wait([self._reading, self._writing])

    def _over(self) -> None:
        self._takes_no_more = True
        self._has_work.set()
        self._inlet.end()
