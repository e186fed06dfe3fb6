"""A connection that nobody reads: its peer's end is seen, behind bytes that were never read too."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.sim.abandoned import ABANDONED_LIMIT_S, LOOK_AGAIN_S, until_closed_by_peer
from tests.virtual_time import virtual_time


@asynccontextmanager
async def pair() -> AsyncIterator[tuple[asyncio.Transport, asyncio.StreamWriter]]:
    """A connection that is not read, and the other end of it."""
    accepted: asyncio.Future[asyncio.StreamWriter] = asyncio.get_running_loop().create_future()
    async with await asyncio.start_server(lambda _, writer: accepted.set_result(writer), "127.0.0.1", 0) as server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        peer = await accepted
        transport = writer.transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        try:
            yield transport, peer
        finally:
            for end in (writer, peer):
                end.transport.abort()
            await asyncio.sleep(0)


@pytest.mark.parametrize("how", ["close", "reset", "bytes before the close"])
def test_the_peer_s_end_is_seen(how: str) -> None:
    """However it closes."""

    @virtual_time
    async def seen() -> None:
        loop = asyncio.get_running_loop()
        async with pair() as (transport, peer):
            begun = loop.time()
            loop.call_later(5, peer.transport.abort if how == "reset" else peer.close)
            if how == "bytes before the close":
                peer.write(b"x" * 1000)
            await until_closed_by_peer(transport)
            assert 5 <= loop.time() - begun <= 5 + 2 * LOOK_AGAIN_S

    seen()


@virtual_time
async def test_a_peer_that_keeps_the_connection_is_not_waited_for_without_end() -> None:
    """The limit is a minute."""
    loop = asyncio.get_running_loop()
    async with pair() as (transport, _):
        begun = loop.time()
        await until_closed_by_peer(transport)
        assert 0 <= loop.time() - begun - ABANDONED_LIMIT_S <= 2 * LOOK_AGAIN_S


@virtual_time
async def test_a_connection_that_is_closed_here_is_not_waited_for() -> None:
    """Its descriptor may belong to another one by now."""
    loop = asyncio.get_running_loop()
    async with pair() as (transport, _):
        begun = loop.time()
        transport.abort()
        await until_closed_by_peer(transport)
        assert loop.time() == begun
