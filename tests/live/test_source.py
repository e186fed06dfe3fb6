"""A process as its reader sees it; tests/live/test_watch.py reads live ones."""

from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.live.messages import OrderFor, Outcome
from gateway.live.source import GONE, Reader, Source


async def test_a_process_that_is_gone_raises_what_its_reader_expects(tmp_path: Path) -> None:
    """For updates and orders alike."""
    async with Reader(Source(str(tmp_path / "live-1.sock"))) as reader:
        with pytest.raises(GONE):
            await anext(aiter(reader.updates()))
        with pytest.raises(GONE):
            await reader.order(OrderFor("twilio", "CA1"))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    """It would take the key, and an order, to whom nobody has named."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=status, headers={"Location": f"/elsewhere{request.path}"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server, Reader(Source(url=str(server.make_url("")).rstrip("/"), key="key")) as reader:
        with pytest.raises(aiohttp.ClientResponseError):
            await anext(aiter(reader.updates()))
        assert await reader.order(OrderFor("twilio", "CA1")) is Outcome.UNKNOWN
    assert asked == ["/live", "/order"]
