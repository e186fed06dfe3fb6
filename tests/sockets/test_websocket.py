"""A WebSocket of either side and of either way, against a plain aiohttp peer that the test drives."""

import asyncio
import gc
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.test_utils import TestServer

from gateway.errors import OutboxFullError
from gateway.sockets import public_upgrade, upgrade
from gateway.sockets.message_socket import MessageSocket
from gateway.sockets.websocket import WebSocket
from tests.conftest import open_sockets

CLOSE_TIMEOUT_S = 0.1
SIDES = ["server", "client"]
BOTH_WAYS = [*SIDES, "public server", "public client"]
"""The fast socket, and the one on public names."""
PIECE = "x" * 16_000


@dataclass
class Pair:
    """Both ends of a connection: ``ours`` is the one under test."""

    ours: Any
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
    way: Any = public_upgrade if side.startswith("public") else upgrade
    is_server = side.endswith("server")

    async def serve(request: web.Request) -> web.StreamResponse:
        response: web.StreamResponse
        transport = request.transport
        assert transport is not None
        if is_server:
            response, ours = await way.accept(
                request, subprotocols=(), max_message=max_message, close_timeout_s=CLOSE_TIMEOUT_S
            )
            opened.set_result((ours, transport))
        else:
            response = web.WebSocketResponse(timeout=CLOSE_TIMEOUT_S, compress=False)
            await response.prepare(request)
            opened.set_result((response, transport))
        await done.wait()
        return response

    app = web.Application()
    app.router.add_get("/", serve)
    async with asyncio.timeout(20), TestServer(app) as service, aiohttp.ClientSession() as http:
        url = str(service.make_url("/"))
        if is_server:
            peer = await http.ws_connect(url, timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT_S))
            ours, transport = await opened
            both = Pair(ours, peer, transport, transport_of(peer))
        else:
            ours = await way.connect(
                http, url, {}, max_message=max_message, close_timeout_s=CLOSE_TIMEOUT_S, heartbeat_s=heartbeat_s
            )
            server, peer_transport = await opened
            transport = ours._transport if isinstance(ours, WebSocket) else transport_of(ours._wire._socket)
            both = Pair(ours, server, transport, peer_transport)
        (ours._writer if isinstance(ours, WebSocket) else ours)._limit = outbox_limit
        try:
            yield both
        finally:
            both.peer_transport.abort()
            both.transport.abort()
            await both.ours.close()
            done.set()


def transport_of(peer: "aiohttp.ClientWebSocketResponse[Any]") -> asyncio.Transport:
    """The transport of a client's connection."""
    transport = peer._response.connection.transport if peer._response.connection else None
    assert transport is not None
    return transport


def unsent(both: Pair) -> int:
    """Bytes that wait for the peer to read."""
    return both.transport.get_write_buffer_size() + int(getattr(both.ours, "_unsent", 0))


def fill(ours: MessageSocket) -> int:
    """Send until the outbox is full; returns how many messages were taken."""
    for count in range(10_000):
        try:
            ours.send(PIECE)
        except OutboxFullError:
            return count
    raise AssertionError("160 MB were taken")


@pytest.fixture(scope="module", autouse=True)
def sockets_before() -> int:
    """The sockets that were open before the first test."""
    return open_sockets()


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


@pytest.mark.parametrize("side", BOTH_WAYS)
async def test_messages_that_are_sent_together_arrive_one_by_one(side: str) -> None:
    """Each in a frame of its own, in their order."""
    async with pair(side) as both:
        both.ours.send_all(["one", b"two", "three"])
        assert await both.peer.receive_str() == "one"
        assert await both.peer.receive_bytes() == b"two"
        assert await both.peer.receive_str() == "three"


@pytest.mark.parametrize("side", BOTH_WAYS)
async def test_messages_are_received_until_the_close(side: str) -> None:
    """Text as ``str``, binary as ``bytes``, ``None`` at the end, with the code that the peer gave."""
    async with pair(side) as both:
        await both.peer.send_str("a")
        await both.peer.send_bytes(b"b")
        await both.peer.close(code=4001)
        assert [await both.ours.receive() for _ in range(3)] == ["a", b"b", None]
        assert both.ours.close_code == 4001
        assert both.ours.failure == ""


