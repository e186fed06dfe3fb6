"""Frames of a client, which must be masked."""

import asyncio
import random
from typing import cast

import pytest
from aiohttp import WebSocketError, WSMessage
from aiohttp._websocket.helpers import websocket_mask
from aiohttp._websocket.reader import WebSocketDataQueue
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_websocket import WebSocketReader, WSMessageTextBytes

from gateway.network.masked_frames import MaskedFrames

KEY = b"\x81\x01\x81\x01"
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

    def deliver(self, message: str | bytes) -> None:
        """Keep the frame that the message was read from."""
        payload = bytearray(message.encode() if isinstance(message, str) else message)
        websocket_mask(KEY, payload)
        self.fed += head(len(payload), 1 if isinstance(message, str) else 2) + KEY + payload

    def feed_eof(self) -> None:
        """It is over."""
        self.is_over = True


def head(size: int, opcode: int, bit: int = 0x80) -> bytes:
    """What a frame of that length begins with, up to its mask."""
    if size < 126:
        return bytes([0x80 | opcode, bit | size])
    if size < 65_536:
        return bytes([0x80 | opcode, bit | 126]) + size.to_bytes(2, "big")
    return bytes([0x80 | opcode, bit | 127]) + size.to_bytes(8, "big")


def frame(size: int, *, masked: bool = True, opcode: int = 1) -> bytes:
    """A frame of that length, whose payload looks like the heads of frames without a mask."""
    looks = (b"\x81\x01" * size)[:size]
    return head(size, opcode) + KEY + looks if masked else head(size, opcode, 0) + looks


def fed(pieces: list[bytes]) -> tuple[bytes, list[WebSocketError]]:
    """What reaches the reader, and what is refused."""
    reader = Reader()
    refused: list[WebSocketError] = []
    frames = MaskedFrames(cast(WebSocketReader, reader), reader.deliver, refused.append, 0)
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


