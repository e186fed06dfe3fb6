"""A request is sent once, whatever becomes of its connection."""

import asyncio

import aiohttp
import pytest

from gateway.network.single_try import single_try


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
async def test_a_request_whose_connection_is_lost_is_not_repeated(method: str) -> None:
    """Neither on a new connection nor on one that was used before; the next request is sent all the same."""
    requests: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""):
            head = await reader.readuntil(b"\r\n\r\n")
            requests.append(head.decode().split(" ")[0])
            writer.write(answer)
        writer.close()

    service = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{service.sockets[0].getsockname()[1]}/"
    async with asyncio.timeout(20), service, aiohttp.ClientSession(trace_configs=[single_try()]) as http:
        async with http.request(method, url):
            pass
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await http.request(method, url)
        assert requests == [method, method]
        async with http.request(method, url) as answer:
            assert answer.status == 200
    assert len(requests) == 3
