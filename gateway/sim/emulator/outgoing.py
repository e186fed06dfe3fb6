"""The sending side: every server event passes here, is recorded, and may have a fault right after it.

Inside, events have the names of Voice Live; faults are asked for by these, whatever the dialect is.
"""

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from gateway.sim.abandoned import until_closed_by_peer
from gateway.sim.emulator.dialect import DialectName, in_ga
from gateway.sim.emulator.faults import Extra, Faults
from gateway.sim.emulator.ids import event_id
from gateway.sim.emulator.on_demand import strike
from gateway.sim.emulator.record import Event, Record, Rejected
from gateway.sim.faults.service import ConnectionFaults

_encode = msgspec.json.Encoder().encode
OVERFLOW = "session_output_overflow"
"""The error of a client that does not read (pydantic-ai 2.68 names it, and the close with 1008 behind it)."""


class Outgoing:
    """One session's socket, as its writers see it. After its end it drops what is still written."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport,
        faults: Faults,
        on_change: Callable[[], None],
        on_demand: ConnectionFaults | None = None,
        *,
        dialect: DialectName = "voice_live",
    ) -> None:
        self._socket = socket
        self._transport = transport
        self._faults = faults
        self._on_change = on_change
        self._dialect = dialect
        self.on_demand = on_demand or ConnectionFaults()
        """The faults on demand of this connection."""
        self._counts: Counter[str] = Counter()
        self.sent: list[Record] = []
        self.over = False
        """Nothing more goes out."""
        self.frozen = False
        self.ending: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        """Set to a close code and reason when this side wants to end."""

    async def emit(self, event_type: str, **fields: Any) -> None:
        """Send one event, and record it."""
        await self._send({"event_id": event_id(), "type": event_type, **fields})

    async def emit_audio(self, size: int, **fields: Any) -> None:
        """Send one ``response.audio.delta``; the record keeps ``bytes``, not the audio."""
        event = {"event_id": event_id(), "type": "response.audio.delta", **fields}
        await self._send(event, {**event, "delta": None, "bytes": size})

    async def _send(self, event: Event, kept: Event | None = None) -> None:
        if self.over:
            return
        for spoken in (event,) if self._dialect == "voice_live" else in_ga(event):
            await self.raw(_encode(spoken))
            record = spoken if kept is None else {**kept, "type": spoken["type"]}
            self.sent.append(Record(asyncio.get_running_loop().time(), record))
        self._on_change()
        if self._faults.send or self._faults.cut is not None:
            await self._fault_behind(str(event["type"]))
        if self.on_demand.follows_events:
            for fault in self.on_demand.after(str(event["type"]), asyncio.get_running_loop().time()):
                await strike(self, fault)

    async def raw(self, frame: bytes | str) -> None:
        """Send one text frame as it stands, JSON or not."""
        if self.over:
            return
        try:
            async with asyncio.timeout(self._faults.unread_s):
                await self._socket.send_frame(frame.encode() if isinstance(frame, str) else frame, WSMsgType.TEXT)
        except TimeoutError:
            await self._overflow()
        except ConnectionError:
            self.over = True  # the client went while this was on its way

    async def _overflow(self) -> None:
        """End the session of a client that does not read: an error, then a close with 1008."""
        if self.over:
            return
        error = Rejected("The session's output was not read in time.", code=OVERFLOW).error(None)
        event = {"event_id": event_id(), "type": "error", "error": error}
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(0):  # written at once; what takes longer is the client's reading
                await self._socket.send_frame(_encode(event), WSMsgType.TEXT)
        self.sent.append(Record(asyncio.get_running_loop().time(), event))
        self.cut("close", 1008, OVERFLOW)
        self._on_change()

    async def pong(self, payload: bytes) -> None:
        """Answer a ping, unless not answering is the fault."""
        if self._faults.pong and not self.over:
            try:
                await self._socket.pong(payload)
            except ConnectionError:
                self.over = True

    async def _fault_behind(self, event_type: str) -> None:
        self._counts[event_type] += 1
        count = self._counts[event_type]
        for extra in self._faults.send:
            if (extra.at, extra.nth) == (event_type, count):
                await self._send_extra(extra)
        cut = self._faults.cut
        if cut is not None and (cut.at, cut.nth) == (event_type, count):
            self.cut(cut.how, cut.code, cut.reason)

    async def _send_extra(self, extra: Extra) -> None:
        if extra.raw is not None:
            await self.raw(extra.raw)
            return
        event = {"event_id": event_id(), **(extra.event or {})}
        padding = {"padding": "x" * extra.padding_bytes} if extra.padding_bytes else {}
        await self.raw(_encode({**event, **padding}))
        self.sent.append(Record(asyncio.get_running_loop().time(), event))

    async def abandoned(self) -> None:
        """Drop a frozen connection once the client has closed it."""
        await until_closed_by_peer(self._transport)
        self._transport.abort()

    def cut(self, how: str, code: int, reason: str) -> None:
        """End the connection: ``close`` with code and reason, ``reset``, or ``freeze``."""
        if self.over:
            return
        self.over = True
        match how:
            case "close":
                self.ending.set_result((code, reason))
            case "reset":
                reset(self._transport)
            case "freeze":
                self.frozen = True
                self._transport.pause_reading()


def reset(transport: asyncio.Transport) -> None:
    """End a TCP connection with RST instead of FIN."""
    connection: socket.socket = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
