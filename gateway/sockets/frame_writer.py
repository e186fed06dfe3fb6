"""Writes messages to a transport as frames, without waiting. It may be compiled (pyproject.toml)."""

import asyncio
from collections.abc import Sequence
from typing import Final

from gateway.errors import OutboxFullError
from gateway.network.framing import framed

_BINARY: Final = 2


class FrameWriter:
    """The way out of one connection. ``mask_bit`` is that of ``framed``, ``limit`` the bytes that may wait."""

    def __init__(self, transport: asyncio.Transport, mask_bit: int, limit: int) -> None:
        self._transport = transport
        self._mask_bit = mask_bit
        self._limit = limit
        self.is_closed = False
        """Set once a close frame was sent: nothing may follow (RFC 6455 §5.5.1)."""

    def send(self, message: str | bytes, opcode: int = _BINARY) -> None:
        """Write ``message`` through to the transport, as one frame (RFC 6455 §5.2).

        Raises ``ConnectionError`` where the connection is gone and ``OutboxFullError`` where the peer does not read.
        """
        transport = self._transport
        if self.is_closed or transport.is_closing() or transport.get_write_buffer_size() > self._limit:
            raise self._refusal()
        transport.write(framed(message, opcode, self._mask_bit))

    def send_all(self, messages: Sequence[str | bytes]) -> None:
        """Write messages through to the transport in one piece; raise as ``send`` does."""
        transport = self._transport
        if self.is_closed or transport.is_closing() or transport.get_write_buffer_size() > self._limit:
            raise self._refusal()
        transport.write(b"".join([framed(message, _BINARY, self._mask_bit) for message in messages]))

    def _refusal(self) -> ConnectionError | OutboxFullError:
        """Return the error that says why nothing can be written."""
        if self.is_closed or self._transport.is_closing():
            return ConnectionResetError("the WebSocket is closed")
        return OutboxFullError(f"the peer has not read {self._transport.get_write_buffer_size()} bytes")
