"""A WebSocket on an upgraded connection (RFC 6455): messages passed on as they arrive, writes that never wait.

aiohttp reads the frames, in C, and knows every rule about them; its queue and its writer are left out. A message is
handed on within the turn of the event loop in which its bytes are read, and a frame is written straight to the
transport: neither costs a task, a future or a further turn.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from aiohttp import WebSocketError
from aiohttp._websocket.reader import WebSocketReader
from aiohttp.base_protocol import BaseProtocol

from gateway.errors import OutboxFullError
from gateway.network.framing import MASKED
from gateway.sockets.frame_writer import FrameWriter
from gateway.sockets.inbox import Inbox
from gateway.sockets.message_socket import (
    BROKEN,
    CLOSE,
    CLOSE_ROOM,
    NO_CODE,
    OUTBOX_LIMIT,
    PING,
    PONG,
    MessageSocket,
    as_reason,
)

TIMER_GRAIN_S = 0.001
"""A timer may come so much early, by rounding too: set for less than that again, it might come at once for ever."""


class WebSocket(MessageSocket):
    """One end of a connection, server's or client's; a client's end masks what it sends.

    ``parser`` is what the connection's protocol feeds with the bytes it reads. ``heartbeat_s``: after this
    silence the peer is asked for a sign of life, and is lost without one in half that time; 0 for never. ``release``
    is called once the connection is of no more use.
    """

    def __init__(
        self,
        protocol: BaseProtocol,
        transport: asyncio.Transport,
        *,
        is_client: bool = False,
        max_message: int = 0,
        close_timeout_s: float = 1.0,
        heartbeat_s: float = 0.0,
        outbox_limit: int = OUTBOX_LIMIT,
        release: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__()
        self._transport = transport
        self._writer = FrameWriter(transport, MASKED if is_client else 0, outbox_limit)
        self.send = self._writer.send
        self._close_timeout_s = close_timeout_s
        self._heartbeat_s = heartbeat_s
        self._release = release
        self._peer_done = asyncio.Event()
        self._life_at = self._loop.time()
        self._heartbeat = self._loop.call_later(heartbeat_s, self._listen) if heartbeat_s else None
        self.deliver = self._inlet.deliver
        alive = self._inlet.sign_of_life
        self.inbox = Inbox(protocol, self.deliver, alive, self._controlled, self.failed, self._lost)
        self.parser = WebSocketReader(self.inbox, max_message, compress=False, decode_text=True)

    # Messages in

    def _pause(self) -> None:
        self._transport.pause_reading()

    def _resume(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    # Messages out

    def send_all(self, messages: Sequence[str | bytes]) -> None:
        """Write messages through to the transport in one piece; raise as ``send`` does."""
        self._writer.send_all(messages)

    def ping(self) -> None:
        """Ask for a pong, which ``hand_to`` reports."""
        self._send_control(PING, b"")

    def _send_control(self, opcode: int, payload: bytes) -> None:
        """Send a control frame, unless the peer is gone or does not read."""
        with suppress(ConnectionError, OutboxFullError):
            self.send(payload, opcode)
        self._writer.is_closed |= opcode == CLOSE

    # The end

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close in order, waiting no longer than the close time-out; safe to call twice.

        A peer that does not read is not waited for: a transport would keep its socket until the last byte is gone.
        """
        try:
            # asyncio's transport by TLS has no buffer any more once it was closed
            is_reading = not self._transport.is_closing() and self._transport.get_write_buffer_size() <= CLOSE_ROOM
            self._end(None)
            self._inlet.read_on()
            if is_reading:
                self._send_control(CLOSE, code.to_bytes(2, "big") + as_reason(reason).encode())
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._close_timeout_s):
                        await self._peer_done.wait()
        finally:
            self._drop()

    def _end(self, code: int | None, failure: str = "") -> None:
        """Take no more messages; ``code`` is ``None`` until the peer has sent its own."""
        if self.close_code is None:
            self.close_code = code
            self.failure = failure
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        self._inlet.end()

    def _drop(self) -> None:
        self._end(BROKEN)
        self._transport.abort()
        self._release()

    def _controlled(self, kind: int, payload: bytes, code: int) -> None:
        if kind == PING:
            self._send_control(PONG, payload)
        elif kind == CLOSE:
            self.close_reason = payload.decode(errors="replace")
            self._send_control(CLOSE, code.to_bytes(2, "big") if code else b"")
            self._end(code or NO_CODE)
            self._peer_done.set()
            self._transport.close()

    def failed(self, error: WebSocketError) -> None:
        """Close after the peer broke a rule of the framing; what it sends from now on is ignored."""
        self._send_control(CLOSE, error.code.to_bytes(2, "big"))
        self._end(error.code, str(error))

    def _lost(self) -> None:
        self._end(BROKEN)
        self._peer_done.set()

    # Signs of life

    def note_life(self) -> None:
        """Note the time at which bytes came."""
        self._life_at = self._loop.time()

    def _listen(self) -> None:
        """Check how long the peer has been silent; ask for a sign of life after a heartbeat's time."""
        rest_s = self._life_at + self._heartbeat_s - self._loop.time()
        if rest_s > TIMER_GRAIN_S:
            self._heartbeat = self._loop.call_later(rest_s, self._listen)
        else:
            self._send_control(PING, b"")
            self._heartbeat = self._loop.call_later(self._heartbeat_s / 2, self._give_up, self._loop.time())

    def _give_up(self, asked_at: float) -> None:
        if self._life_at >= asked_at:
            self._listen()
        else:
            self._end(BROKEN, f"no answer to a ping within {self._heartbeat_s / 2:g} s")
            self._peer_done.set()
            self._transport.abort()