@pytest.mark.parametrize("side", BOTH_WAYS)
async def test_a_peer_that_does_not_read_fills_the_outbox(side: str) -> None:
    """The backlog is bounded: by the limit, and 64 KiB each before the transport and aiohttp notice."""
    async with pair(side, outbox_limit=64 * 1024) as both:
        fill(both.ours)
        held = unsent(both)
        assert 64 * 1024 < held < 3 * 64 * 1024 + 2 * len(PIECE)
        with pytest.raises(OutboxFullError, match=r"has not read \d+ bytes"):
            both.ours.send("one more")
        with pytest.raises(OutboxFullError, match=r"has not read \d+ bytes"):
            both.ours.send_all(["one more", "and another"])


@pytest.mark.parametrize("side", BOTH_WAYS)
async def test_a_peer_that_reads_again_has_missed_nothing(side: str) -> None:
    """A peer that was slow for a while, within the limit, gets every message, and the outbox is empty again."""
    async with pair(side, outbox_limit=256 * 1024) as both:
        sent = 0
        while unsent(both) < 128 * 1024:
            both.ours.send(f"{sent} {PIECE}")
            sent += 1
        for number in range(sent):
            assert (await both.peer.receive_str()).startswith(f"{number} ")
        both.ours.send("after")
        assert await both.peer.receive_str() == "after"
        assert fill(both.ours) * len(PIECE) > 256 * 1024


@pytest.mark.parametrize("side", BOTH_WAYS)
async def test_closing_does_not_wait_for_a_peer_that_does_not_read(side: str) -> None:
    """Unsent bytes are dropped with the socket; a transport alone would hold both until the last of them is gone."""
    async with pair(side) as both:
        fill(both.ours)
        both.ours._close_timeout_s = 3600
        await both.ours.close()
        await gone(both.transport)


@pytest.mark.parametrize("side", BOTH_WAYS)
async def test_closing_does_not_wait_for_an_answer_for_ever(side: str) -> None:
    """A peer that leaves the close unanswered is given the close time-out and no more."""
    async with pair(side) as both:
        both.peer_transport.pause_reading()
        async with asyncio.timeout(CLOSE_TIMEOUT_S + 2):
            await both.ours.close(1001, "going away")
        await gone(both.transport)


@pytest.mark.parametrize("side", BOTH_WAYS)
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


@pytest.mark.parametrize("side", BOTH_WAYS)
async def test_a_closed_socket_takes_nothing(side: str) -> None:
    """Sending to a connection that is gone is a ``ConnectionError``, which the legs expect."""
    async with pair(side) as both:
        await both.ours.close()
        with pytest.raises(ConnectionError):
            both.ours.send("too late")


@pytest.mark.parametrize("side", BOTH_WAYS)
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


@pytest.mark.parametrize("side", BOTH_WAYS)
async def test_a_peer_that_closes_its_half_of_the_connection(side: str) -> None:
    """What it wrote before is received; then the socket is over, as without a close frame (1006)."""
    async with pair(side) as both:
        await both.peer.send_str("last words")
        both.peer_transport.write_eof()
        assert await both.ours.receive() == "last words"
        assert await both.ours.receive() is None
        assert both.ours.close_code == 1006


@pytest.mark.parametrize("side", BOTH_WAYS)
async def test_a_message_that_is_too_large(side: str) -> None:
    """The peer is told 1009, our reading ends, and what was wrong can be told."""
    async with pair(side, max_message=1000) as both, asyncio.TaskGroup() as group:
        telling = group.create_task(both.peer.receive())
        await both.peer.send_str("x" * 1001)
        assert await both.ours.receive() is None
        assert (await telling).data == 1009
        assert both.ours.failure == "Message size 1001 exceeds limit 1000"


