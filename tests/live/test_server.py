"""The socket of a process that has calls."""

import asyncio
from pathlib import Path

import aiohttp
from structlog.testing import capture_logs

from gateway.call.calls import Calls
from gateway.live.server import LiveServer, live_serving
from gateway.live.source import sources_in
from tests.live.conftest import book_of, process


async def test_what_is_no_order_is_refused(tmp_path: Path) -> None:
    """And the process goes on."""
    async with asyncio.timeout(10), process(tmp_path, Calls(1)):
        (path,) = sources_in(tmp_path)
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=path.socket)) as client:
            for body in (b"", b"{}", b"[1]", b"\xff"):
                async with client.post("http://gateway/order", data=body) as answer:
                    assert answer.status == 400
            async with client.post("http://gateway/order", data=b'{"provider":"twilio","call_id":"CA1"}') as answer:
                assert answer.status == 404
    assert sources_in(tmp_path) == []


async def test_without_a_folder_there_is_no_socket(tmp_path: Path) -> None:
    """A folder that is gone is logged, and calls go on."""
    server = LiveServer(book_of(Calls(1)))
    async with live_serving(None, server):
        pass
    with capture_logs() as logs:
        async with live_serving(tmp_path / "gone", server):
            pass
    assert [entry["event"] for entry in logs] == ["live_not_served"]
