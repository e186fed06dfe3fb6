"""The reports of a simulated call: they go to a gateway that may be gone."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.audio.formats import PCMU
from gateway.errors import GatewayError
from gateway.sim.phone.connecting import RefusedError
from gateway.sim.phone.webhook import Reply, Webhook
from gateway.sim.phone.wire import SimCall, StreamOpening


class Reporting(Webhook):
    """The HTTP of a provider that reports the end of a call."""

    def stream(self, url: str) -> StreamOpening:
        return StreamOpening(url)

    async def call_in(self) -> StreamOpening:
        return self.stream(self.call.answer_url)

    async def told(self, url: str) -> Reply | None:
        """Report the end there."""
        return await self.report(self.ask(url, timeout_s=0.2))


async def silent(request: web.Request) -> web.Response:
    """Take the request, and never answer it."""
    await asyncio.Event().wait()
    return web.Response()


async def broken(request: web.Request) -> web.Response:
    """Break the connection off, as a process does that ends meanwhile."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def refusing(request: web.Request) -> web.Response:
    """Answer with an error."""
    return web.Response(status=500)


async def taking(request: web.Request) -> web.Response:
    """Answer as expected."""
    return web.Response(text="taken")


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """A gateway that does, by the path, one of these."""
    app = web.Application()
    for answer in (silent, broken, refusing, taking):
        app.router.add_post(f"/{answer.__name__}", answer)
    async with TestServer(app) as server:
        yield f"http://127.0.0.1:{server.port}"


@pytest.fixture
async def webhook() -> AsyncIterator[Reporting]:
    """A call at its end."""
    async with aiohttp.ClientSession() as http:
        yield Reporting(SimCall("+2", "+1", "c-1", "s-1", PCMU), http)


async def test_a_gateway_that_is_gone_is_no_fault(webhook: Reporting, url: str, unused_tcp_port: int) -> None:
    """Nobody listens there any more, or the connection breaks before the answer."""
    assert await webhook.told(f"http://127.0.0.1:{unused_tcp_port}/status") is None
    assert await webhook.told(f"{url}/broken") is None


async def test_a_gateway_that_refuses_a_report_is_at_fault(webhook: Reporting, url: str) -> None:
    """And so is one that lets it wait."""
    with pytest.raises(RefusedError, match="500"):
        await webhook.told(f"{url}/refusing")
    with pytest.raises(GatewayError, match="did not answer"):
        await webhook.told(f"{url}/silent")


async def test_a_report_returns_the_answer(webhook: Reporting, url: str) -> None:
    """For it may say how the call goes on."""
    reply = await webhook.told(f"{url}/taking")
    assert reply is not None
    assert reply.text == "taken"
