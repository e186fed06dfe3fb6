"""Frames that are written to a transport, or refused."""

import asyncio

import pytest

from gateway.errors import OutboxFullError
from gateway.sockets.frame_writer import FrameWriter


class Transport(asyncio.Transport):
    """Notes what is written; as much waits as it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.waiting, self.closing = 0, False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closing

    def get_write_buffer_size(self) -> int:
        return self.waiting


def test_a_message_is_written_as_one_frame_and_several_in_one_piece() -> None:
    """Each write is a call of the system."""
    transport = Transport()
    writer = FrameWriter(transport, 0, 100)
    writer.send(b"ab")
    writer.send("ab")
    writer.send(b"ab", 1)
    writer.send_all(["a", b"b"])
    assert transport.written == [b"\x82\x02ab", b"\x81\x02ab", b"\x81\x02ab", b"\x81\x01a\x82\x01b"]


@pytest.mark.parametrize("several", [False, True])
def test_nothing_is_written_to_a_peer_that_is_gone_or_does_not_read(several: bool) -> None:
    """As many bytes as the limit may wait."""
    transport = Transport()
    writer = FrameWriter(transport, 0, 100)

    def send() -> None:
        writer.send_all(["a"]) if several else writer.send("a")

    transport.waiting = 100
    send()
    transport.waiting = 101
    with pytest.raises(OutboxFullError, match="the peer has not read 101 bytes"):
        send()
    transport.closing = True
    with pytest.raises(ConnectionResetError, match="closed"):
        send()
    transport.closing, transport.waiting, writer.is_closed = False, 0, True
    with pytest.raises(ConnectionResetError, match="closed"):
        send()
    assert transport.written == [b"\x81\x01a"]
