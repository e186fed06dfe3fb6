"""Listeners whose sockets several processes hold."""

import asyncio
import socket
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import aiohttp

from gateway.app import Gateway, serving
from gateway.routes.listeners import Inherited
from tests.e2e.rig import configuration, load


async def test_a_listener_that_retires_leaves_new_connections_to_its_successor(tmp_path: Path) -> None:
    """What is open gets an answer, and is closed with it; what waits in the queue is the successor's."""
    deployment, lines = load(configuration(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as ours:
        url = f"http://127.0.0.1:{ours.getsockname()[1]}/healthz"

        def process() -> AbstractAsyncContextManager[Gateway]:
            inherited = Inherited([ours.dup()])
            return serving(deployment, lines, endpoint="http://127.0.0.1:1", api_key="any", inherited=inherited)

        async with asyncio.timeout(60), aiohttp.ClientSession() as kept, aiohttp.ClientSession() as new:
            async with process() as old:
                async with kept.get(url) as said:
                    assert (said.status, said.headers.get("Connection")) == (200, None)
                await old.retire()
                assert old.calls.willing
                waits = asyncio.get_running_loop().create_task(_got(new, url))
                async with kept.get(url) as said:
                    assert (said.status, said.headers.get("Connection")) == (200, "close")
                assert not waits.done()
            async with process(), await waits as said:
                assert (said.status, said.headers.get("Connection")) == (200, None)


async def _got(http: aiohttp.ClientSession, url: str) -> aiohttp.ClientResponse:
    return await http.get(url)