class Noted(Reader):
    """Notes who reads each piece, in turn: ``w`` for us, ``a`` for aiohttp."""

    def __init__(self) -> None:
        super().__init__()
        self.readers = ""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Note aiohttp."""
        self.readers += "a"
        return super().feed_data(data)

    def deliver(self, message: str | bytes) -> None:
        """Note us."""
        self.readers += "w"
        super().deliver(message)


def read_here(*pieces: bytes) -> str:
    """Who reads each piece."""
    reader = Noted()
    frames = MaskedFrames(cast(WebSocketReader, reader), reader.deliver, lambda _: None, 0)
    for piece in pieces:
        frames.feed_data(piece)
    return reader.readers


def part(first: int, size: int) -> bytes:
    """A frame whose first byte is ``first``: a part of a message."""
    return bytes([first]) + frame(size)[1:]


AUDIO, MARK, PING = frame(300), frame(112), frame(2, opcode=9)


@pytest.mark.parametrize(
    ("pieces", "readers"),
    [
        pytest.param((AUDIO, MARK, AUDIO, frame(301)), "wwww", id="audio-and-marks"),
        pytest.param((frame(300, opcode=2), AUDIO), "ww", id="both-kinds"),
        pytest.param((AUDIO + MARK, AUDIO + AUDIO + AUDIO), "wwwww", id="several-at-once"),
        pytest.param((AUDIO + AUDIO[:200], AUDIO[200:] + MARK, MARK), "waaw", id="the-last-of-two-in-two-pieces"),
        pytest.param((AUDIO[:200], AUDIO[200:], AUDIO), "aaw", id="audio-in-two-pieces"),
        pytest.param((PING, AUDIO, MARK + PING, AUDIO), "awwaw", id="pings-between"),
        pytest.param((PING + AUDIO, AUDIO), "aw", id="audio-behind-a-ping"),
        pytest.param((part(1, 112), part(0, 112), PING, part(0x80, 112), AUDIO), "aaaaw", id="a-message-in-parts"),
        pytest.param((MARK, part(1, 112) + part(0x80, 112), AUDIO), "waw", id="all-parts-at-once"),
        pytest.param((part(1, 112), part(0x80, 112)[:60], part(0x80, 112)[60:], AUDIO), "aaaw", id="a-part-in-pieces"),
        pytest.param((frame(0), frame(125), frame(126), frame(65_535)), "wwww", id="lengths-of-one-and-of-two-bytes"),
        pytest.param((frame(65_536), AUDIO), "aw", id="a-length-of-eight-bytes"),
        pytest.param((AUDIO[:1], AUDIO[1:5], AUDIO[5:7], AUDIO[7:], AUDIO), "aaaaw", id="a-head-in-pieces"),
    ],
)
def test_most_messages_are_read_at_once(pieces: tuple[bytes, ...], readers: str) -> None:
    """Those that are one frame, read whole; aiohttp reads what is not."""
    assert read_here(*pieces) == readers


@pytest.mark.parametrize(("size", "reader"), [(999, "w"), (1000, "a")])
def test_a_message_that_is_too_long_is_for_aiohttp_to_refuse(size: int, reader: str) -> None:
    """It refuses what has its limit or more."""
    noted = Noted()
    frames = MaskedFrames(cast(WebSocketReader, noted), noted.deliver, lambda _: None, 1000)
    frames.feed_data(frame(size))
    assert noted.readers == reader


def test_a_frame_that_is_not_masked_ends_what_was_read_with_it() -> None:
    """The messages before it stand."""
    received, refused = fed([AUDIO + MARK + frame(5, masked=False) + AUDIO])
    assert received == AUDIO + MARK
    assert [error.code for error in refused] == [1002]


def test_the_end_is_handed_on() -> None:
    """A connection that ended has nobody to be refused."""
    reader = Reader()
    MaskedFrames(cast(WebSocketReader, reader), reader.deliver, lambda error: None, 0).feed_eof()
    assert reader.is_over


class Queue(WebSocketDataQueue):
    """Keeps each message, whoever has read it."""

    def __init__(self) -> None:
        super().__init__(BaseProtocol(asyncio.get_running_loop()), 2**16, loop=asyncio.get_running_loop())
        self.messages: list[object] = []
        self.codes: list[int] = []

    def feed_data(self, data: WSMessage | WSMessageTextBytes, size: int) -> None:
        """Keep what aiohttp has read."""
        self.messages.append(data[1])

    def set_exception(self, exc: BaseException, exc_cause: BaseException | None = None) -> None:
        """Keep the code of what is wrong."""
        assert isinstance(exc, WebSocketError)
        self.codes.append(exc.code)


async def read(pieces: list[bytes], *, by_us: bool) -> tuple[list[object], list[int]]:
    """The messages of a stream, and the codes of what broke it; read by aiohttp alone, or by us and it."""
    queue = Queue()
    limit = 10_000
    reader = WebSocketReader(queue, limit, compress=False, decode_text=True)
    frames = MaskedFrames(reader, queue.messages.append, lambda error: None, limit)
    feed = frames.feed_data if by_us else reader.feed_data
    for piece in pieces:
        feed(piece)
        if queue.codes:
            break
    return queue.messages, queue.codes


@pytest.mark.parametrize("seed", range(100))
async def test_messages_are_what_aiohttp_reads(seed: int) -> None:
    """Texts, binary, parts, pings, a text that is no UTF-8 and one that is too long, alike in length or not."""
    chance = random.Random(seed)

    def one() -> bytes:
        kind = chance.choice(["text"] * 8 + ["binary"] * 4 + ["ping", "part", "broken", "long"])
        size = chance.choice([5, 126, 200, 200, 200, 201])
        if kind == "long":
            size = chance.choice([200, 10_001])
        text = (chr(chance.randrange(32, 127)) * (size - 2) + chance.choice(["é", "ab"])).encode()[:size]
        text = text if text.isascii() or len(text.decode(errors="replace").encode()) == size else b"x" * size
        payload = bytearray(b"\xff" * size if kind == "broken" and size == 200 else text)
        key = chance.randbytes(4)
        websocket_mask(key, payload)
        opcode = {"binary": 2, "ping": 9}.get(kind, 1)
        begun = bytearray(head(len(payload), opcode) + key + payload)
        if kind == "ping" and size > 125:
            return head(2, 9) + KEY + b"ab"
        if kind == "part":
            begun[0] &= 0x7F
            return bytes(begun) + head(1, 0) + KEY + b"a"
        return bytes(begun)

    frames = [one() for _ in range(30)]
    pieces = frames
    if chance.random() < 0.5:
        data, pieces = b"".join(frames), []
        while data:
            size = chance.choice([208, 208, 7, 300])
            pieces.append(data[:size])
            data = data[size:]
    assert await read(pieces, by_us=True) == await read(pieces, by_us=False)
