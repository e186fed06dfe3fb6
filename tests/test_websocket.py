"""A WebSocket of either side, against a plain aiohttp peer that the test drives."""

import asyncio
import gc
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from gateway.errors import OutboxFullError
from gateway.upgrade import accept, connect
from gateway.websocket import WebSocket
from tests.conftest import open_sockets

CLOSE_TIMEOUT_S = 0.1
SIDES = ["server", "client"]
PIECE = "x" * 16_000


@dataclass
class Pair:
    """Both ends of a connection: ``ours`` is the one under test."""

    ours: WebSocket
    peer: "web.WebSocketResponse[Any] | aiohttp.ClientWebSocketResponse[Any]"
    transport: asyncio.Transport
    peer_transport: asyncio.Transport


@asynccontextmanager
async def pair(
    side: str, *, outbox_limit: int = 64 * 1024, max_message: int = 0, heartbeat_s: float = 0.0
) -> AsyncIterator[Pair]:
    """A connection of which ``side`` is ours and the other is aiohttp's. Closed at the end, however it was left."""
    opened: asyncio.Future[tuple[Any, asyncio.Transport]] = asyncio.get_running_loop().create_future()
    done = asyncio.Event()

    async def serve(request: web.Request) -> web.StreamResponse:
        response: web.StreamResponse
        if side == "server":
            response, ours = await accept(
                request, subprotocols=(), max_message=max_message, close_timeout_s=CLOSE_TIMEOUT_S
            )
            ours._limit = outbox_limit
            opened.set_result((ours, ours._transport))
        else:
            response = web.WebSocketResponse(timeout=CLOSE_TIMEOUT_S, compress=False)
            await response.prepare(request)
            assert request.transport is not None
            opened.set_result((response, request.transport))
        await done.wait()
        return response

    app = web.Application()
    app.router.add_get("/", serve)
    async with asyncio.timeout(20), TestServer(app) as service, aiohttp.ClientSession() as http:
        url = str(service.make_url("/"))
        if side == "server":
            peer = await http.ws_connect(url, timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT_S))
            ours, transport = await opened
            peer_transport = peer._response.connection.transport if peer._response.connection else None
            assert isinstance(peer_transport, asyncio.Transport)
            both = Pair(ours, peer, transport, peer_transport)
        else:
            ours = await connect(
                http, url, {}, max_message=max_message, close_timeout_s=CLOSE_TIMEOUT_S, heartbeat_s=heartbeat_s
            )
            ours._limit = outbox_limit
            server, peer_transport = await opened
            both = Pair(ours, server, ours._transport, peer_transport)
        try:
            yield both
        finally:
            both.peer_transport.abort()
            both.transport.abort()
            await both.ours.close()
            done.set()


def fill(ours: WebSocket) -> int:
    """Send until the outbox is full; returns how many messages were taken."""
    for count in range(10_000):
        try:
            ours.send(PIECE)
        except OutboxFullError:
            return count
    raise AssertionError("160 MB were taken")


@pytest.mark.parametrize("side", SIDES)
async def test_a_message_is_written_through(side: str) -> None:
    """A send hands its message to the system at once: no task, no turn of the loop, nothing left in a buffer."""
    async with pair(side) as both:
        tasks = asyncio.all_tasks()
        both.ours.send("text")
        both.ours.send(b"binary")
        assert both.transport.get_write_buffer_size() == 0
        assert asyncio.all_tasks() == tasks
        assert await both.peer.receive_str() == "text"
        assert await both.peer.receive_bytes() == b"binary"


@pytest.mark.parametrize("side", SIDES)
async def test_messages_are_received_until_the_close(side: str) -> None:
    """Text as ``str``, binary as ``bytes``, ``None`` at the end, with the code that the peer gave."""
    async with pair(side) as both:
        await both.peer.send_str("a")
        await both.peer.send_bytes(b"b")
        await both.peer.close(code=4001)
        assert [await both.ours.receive() for _ in range(3)] == ["a", b"b", None]
        assert both.ours.close_code == 4001
        assert both.ours.failure == ""


@pytest.mark.parametrize("side", SIDES)
async def test_a_peer_that_does_not_read_fills_the_outbox(side: str) -> None:
    """What it owes is bounded: the limit, and 64 KiB each before the transport and aiohttp notice."""
    async with pair(side, outbox_limit=64 * 1024) as both:
        fill(both.ours)
        held = both.transport.get_write_buffer_size()
        assert 64 * 1024 < held < 3 * 64 * 1024 + 2 * len(PIECE)
        with pytest.raises(OutboxFullError, match=r"has not read \d+ bytes"):
            both.ours.send("one more")


