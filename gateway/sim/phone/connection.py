"""The connection of a simulated phone: opened, read or not, reset, or left open by a phone that is gone."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Sequence

import aiohttp

from gateway.errors import GatewayError
from gateway.sim.abandoned import until_closed_by_peer
from gateway.sim.phone.connecting import reaching
from gateway.sim.phone.wire import Message, StreamOpening


class Connection:
    """The connection of one stream."""

    def __init__(self, stream: aiohttp.ClientWebSocketResponse) -> None:
        self._stream = stream
        self._is_read = True

    @property
    def _transport(self) -> asyncio.Transport | None:
        """The transport; aiohttp shows it only through its response."""
        connection = self._stream._response.connection  # noqa: SLF001 -- there is no other way to it
        return connection.transport if connection is not None else None

    def read(self, *, on: bool) -> None:
        """Read what comes, or leave it in the kernel's buffers until the gateway can send no more."""
        transport = self._transport
        if on != self._is_read and transport is not None and not transport.is_closing():
            self._is_read = on
            (transport.resume_reading if on else transport.pause_reading)()

    async def send(self, messages: Sequence[Message]) -> None:
        """Send messages; a gateway that has gone is learned of by reading."""
        with contextlib.suppress(ConnectionError):
            for message in messages:
                if isinstance(message, str):
                    await self._stream.send_str(message)
                else:
                    await self._stream.send_bytes(message)

    def reset(self) -> None:
        """End the connection with RST instead of FIN."""
        if (transport := self._transport) is not None:
            connection: socket.socket = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()

    async def abandon(self) -> None:
        """Neither read nor close, as a phone without a network; return once the gateway has closed its end."""
        self.read(on=False)
        if (transport := self._transport) is not None:
            await until_closed_by_peer(transport)
            transport.abort()


async def open_stream(
    session: aiohttp.ClientSession, opening: StreamOpening, timeout_s: float
) -> aiohttp.ClientWebSocketResponse:
    """Open the stream; ``GatewayError`` where it cannot be opened."""
    with reaching(opening.url, "the stream", timeout_s):
        async with asyncio.timeout(timeout_s):
            socket = await session.ws_connect(
                opening.url,
                headers=opening.headers,
                protocols=opening.subprotocols,
                timeout=aiohttp.ClientWSTimeout(ws_close=5.0),
                autoping=False,
            )
    if opening.subprotocols and socket.protocol not in opening.subprotocols:
        await socket.close()
        expected = " or ".join(opening.subprotocols)
        raise GatewayError(f"the stream {opening.url} was accepted without sub-protocol {expected}")
    return socket
