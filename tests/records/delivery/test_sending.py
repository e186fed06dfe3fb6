"""One try of a delivery."""

import asyncio
import time
from contextlib import suppress

import pytest
from aiohttp import web

from gateway.records.delivery.sending import ANSWER_LIMIT, Outcome, Sender
from tests.records.delivery.receiving import SECRET, Server, receiving
from tests.virtual_time import virtual_time

BODY = b'{"type":"call.ended"}'


async def sent(server: Server, *, timeout_s: float = 15) -> Outcome:
    """The outcome of one message."""
    async with Sender() as sender:
        return await sender.send(server.receiver(timeout_s=timeout_s), "msg_1", BODY)


@virtual_time
async def test_a_message_that_is_taken_is_delivered() -> None:
    """With its id, signed, and as JSON; the receiver of these tests verifies the signature."""
    async with receiving() as server:
        assert await sent(server) == Outcome("delivered", "answered with 204")
        (got,) = server.got
        assert (got.id, got.body) == ("msg_1", {"type": "call.ended"})
        assert got.headers["Content-Type"] == "application/json"
        assert abs(int(got.headers["webhook-timestamp"]) - time.time()) < 60
    assert SECRET not in str(got.headers)


@pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 429, 500, 503])
def test_whatever_is_no_success_has_failed(status: int) -> None:
    """A redirect too: it is not followed."""

    @virtual_time
    async def run() -> None:
        async with receiving() as server:
            server.answer = lambda _: web.Response(status=status, headers={"Location": server.url})
            assert await sent(server) == Outcome("failed", f"answered with {status}")
            assert len(server.got) == 1

    run()


@virtual_time
async def test_gone_is_told_apart() -> None:
    """410 says that the receiver wants nothing any more."""
    async with receiving() as server:
        server.answer = lambda _: 410
        assert (await sent(server)).kind == "gone"


@virtual_time
async def test_the_wait_that_is_asked_for_is_told() -> None:
    """In seconds, or as a date."""
    async with receiving() as server:
        server.answer = lambda _: web.Response(status=503, headers={"Retry-After": "120"})
        assert (await sent(server)).retry_after_s == 120
        server.answer = lambda _: web.Response(status=429, headers={"Retry-After": "Wed, 21 Oct 2099 07:28:05 GMT"})
        assert (await sent(server)).retry_after_s > 1e9


@virtual_time
async def test_a_receiver_that_never_answers_is_given_up_in_time() -> None:
    """After ``timeout_s``, with one sentence."""
    async with receiving() as server:
        server.hold = asyncio.Event()
        begun = asyncio.get_running_loop().time()
        assert await sent(server, timeout_s=7) == Outcome("failed", "not answered within 7 s")
        assert asyncio.get_running_loop().time() - begun == pytest.approx(7, abs=0.1)
        server.hold.set()


@virtual_time
async def test_nobody_there_is_a_failure() -> None:
    """No exception comes out of it."""
    async with receiving() as server:
        pass
    assert await sent(server) == Outcome("failed", "no connection")


@virtual_time
async def test_a_long_answer_is_not_read_to_its_end() -> None:
    """Its status counts; the connection is closed, and all that is written then is what buffers hold."""
    written, whole = 0, ANSWER_LIMIT * 4000

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await reader.readuntil(BODY)
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {whole}\r\n\r\n".encode())
        with suppress(ConnectionError):
            while written < whole:
                writer.write(b"x" * ANSWER_LIMIT)
                written += ANSWER_LIMIT
                await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        assert (await sent(Server(f"http://127.0.0.1:{port}/"))).kind == "delivered"
    assert written < whole / 2


@virtual_time
async def test_an_answer_that_does_not_end_counts_by_its_status() -> None:
    """A receiver that took the message does not get it again because its answer hangs."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(BODY)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        await reader.read()
        writer.close()

    endless = await asyncio.start_server(answer, "127.0.0.1", 0)
    server = Server(f"http://127.0.0.1:{endless.sockets[0].getsockname()[1]}/")
    assert (await sent(server, timeout_s=3)).kind == "delivered"
    endless.close()
    await endless.wait_closed()


@virtual_time
async def test_a_sender_is_used_within_its_context() -> None:
    """Else there is no client."""
    with pytest.raises(RuntimeError):
        await Sender().send(Server("http://127.0.0.1:1/").receiver(), "m", BODY)