@pytest.mark.parametrize("side", SIDES)
async def test_a_peer_that_reads_again_has_missed_nothing(side: str) -> None:
    """A peer that was slow for a while, within the limit, gets every message, and the outbox is empty again."""
    async with pair(side, outbox_limit=256 * 1024) as both:
        sent = 0
        while both.transport.get_write_buffer_size() < 128 * 1024:
            both.ours.send(f"{sent} {PIECE}")
            sent += 1
        for number in range(sent):
            assert (await both.peer.receive_str()).startswith(f"{number} ")
        both.ours.send("after")
        assert await both.peer.receive_str() == "after"
        assert fill(both.ours) * len(PIECE) > 256 * 1024


@pytest.mark.parametrize("side", SIDES)
async def test_closing_does_not_wait_for_a_peer_that_does_not_read(side: str) -> None:
    """Unsent bytes are dropped with the socket; a transport alone would hold both until the last of them is gone."""
    async with pair(side) as both:
        fill(both.ours)
        async with asyncio.timeout(1):
            await both.ours.close()
        await gone(both.transport)


@pytest.mark.parametrize("side", SIDES)
async def test_closing_does_not_wait_for_an_answer_for_ever(side: str) -> None:
    """A peer that leaves the close unanswered is given the close time-out and no more."""
    async with pair(side) as both:
        both.peer_transport.pause_reading()
        async with asyncio.timeout(CLOSE_TIMEOUT_S + 2):
            await both.ours.close(1001, "going away")
        await gone(both.transport)


@pytest.mark.parametrize("side", SIDES)
async def test_a_close_in_order(side: str) -> None:
    """The peer sees code and reason; a reason that is too long is cut to what a close frame holds; twice is fine."""
    async with pair(side) as both, asyncio.TaskGroup() as group:
        closing = group.create_task(both.peer.receive())
        await both.ours.close(1013, "ü" * 100)
        await both.ours.close()
        message = closing.result() if closing.done() else await closing
        assert (message.type, message.data) == (WSMsgType.CLOSE, 1013)
        assert (message.extra or "").startswith("ü" * 60)
        await gone(both.transport)


@pytest.mark.parametrize("side", SIDES)
async def test_a_closed_socket_takes_nothing(side: str) -> None:
    """Sending to a connection that is gone is a ``ConnectionError``, which the legs expect."""
    async with pair(side) as both:
        await both.ours.close()
        with pytest.raises(ConnectionError):
            both.ours.send("too late")


@pytest.mark.parametrize("side", SIDES)
async def test_a_connection_that_breaks(side: str) -> None:
    """A reset ends the reading with 1006, also where the outbox is full, and nothing is left to complain about."""
    async with pair(side) as both:
        complaints: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        fill(both.ours)
        reset(both.peer_transport)
        assert await both.ours.receive() is None
        assert both.ours.close_code == 1006
        with pytest.raises(ConnectionError):
            both.ours.send("too late")
        await both.ours.close()
        gc.collect()
        assert complaints == []


@pytest.mark.parametrize("side", SIDES)
async def test_a_message_that_is_too_large(side: str) -> None:
    """The peer is told 1009, our reading ends, and what was wrong can be told."""
    async with pair(side, max_message=1000) as both, asyncio.TaskGroup() as group:
        telling = group.create_task(both.peer.receive())
        await both.peer.send_str("x" * 1001)
        assert await both.ours.receive() is None
        assert (await telling).data == 1009
        assert both.ours.failure == "Message size 1001 exceeds limit 1000"


async def gone(transport: asyncio.Transport) -> None:
    """Return once the transport has let go of its socket, which an abort does in the next turn of the loop."""
    async with asyncio.timeout(1):
        while transport.get_extra_info("socket").fileno() >= 0:  # noqa: ASYNC110 -- a transport tells nobody
            await asyncio.sleep(0)


def reset(transport: asyncio.Transport) -> None:
    """End a TCP connection as a crash would."""
    handle: socket.socket = transport.get_extra_info("socket")
    handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def test_nothing_is_open() -> None:
    """Between tests no socket is left, of either side."""
    assert open_sockets() == 0