# Messages as they arrive


def frame(payload: bytes, first: int = 0x81, *, masked: bool = True) -> bytes:
    """A small frame as a peer may write it (RFC 6455 §5.2); the first byte has the final bit and the opcode."""
    key = b"\x01\x02\x03\x04"
    if not masked:
        return bytes((first, len(payload))) + payload
    return bytes((first, 0x80 | len(payload))) + key + bytes(b ^ key[i % 4] for i, b in enumerate(payload))


@pytest.mark.parametrize("side", SIDES)
async def test_a_message_is_handed_on_within_the_turn_that_reads_it(side: str) -> None:
    """No task runs in between: when the transport's bytes have been dealt with, so have the messages in them."""
    told: list[str | bytes] = []

    def take(message: str | bytes) -> bool:
        told.append(message)
        return True

    async with pair(side) as both, asyncio.TaskGroup() as group:
        handing = group.create_task(both.ours.hand_to(take))
        await asyncio.sleep(0)
        both.ours.parser.feed_data(frame(b"a") + frame(b"b", 0x82) + frame(b"c")[:3])
        assert told == ["a", b"b"]
        both.ours.parser.feed_data(frame(b"c")[3:])
        assert told == ["a", b"b", "c"]
        await both.peer.close()
        await handing


@pytest.mark.parametrize("side", BOTH_WAYS)
async def test_messages_are_handed_on_with_the_context_of_their_taker(side: str) -> None:
    """A line of the log that is written over a message is bound to the call that awaits the messages."""
    call = ContextVar("call", default="")
    told: list[str] = []

    def take(_: str | bytes) -> bool:
        told.append(call.get())
        return False

    async def follow(both: Pair) -> None:
        call.set("CA1")
        await both.ours.hand_to(take)

    async with pair(side) as both, asyncio.TaskGroup() as group:
        following = group.create_task(follow(both))
        await asyncio.sleep(0)
        await both.peer.send_str("a")
        await following
    assert told == ["CA1"]


@pytest.mark.parametrize("side", BOTH_WAYS)
async def test_messages_are_handed_on_until_the_close(side: str) -> None:
    """Those that came before anybody took them come first, each once and in order; the close ends it."""
    told: list[str | bytes] = []

    def take(message: str | bytes) -> bool:
        told.append(message)
        return len(told) != 4

    async with pair(side) as both:
        for number in range(8):
            await both.peer.send_str(f"{number}")
        assert await both.ours.receive() == "0"
        await both.ours.hand_to(take)
        assert told == ["1", "2", "3", "4"]
        assert await both.ours.receive() == "5"
        await both.peer.close(code=4001)
        await both.ours.hand_to(take)
        assert told == ["1", "2", "3", "4", "6", "7"]
        assert both.ours.close_code == 4001
        await both.ours.hand_to(take)
        assert await both.ours.receive() is None


@pytest.mark.parametrize("side", BOTH_WAYS)
async def test_what_a_taker_raises_is_raised_to_its_caller(side: str) -> None:
    """A bug ends the handing over where it is awaited, not in the transport; the connection still closes in order."""

    def take(message: str | bytes) -> bool:
        raise ZeroDivisionError(message)

    async with pair(side) as both, asyncio.TaskGroup() as group:
        complaints: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        await both.peer.send_str("a")
        await both.peer.send_str("b")
        with pytest.raises(ZeroDivisionError, match="a"):
            await both.ours.hand_to(take)
        closing = group.create_task(both.peer.receive())
        await both.ours.close(1011)
        assert (await closing).data == 1011
        assert complaints == []


