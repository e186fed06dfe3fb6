"""A WebSocket on an upgraded connection (RFC 6455): messages passed on as they arrive, writes that never wait.

aiohttp reads the frames, in C, and knows every rule about them; its queue and its writer are left out. A message is
handed on within the turn of the event loop in which its bytes are read, and a frame is written straight to the
transport: neither costs a task, a future or a further turn.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from random import getrandbits
from struct import Struct

from aiohttp import WebSocketError, WSMsgType
from aiohttp._websocket.helpers import websocket_mask
from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_websocket import WSMessage, WSMessageTextBytes

from gateway.errors import OutboxFullError

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
TIMER_GRAIN_S = 0.001
"""A timer may come so much early, by rounding too: set for less than that again, it might come at once for ever."""

TEXT, BINARY, CLOSE, PING, PONG = (
    WSMsgType.TEXT,
    WSMsgType.BINARY,
    WSMsgType.CLOSE,
    WSMsgType.PING,
    WSMsgType.PONG,
)

FINAL, MASKED = 0x80, 0x80
_short, _medium, _long = Struct("!BB").pack, Struct("!BBH").pack, Struct("!BBQ").pack

Take = Callable[[str | bytes], bool]
"""Takes each message within the turn of the loop in which it arrives; returns ``False`` to get no more."""


class WebSocket:
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
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._mask_bit = MASKED if is_client else 0
        self._close_timeout_s = close_timeout_s
        self._heartbeat_s = heartbeat_s
        self._limit = outbox_limit
        self._release = release
        self._waiter: asyncio.Future[None] | None = None
        self._unread: deque[str | bytes] = deque()
        self._unread_size = 0
        self._is_paused = False
        self._is_over = False
        self._close_sent = False
        self._peer_done = asyncio.Event()
        self._life_at = self._loop.time()
        self._heartbeat = self._loop.call_later(heartbeat_s, self._listen) if heartbeat_s else None
        self.close_code: int | None = None
        """The close code (RFC 6455 §7.4), 1006 where the connection broke; ``None`` while open."""
        self.close_reason = ""
        """The reason in the peer's close frame; empty where it gave none."""
        self.failure = ""
        """The reason why the connection broke, in words; empty where it was closed in order."""
        self.inbox = _Inbox(protocol, self._keep, self._wake, self._controlled, self.failed, self._lost)
        self.parser = WebSocketReader(self.inbox, max_message, compress=False, decode_text=True)

    # Messages in

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
            self.inbox.take = partial(run, take)
            self.inbox.alive = None if alive is None else partial(copy_context().run, alive)
            try:
                await self._wait()
            finally:
                self.inbox.take = self.inbox.alive = None

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
                self._transport.pause_reading()
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
            if not self._transport.is_closing():
                self._transport.resume_reading()

    # Messages out

    def send(self, message: str | bytes, opcode: int = BINARY) -> None:
        """Write ``message`` through to the transport, as one frame (RFC 6455 §5.2).

        Raises ``ConnectionError`` where the connection is gone and ``OutboxFullError`` where the peer does not read.
        """
        transport = self._transport
        if self._close_sent or transport.is_closing():
            raise ConnectionResetError("the WebSocket is closed")
        unsent = transport.get_write_buffer_size()
        if unsent > self._limit:
            raise OutboxFullError(f"the peer has not read {unsent} bytes")
        payload: bytes | bytearray
        if isinstance(message, str):
            try:
                payload = message.encode()
            except UnicodeEncodeError:  # no text ends a call
                payload = message.encode(errors="replace")
            opcode = TEXT
        else:
            payload = message
        size = len(payload)
        if size < 126:
            head = _short(FINAL | opcode, self._mask_bit | size)
        elif size < 65536:
            head = _medium(FINAL | opcode, self._mask_bit | 126, size)
        else:
            head = _long(FINAL | opcode, self._mask_bit | 127, size)
        if self._mask_bit:
            key = getrandbits(32).to_bytes(4, "big")
            payload = bytearray(payload)
            websocket_mask(key, payload)
            head += key
        transport.write(head + payload)

    def ping(self) -> None:
        """Ask for a pong, which ``hand_to`` reports."""
        self._send_control(PING, b"")

    def _send_control(self, opcode: int, payload: bytes) -> None:
        """Send a control frame, unless the peer is gone or does not read."""
        with suppress(ConnectionError, OutboxFullError):
            self.send(payload, opcode)
        self._close_sent |= opcode == CLOSE

    # The end

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close in order, waiting no longer than the close time-out; safe to call twice.

        A peer that does not read is not waited for: a transport would keep its socket until the last byte is gone.
        """
        try:
            # asyncio's transport by TLS has no buffer any more once it was closed
            is_reading = not self._transport.is_closing() and self._transport.get_write_buffer_size() <= CLOSE_ROOM
            whole_characters = reason.encode(errors="replace")[:REASON_LIMIT].decode(errors="ignore")
            self._end(None)
            self._read_on()
            if is_reading:
                self._send_control(CLOSE, code.to_bytes(2, "big") + whole_characters.encode())
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
        self._is_over = True
        self.inbox.take = self.inbox.alive = None
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        self._wake()

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


class _Inbox(WebSocketDataQueue):
    """Stands where aiohttp's reader has its queue, and keeps nothing: messages go to ``take``, if there is one."""

    def __init__(
        self,
        protocol: BaseProtocol,
        keep: Callable[[str | bytes], None],
        let_go: Callable[[Exception | None], None],
        controlled: Callable[[int, bytes, int], None],
        failed: Callable[[WebSocketError], None],
        lost: Callable[[], None],
    ) -> None:
        super().__init__(protocol, UNREAD_LIMIT, loop=asyncio.get_running_loop())
        self.take: Take | None = None
        self.alive: Callable[[], object] | None = None
        self._keep = keep
        self._let_go = let_go
        self._controlled = controlled
        self._failed = failed
        self._lost = lost

    def deliver(self, message: str | bytes) -> None:
        """Pass a message to ``take``, or keep it while there is none."""
        take = self.take
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

    def feed_data(self, data: WSMessage | WSMessageTextBytes, size: int) -> None:
        kind = data[0]
        if kind is TEXT or kind is BINARY:
            self.deliver(data[1])
        elif kind is CLOSE:
            self._controlled(kind, str(data[2] or "").encode(errors="replace"), data[1])
        else:
            self._controlled(kind, bytes(data[1]), 0)
            if self.alive is not None:
                try:
                    self.alive()
                except Exception as raised:  # noqa: BLE001 -- as above
                    self._stop_taking(raised)

    def _stop_taking(self, error: Exception | None) -> None:
        self.take = self.alive = None
        self._let_go(error)

    def set_exception(self, exc: BaseException, exc_cause: BaseException | None = None) -> None:
        if not isinstance(exc, WebSocketError):
            raise exc
        self._failed(exc)

    def feed_eof(self) -> None:
        self._lost()
