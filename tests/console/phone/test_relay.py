"""The stream of a call on its way through the console."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from gateway.console.phone.relay import relay

Script = Callable[[web.WebSocketResponse], Awaitable[None]]


@asynccontextmanager
async def relayed(script: Script | None, status: int = 0) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Yield a page's stream to a gateway that does this, refuses with a status, or is not there."""

    async def gateway(request: web.Request) -> web.StreamResponse:
        if script is None:
            return web.Response(status=status)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await script(socket)
        await socket.close()
        return socket

    inner = web.Application()
    inner.router.add_get("/stream", gateway)
    async with TestServer(inner) as there:
        url = str(there.make_url("/stream")) if script or status else "http://127.0.0.1:1/stream"
        outer = web.Application()

        async def console(request: web.Request) -> web.StreamResponse:
            return await relay(request, url)

        outer.router.add_get("/", console)
        async with (
            TestServer(outer) as here,
            aiohttp.ClientSession() as client,
            client.ws_connect(here.make_url("/")) as page,
        ):
            yield page


async def test_messages_pass_as_they_are_in_order() -> None:
    """Audio and text, both ways, until the gateway closes."""

    async def echo(socket: web.WebSocketResponse) -> None:
        for _ in range(3):
            message = await socket.receive()
            if message.type is WSMsgType.TEXT:
                await socket.send_str(message.data)
            else:
                await socket.send_bytes(message.data)

    async with relayed(echo) as page:
        await page.send_bytes(b"\x00\x01" * 480)
        await page.send_str('{"type":"key","key":"5"}')
        await page.send_bytes(b"\x02\x03")
        received = [(await page.receive()).data for _ in range(3)]
        assert received == [b"\x00\x01" * 480, '{"type":"key","key":"5"}', b"\x02\x03"]
        assert (await page.receive()).type is WSMsgType.CLOSE
    assert page.close_code == 1000


@pytest.mark.parametrize("code", [1008, 1001, 1013])
async def test_the_gateway_s_close_code_is_the_page_s(code: int) -> None:
    """It says whether the call ended in order."""

    async def close(socket: web.WebSocketResponse) -> None:
        await socket.close(code=code)

    async with relayed(close) as page:
        await page.receive()
    assert page.close_code == code


@pytest.mark.parametrize(("code", "told"), [(1000, 1000), (1001, 1001), (4000, 1011)])
async def test_a_page_that_closes_hangs_up(code: int, told: int) -> None:
    """A page that is left closes with 1001; a code of no meaning is a broken stream."""
    closed: list[int | None] = []

    async def listen(socket: web.WebSocketResponse) -> None:
        await socket.receive()
        closed.append(socket.close_code)

    async with relayed(listen) as page:
        await page.close(code=code)
    assert closed == [told]


@pytest.mark.parametrize(("status", "why"), [(503, "all its calls are taken"), (403, "with 403"), (0, "be reached")])
async def test_a_refusal_is_told_in_words(status: int, why: str) -> None:
    """A page cannot see the status of a refused stream."""
    async with relayed(None, status) as page:
        message = await page.receive()
    assert page.close_code == 1013
    assert why in str(message.extra)