@pytest.mark.parametrize("side", BOTH_WAYS)
async def test_pings_and_pongs_are_signs_of_life(side: str) -> None:
    """Whoever takes messages is told of both; ours is answered by the peer."""
    told: list[str] = []

    def take(message: str | bytes) -> bool:
        told.append(str(message))
        return len(told) < 4

    async with pair(side) as both, asyncio.TaskGroup() as group:
        reading = group.create_task(both.peer.receive())
        await both.peer.ping()
        await both.peer.send_str("a")
        handing = group.create_task(both.ours.hand_to(take, lambda: told.append("alive")))
        await asyncio.sleep(0)
        both.ours.ping()
        while told.count("alive") < 2:  # noqa: ASYNC110 -- the wire has no event for it
            await asyncio.sleep(0.001)
        await both.peer.send_str("b")
        await handing
        await both.ours.close()
        await reading
    assert told == ["alive", "a", "alive", "b"]


@pytest.mark.parametrize("side", BOTH_WAYS)
async def test_what_nobody_takes_is_bounded(side: str) -> None:
    """A peer that sends on while nobody takes its messages has to wait, and nothing of it is lost; and so once more."""
    async with pair(side) as both, asyncio.TaskGroup() as group:
        count = 800

        async def tell() -> None:
            for number in range(count):
                await both.peer.send_str(f"{number} {PIECE}")

        for _ in range(2):
            telling = group.create_task(tell())
            while not both.ours._inlet._is_paused:  # noqa: ASYNC110 -- a socket tells nobody
                await asyncio.sleep(0)
            held = both.ours._inlet._unread_size
            for _ in range(50):
                await asyncio.sleep(0)
            assert both.ours._inlet._unread_size == held < 1024 * 1024
            assert not telling.done()
            for number in range(count):
                assert str(await both.ours.receive()).startswith(f"{number} ")
            assert both.ours._inlet._unread_size == 0, "all the room is there again"


async def test_two_readers_are_a_bug() -> None:
    """Each would get half of the messages."""
    async with pair("server") as both, asyncio.TaskGroup() as group:
        first = group.create_task(both.ours.receive())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="awaited twice"):
            await both.ours.receive()
        await both.peer.send_str("a")
        assert await first == "a"


# Frames


@pytest.mark.parametrize("side", BOTH_WAYS)
async def test_every_size_of_frame(side: str) -> None:
    """A length is written in one, three or nine bytes; each limit is met from both sides."""
    async with pair(side, outbox_limit=10**6) as both:
        for size in (0, 1, 125, 126, 127, 65535, 65536, 70000):
            message = ("ü" + "x" * size)[: size or None] if size else ""
            both.ours.send(message)
            assert await both.peer.receive_str() == message
            both.ours.send(bytes(size))
            assert await both.peer.receive_bytes() == bytes(size)
            await both.peer.send_bytes(bytes(size))
            assert await both.ours.receive() == bytes(size)


@pytest.mark.parametrize("side", SIDES)
async def test_only_a_client_masks_and_never_twice_alike(side: str) -> None:
    """RFC 6455 §5.3: a client takes a new key for each frame; a server must not mask."""
    written: list[bytes] = []

    class Transport(asyncio.Transport):
        def write(self, data: bytes | bytearray | memoryview) -> None:
            written.append(bytes(data))

        def is_closing(self) -> bool:
            return False

        def get_write_buffer_size(self) -> int:
            return 0

    ours = WebSocket(BaseProtocol(asyncio.get_running_loop()), Transport(), is_client=side == "client")
    for _ in range(20):
        ours.send("same")
    if side == "server":
        assert set(written) == {b"\x81\x04same"}
    else:
        assert all(one[1] == 0x84 for one in written)
        assert len({one[2:6] for one in written}) > 15


