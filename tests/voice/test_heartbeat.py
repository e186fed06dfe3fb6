"""A connection on which the service says nothing."""

import asyncio

import pytest
from aiohttp import WSMsgType, web

from gateway.connecting import asked as terms
from gateway.voice.service import VoiceLive
from tests.voice.test_service import MODEL, served


async def test_a_service_that_says_nothing_is_pinged(monkeypatch: pytest.MonkeyPatch) -> None:
    """As often as the gateway wants it: one that is gone is noticed by the ping that it leaves unanswered."""
    monkeypatch.setattr(terms, "HEARTBEAT_S", 0.05)
    pinged = asyncio.Event()

    async def listen(request: web.Request) -> web.StreamResponse:
        peer: web.WebSocketResponse = web.WebSocketResponse(autoping=False)
        await peer.prepare(request)
        while (await peer.receive()).type is not WSMsgType.PING:
            pass
        pinged.set()
        await peer.close()
        return peer

    async with served(listen) as endpoint, VoiceLive(endpoint, "right") as live:
        socket = await live.connect(MODEL)
        await pinged.wait()
        await socket.close()
