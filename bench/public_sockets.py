"""``python -m bench.public_sockets``: the processor time of a call's messages on fast sockets and on public ones.

Both legs are in this process, and so is the other end of each, whose cost is in both figures. A second of a call is
taken as 50 messages from the caller and to the service, and 10 from the service and 10 to the caller.
"""

import asyncio
import base64
import time
from collections.abc import Sequence
from statistics import median
from typing import Any

import aiohttp
from aiohttp import web
from azure.core.credentials import AzureKeyCredential

from gateway.connecting.asked import Asked
from gateway.connecting.choice import opener
from gateway.sockets.choice import Way, choose_sockets

SECONDS, ROUNDS = 40, 5
FRAME = '{"event":"media","media":{"payload":"' + base64.b64encode(bytes(160)).decode() + '"}}'
APPEND = '{"type":"input_audio_buffer.append","audio":"' + base64.b64encode(bytes(160)).decode() + '"}'
DELTA = '{"type":"response.audio.delta","delta":"' + base64.b64encode(bytes(800)).decode() + '"}'


async def cost(way: Way) -> float:
    """Return the processor time of a second of a call, in microseconds."""
    held: asyncio.Queue[Any] = asyncio.Queue()
    counted = 0

    def take(_: str | bytes) -> bool:
        nonlocal counted
        counted += 1
        return True

    async def phone(request: web.Request) -> web.StreamResponse:
        response, socket = await choose_sockets(way).accept(  # type: ignore[misc]  # a proper handshake
            request, subprotocols=(), max_message=65536, close_timeout_s=1
        )
        held.put_nowait(socket)
        await socket.hand_to(take)
        await socket.close()
        return response

    async def service(request: web.Request) -> web.StreamResponse:
        response: web.WebSocketResponse = web.WebSocketResponse(compress=False)
        await response.prepare(request)
        held.put_nowait(response)
        async for _ in response:
            pass
        return response

    app = web.Application()
    app.router.add_get("/phone", phone)
    app.router.add_get("/voice-live/realtime", service)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as group:
        caller = await http.ws_connect(f"{address}/phone")
        ours = await held.get()
        heard = group.create_task(_read(caller))
        voice = await opener(way)[1](http, Asked(address, "bench", AzureKeyCredential("key"), model="bench"))
        theirs = await held.get()
        taking = group.create_task(voice.hand_to(take))
        begun = time.process_time()
        for number in range(SECONDS * 50):
            await caller.send_str(FRAME)
            voice.send(APPEND)
            if number % 5 == 0:
                await theirs.send_str(DELTA)
                ours.send(FRAME)
            await asyncio.sleep(0.0002)
        async with asyncio.timeout(60):
            while counted < SECONDS * 60:  # noqa: ASYNC110 -- a bench waits for the last
                await asyncio.sleep(0.001)
        used = time.process_time() - begun
        await voice.close()
        await ours.close()
        await caller.close()
        await taking
        await heard
    await runner.cleanup()
    return 1e6 * used / SECONDS


async def _read(caller: "aiohttp.ClientWebSocketResponse[Any]") -> None:
    async for _ in caller:
        pass


def report(fast: Sequence[float], public: Sequence[float]) -> str:
    """Say what a second of a call costs in both ways, in the middle round of each."""
    more = median(public) - median(fast)
    return (
        f"a second of a call: fast {median(fast):.0f} µs, public {median(public):.0f} µs of processor time, "
        f"{more:.0f} µs more ({more / 10_000:.2f} % of a core per call)"
    )


def main() -> None:
    """Measure both ways in turns, and print the middle of each."""
    rounds = [(asyncio.run(cost("fast")), asyncio.run(cost("public"))) for _ in range(ROUNDS)]
    print(report([fast for fast, _ in rounds], [public for _, public in rounds]))


if __name__ == "__main__":
    main()
