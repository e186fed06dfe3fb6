"""Frames of a client, which must be masked."""

import random
from typing import cast

import pytest
from aiohttp import WebSocketError
from aiohttp.http_websocket import WebSocketReader

from gateway.masked_frames import MaskedFrames

SIZES = [0, 1, 2, 125, 126, 200, 65_535, 65_536, 70_000]


class Reader:
    """Keeps what it is fed."""

    def __init__(self) -> None:
        self.fed = bytearray()
        self.is_over = False

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Keep it."""
        self.fed += data
        return False, b""

    def feed_eof(self) -> None:
        """It is over."""
        self.is_over = True


def frame(size: int, *, masked: bool = True, opcode: int = 1) -> bytes:
    """A frame of that length, whose payload looks like the heads of frames without a mask."""
    bit = 0x80 if masked else 0
    if size < 126:
        head = bytes([0x80 | opcode, bit | size])
    elif size < 65_536:
        head = bytes([0x80 | opcode, bit | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([0x80 | opcode, bit | 127]) + size.to_bytes(8, "big")
    return head + (b"\x81\x01\x81\x01" if masked else b"") + (b"\x81\x01" * size)[:size]


def fed(pieces: list[bytes]) -> tuple[bytes, list[WebSocketError]]:
    """What reaches the reader, and what is refused."""
    reader = Reader()
    refused: list[WebSocketError] = []
    frames = MaskedFrames(cast(WebSocketReader, reader), refused.append)
    for piece in pieces:
        frames.feed_data(piece)
    return bytes(reader.fed), refused


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("step", [1, 2, 3, 7, 100, 1_000_000])
def test_masked_frames_are_handed_on(size: int, step: int) -> None:
    """However they are cut and whatever they hold."""
    if size > 1000 and step < 100:
        step = 997
    data = frame(size) + frame(3, opcode=9) + frame(size)
    pieces = [data[at : at + step] for at in range(0, len(data), step)]
    assert fed(pieces) == (data, [])
    assert fed([frame(size), frame(size)]) == (frame(size) * 2, [])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("before", [b"", frame(5), frame(200), frame(5)[:3]])
def test_a_frame_that_is_not_masked_is_refused(size: int, before: bytes) -> None:
    """The first or a later one, of any length: 1002, once, and nothing more is read."""
    rest = frame(5)[3:] if before == frame(5)[:3] else b""
    _, refused = fed([before, rest + frame(size, masked=False), frame(5), frame(5, masked=False)])
    assert [error.code for error in refused] == [1002]


@pytest.mark.parametrize("seed", range(50))
def test_any_cut_finds_the_same(seed: int) -> None:
    """The one frame without a mask among many, whatever the pieces; none where there is none."""
    chance = random.Random(seed)
    frames = [frame(chance.choice([0, 1, 50, 125, 126, 300]), opcode=chance.choice([1, 2, 9, 10])) for _ in range(20)]
    for spoilt in (False, True):
        if spoilt:
            frames[chance.randrange(20)] = frame(10, masked=False)
        data, pieces = b"".join(frames), []
        while data:
            size = chance.randint(1, 400)
            pieces.append(data[:size])
            data = data[size:]
        assert len(fed(pieces)[1]) == spoilt


def test_the_end_is_handed_on() -> None:
    """A connection that ended has nobody to be refused."""
    reader = Reader()
    MaskedFrames(cast(WebSocketReader, reader), lambda error: None).feed_eof()
    assert reader.is_over
