"""A phone without a clock of its own: it sends what its test says, when it says so."""

import asyncio
import base64
import json
import socket
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.e2e.rig import NUMBER

SILENCE = b"\xff" * 160
STREAM = "MZ" + "0" * 32


def media(audio: bytes = SILENCE) -> str:
    """A frame of the caller's audio."""
    return json.dumps({"event": "media", "streamSid": STREAM, "media": {"payload": base64.b64encode(audio).decode()}})


def start(
    call_id: str,
    *,
    to: str = NUMBER,
    from_: str = "+14155550123",
    encoding: str = "audio/x-mulaw",
    rate_hz: int = 8000,
) -> str:
    """The start message; the numbers travel as stream parameters."""
    form = {"encoding": encoding, "sampleRate": rate_hz, "channels": 1}
    parameters = {"from": from_, "to": to} if to else {}
    body = {"callSid": call_id, "streamSid": STREAM, "mediaFormat": form, "customParameters": parameters}
    return json.dumps({"event": "start", "streamSid": STREAM, "start": body})


class BarePhone:
    """One stream."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, call_id: str) -> None:
        self.socket = socket
        self.call_id = call_id

    async def start(self, **how: Any) -> None:
        """Send ``connected`` and ``start``."""
        await self.send('{"event":"connected","protocol":"Call","version":"1.0.0"}', start(self.call_id, **how))

    async def send(self, *messages: str | bytes) -> None:
        """Send messages as they stand."""
        for message in messages:
            if isinstance(message, str):
                await self.socket.send_str(message)
            else:
                await self.socket.send_bytes(message)

    async def next(self, event: str) -> dict[str, Any]:
        """The next message of this kind; ``EOFError`` where the stream ends before."""
        while True:
            message = await self.socket.receive()
            if message.type is not aiohttp.WSMsgType.TEXT:
                raise EOFError(f"closed with {self.socket.close_code}")
            found: dict[str, Any] = json.loads(message.data)
            if found["event"] == event:
                return found

    async def closed(self) -> int | None:
        """Read on until the gateway closes: its close code."""
        while True:
            try:
                await self.next("close")
            except EOFError:
                return self.socket.close_code

    async def hang_up(self, how: str = "stop") -> None:
        """``stop``, then the close; a mere ``close``; or a TCP ``reset``."""
        if how == "reset":
            handle = self.socket.get_extra_info("socket")
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection = self.socket._response.connection
            assert connection is not None
            assert isinstance(connection.transport, asyncio.Transport)
            connection.transport.abort()
            return
        if how == "stop":
            await self.send(json.dumps({"event": "stop", "streamSid": STREAM, "stop": {"callSid": self.call_id}}))
        await self.socket.close()


@asynccontextmanager
async def bare_phone(
    url: str, call_id: str = "CA1", *, answers_close: bool = True, headers: Mapping[str, str] | None = None
) -> AsyncIterator[BarePhone]:
    """A connected stream, before its first message."""
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(
            url, autoclose=answers_close, timeout=aiohttp.ClientWSTimeout(ws_close=1.0), headers=headers
        ) as opened,
    ):
        yield BarePhone(opened, call_id)
