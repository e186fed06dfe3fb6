"""The SDK's connection as the wire of a public socket: its ``recv_bytes``, ``send`` and ``close``."""

import asyncio
from contextlib import suppress

import msgspec
from azure.ai.voicelive import aio as sdk

from gateway.sockets.message_socket import BROKEN, NO_CODE
from gateway.sockets.wire import Ended, Sign

OK = 1000
DROP_TIMEOUT_S = 1.0
"""The limit for closing the SDK's HTTP session, whose connection is gone by then."""


class SdkWire:
    """One connection of the SDK. It answers pings by itself, and keeps the reason in a close frame to itself."""

    def __init__(self, connection: sdk.VoiceLiveConnection) -> None:
        self._connection = connection

    async def receive(self) -> str | bytes | Sign | Ended:
        """Return what comes next; an end is the last."""
        try:
            return await self._connection.recv_bytes()
        except sdk.ConnectionClosed as closed:
            if closed.reason:  # the SDK's own, in place of a close frame; "None" and "Connection closed" say nothing
                says_nothing = closed.code == OK or closed.reason == str(None)
                return Ended(BROKEN, failure="" if says_nothing else str(closed.reason))
            return Ended(closed.code or NO_CODE)
        except (OSError, RuntimeError) as error:
            return Ended(BROKEN, failure=str(error))

    async def send(self, payload: bytes, opcode: int) -> None:
        """Write a message, which is JSON; the SDK takes it as a mapping and writes it as text."""
        try:
            await self._connection.send(msgspec.json.decode(payload))
        except sdk.ConnectionError as error:
            raise ConnectionResetError(str(error)) from None

    async def close(self, code: int, reason: str) -> int:
        """Close in order, and the SDK's HTTP session with it; the peer's close code is not known."""
        await self._connection.close(code=code, reason=reason)
        return NO_CODE

    async def drop(self) -> None:
        """Let go of the connection. The system keeps the bytes that the peer has not read: the SDK cannot abort."""
        for limit_s in (0, DROP_TIMEOUT_S):  # the first ends the connection, the second its HTTP session
            with suppress(TimeoutError):
                async with asyncio.timeout(limit_s):
                    await self._connection.close()
