"""Chooses the WebSockets of the gateway: the fast ones where aiohttp's private names are what they were."""

import asyncio
import importlib
import inspect
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from aiohttp import web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.client_proto import ResponseHandler

from gateway.sockets import public_upgrade
from gateway.sockets.message_socket import MessageSocket

Way = Literal["fast", "public"]
"""``fast`` reads and writes by aiohttp's private names, ``public`` by its public ones alone."""

READ_LIMIT_S = 1.0
"""The limit for the messages of the trial, which are there at once where the reader does what it did."""

Accept = Callable[..., Awaitable[tuple[web.StreamResponse, MessageSocket] | None]]
"""Answers an upgrade; see ``gateway.sockets.upgrade.accept``."""


@dataclass(frozen=True)
class Sockets:
    """The way that is taken for media streams, and what answers their upgrades."""

    way: Way
    accept: Accept


def choose_sockets(wanted: Way) -> Sockets:
    """Return what is taken where ``wanted`` is: the public way too where the fast one is not possible."""
    if wanted == "public" or lack_of_aiohttp():
        return Sockets("public", public_upgrade.accept)
    return Sockets("fast", importlib.import_module("gateway.sockets.upgrade").accept)


@cache
def lack_of_aiohttp() -> str:
    """Return how aiohttp's private names differ from what they were; empty where they do not."""
    try:
        private = importlib.import_module("aiohttp._websocket.reader")
        for name in ("WebSocketReader", "WebSocketDataQueue"):
            getattr(private, name)
        _ = importlib.import_module("aiohttp._websocket.helpers").websocket_mask
        importlib.import_module("gateway.sockets.upgrade")
    except (ImportError, AttributeError) as error:
        return str(error)
    try:
        with ThreadPoolExecutor(1) as thread:  # which has an event loop of its own, whatever runs here
            thread.submit(asyncio.run, _try()).result()
    except Exception as error:  # noqa: BLE001 -- whatever a later aiohttp does instead, the other way is taken
        return f"aiohttp's reader differs: {type(error).__name__}: {error}"
    return ""


class _Written(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.data = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.data += data

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        self.data += b"closed"

    def abort(self) -> None:
        self.data += b"aborted"

    def get_write_buffer_size(self) -> int:
        return 0


async def _try() -> None:
    """Read and write as a call does, by the private names, and raise where anything else comes out."""
    fast: Any = importlib.import_module("gateway.sockets.websocket").WebSocket
    frames: Any = importlib.import_module("gateway.network.masked_frames").MaskedFrames
    transport = _Written()
    ours = fast(BaseProtocol(asyncio.get_running_loop()), transport, max_message=1000)
    masked = frames(ours.parser, ours.deliver, ours.failed, 1000)
    audio = b"\x82\xfe\0\xc8" + b"\x01\0\0\0" + b"x" * 200
    for data in (
        audio,
        audio[:100],  # in two pieces it is read by aiohttp
        audio[100:],
        b"\x81\x81\0\0\0\0a",
        b"\x02\x81\x01\x01\x01\x01",
        b"c\x80\x80\0\0\0\0",
        b"\x89\x81\0\0\0\0?",
    ):
        masked.feed_data(data)
    async with asyncio.timeout(READ_LIMIT_S):
        read = [await ours.receive() for _ in range(4)]
    unmasked = b"yxxx" * 50
    _expect("messages", read, [unmasked, unmasked, "a", b"b"])
    _expect("answer to a ping", transport.data, b"\x8a\x01?")
    masked.feed_data(b"\x88\x82\0\0\0\0\x0f\xa1")
    _expect("close code", ours.close_code, 4001)
    _expect("answer to a close", transport.data[3:], b"\x88\x02\x0f\xa1closed")
    client = _Written()
    fast(BaseProtocol(asyncio.get_running_loop()), client, is_client=True).send(b"ab")
    key = client.data[2:6]
    _expect("masked frame", client.data[6:], bytes((ord("a") ^ key[0], ord("b") ^ key[1])))
    for data, code in ((b"\x83\x80\0\0\0\0", 1002), (b"\x81\xe4\0\0\0\0", 1009), (b"", 1006)):
        ours = fast(BaseProtocol(asyncio.get_running_loop()), _Written(), max_message=100, is_client=True)
        if data:
            ours.parser.feed_data(data)
        else:
            ours.parser.feed_eof()
        _expect("close code", ours.close_code, code)
    for protocol, names in ((web.RequestHandler, {"parser"}), (ResponseHandler, {"parser", "payload"})):
        taken = set(inspect.signature(protocol.set_parser).parameters)
        _expect("parameters of set_parser", taken >= {*names, "data_received_cb"}, True)


def _expect(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise ValueError(f"{what}: {found!r}, expected {expected!r}")