@pytest.mark.parametrize("side", BOTH_WAYS)
async def test_control_frames_between_the_parts_of_a_message(side: str) -> None:
    """A message in parts is one; a ping is answered at once with its own payload, a pong costs nothing."""
    async with pair(side) as both, asyncio.TaskGroup() as group:
        parts = frame(b"one ", 0x01) + frame(b"?", 0x89) + frame(b"", 0x8A) + frame(b"message", 0x80)
        both.peer._autoping = False
        answer = group.create_task(both.peer.receive())
        both.peer_transport.write(parts)
        assert await both.ours.receive() == "one message"
        assert ((await answer).type, (await answer).data) == (WSMsgType.PONG, b"?")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(b"\xff\xfe"), 1007),
        (frame(b"x", 0xC1), 1002),
        (frame(b"x", 0x83), 1002),
        (frame(b"x", 0x80), 1002),
        (frame(b"x", 0x09), 1002),
        (frame(b"\x03\xed", 0x88), 1002),
        (frame(b"\x03", 0x88), 1002),
    ],
    ids=[
        "bad UTF-8",
        "reserved bit",
        "unknown kind",
        "nothing to continue",
        "ping in parts",
        "code 1005",
        "half a code",
    ],
)
@pytest.mark.parametrize("side", BOTH_WAYS)
async def test_a_peer_that_breaks_the_rules(side: str, data: bytes, code: int) -> None:
    """It is told which kind of rule, and nothing that it sends after that is looked at."""
    async with pair(side) as both, asyncio.TaskGroup() as group:
        telling = group.create_task(both.peer.receive())
        both.peer_transport.write(data + frame(b"and more"))
        assert await both.ours.receive() is None
        assert (await telling).data == code
        assert both.ours.close_code == code
        assert both.ours.failure
        with pytest.raises(ConnectionError):
            both.ours.send("too late")


@pytest.mark.parametrize("side", BOTH_WAYS)
async def test_a_close_without_a_code(side: str) -> None:
    """It is answered, and told as 1005."""
    async with pair(side) as both, asyncio.TaskGroup() as group:
        answer = group.create_task(both.peer.receive())
        both.peer_transport.write(frame(b"", 0x88))
        assert await both.ours.receive() is None
        assert both.ours.close_code == 1005
        assert (await answer).type is WSMsgType.CLOSE


@pytest.mark.parametrize("side", SIDES)
async def test_nothing_comes_after_our_own_close(side: str) -> None:
    """Whoever takes the messages is let go at once, and what the peer had on its way is dropped."""
    told: list[str | bytes] = []

    def take(message: str | bytes) -> bool:
        told.append(message)
        return True

    async with pair(side) as both, asyncio.TaskGroup() as group:
        handing = group.create_task(both.ours.hand_to(take))
        await asyncio.sleep(0)
        both.peer_transport.pause_reading()
        closing = group.create_task(both.ours.close())
        await handing
        both.ours.parser.feed_data(frame(b"late"))
        assert told == []
        assert not closing.done()


# Signs of life


async def test_a_silent_peer_is_asked_and_stays_if_it_answers() -> None:
    """A ping goes out after a heartbeat's silence; its pong is a sign of life, and the next silence counts from it."""
    async with pair("client", heartbeat_s=60.0) as both:
        both.peer._autoping = False
        both.ours._listen()
        both.ours._life_at -= 61.0
        silent_since = both.ours._life_at
        both.ours._listen()
        asked_at = asyncio.get_running_loop().time()
        message = await both.peer.receive()
        assert message.type is WSMsgType.PING
        await both.peer.pong(message.data)
        await both.peer.send_str("and a word")
        assert await both.ours.receive() == "and a word"
        assert both.ours._life_at > silent_since + 60
        both.ours._give_up(asked_at)
        assert both.ours.close_code is None
        both.ours._give_up(asked_at + 3600)
        assert both.ours.close_code == 1006


@pytest.mark.parametrize("side", ["client", "public client"])
async def test_a_peer_that_gives_no_sign_of_life_is_lost(side: str) -> None:
    """After half a heartbeat without an answer the connection is dropped, and the reason is told."""
    async with pair(side, heartbeat_s=0.05) as both:
        both.peer_transport.pause_reading()
        assert await both.ours.receive() is None
        assert both.ours.close_code == 1006
        assert both.ours.failure.startswith("no answer to a ping")
        await gone(both.transport)


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


def test_nothing_is_open(sockets_before: int) -> None:
    """Between tests no socket is left, of either side; those of other tests may last."""
    assert open_sockets() == sockets_before
