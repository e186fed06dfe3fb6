"""What only the public socket has: its two tasks. All else is in test_websocket.py, on each socket."""

import asyncio

import pytest

from gateway.errors import OutboxFullError
from gateway.sockets.public_socket import PublicSocket
from gateway.sockets.wire import Ended, Sign


class Peer:
    """A wire whose peer reads and writes when the test says so."""

    def __init__(self) -> None:
        self.coming: asyncio.Queue[str | bytes | Sign | Ended | Exception] = asyncio.Queue()
        self.sent: list[tuple[bytes, int]] = []
        self.reads = asyncio.Event()
        self.closed: list[tuple[int, str]] = []
        self.drops = 0

    async def receive(self) -> str | bytes | Sign | Ended:
        """Return what comes next."""
        received = await self.coming.get()
        if isinstance(received, Exception):
            raise received
        return received

    async def send(self, payload: bytes, opcode: int) -> None:
        """Note a frame, once the peer reads."""
        await self.reads.wait()
        self.sent.append((payload, opcode))

    async def close(self, code: int, reason: str) -> int:
        """Note the close, and answer it."""
        self.closed.append((code, reason))
        return 4000

    async def drop(self) -> None:
        """Count."""
        self.drops += 1


async def test_what_is_sent_is_written_before_the_close() -> None:
    """The last words of a call are not lost with it, and the peer's close code is known."""
    peer = Peer()
    ours = PublicSocket(peer, close_timeout_s=5)
    ours.send("a")
    ours.send(b"b")
    peer.reads.set()
    await ours.close(1013, "full")
    assert peer.sent == [(b"a", 1), (b"b", 2)]
    assert (peer.closed, ours.close_code, peer.drops) == ([(1013, "full")], 4000, 1)
    await ours.close()
    assert peer.closed == [(1013, "full")]


async def test_a_peer_that_does_not_read_is_not_waited_for() -> None:
    """What it has not read is bounded; the close drops it."""
    peer = Peer()
    ours = PublicSocket(peer, close_timeout_s=3600, outbox_limit=100_000)
    ours.send(b"x" * 100_001)
    with pytest.raises(OutboxFullError, match="has not read 100001 bytes"):
        ours.send(b"x")
    async with asyncio.timeout(5):
        await ours.close()
    assert (peer.closed, peer.drops, ours.close_code) == ([], 1, 1006)


async def test_a_peer_that_never_answers_the_close_is_dropped() -> None:
    """After the close time-out, also where a frame was on its way."""
    peer = Peer()
    ours = PublicSocket(peer, close_timeout_s=0.01)
    ours.send("a")
    await ours.close()
    assert (peer.sent, peer.closed, peer.drops) == ([], [], 1)


async def test_a_peer_s_end_is_answered_and_known_though_nobody_reads() -> None:
    """A session that was opened ahead of its call is seen to be lost."""
    peer = Peer()
    peer.reads.set()
    ours = PublicSocket(peer, close_timeout_s=1)
    peer.coming.put_nowait(Sign(b"?", is_ping=True))
    peer.coming.put_nowait(Ended(4002, "over"))
    async with asyncio.timeout(5):
        while not peer.closed:  # noqa: ASYNC110 -- a socket tells nobody
            await asyncio.sleep(0)
    assert (ours.close_code, ours.close_reason, peer.closed) == (4002, "over", [(4002, "")])
    assert peer.sent == [(b"?", 10)]
    assert await ours.receive() is None
    with pytest.raises(ConnectionError):
        ours.send("too late")
    await ours.close()


async def test_a_bug_of_the_reading_is_raised_to_the_reader() -> None:
    """It would hang for ever else."""
    peer = Peer()
    ours = PublicSocket(peer, close_timeout_s=1)
    peer.coming.put_nowait(ZeroDivisionError("bug"))
    with pytest.raises(ZeroDivisionError, match="bug"):
        await ours.receive()
    await ours.close()
