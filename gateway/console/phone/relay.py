"""Passes a stream on between a page and the gateway: each message as it is, each close with its code.

The page reaches the console alone, so that one address, one certificate and one tunnel are enough.
"""

import asyncio
from contextlib import suppress

import aiohttp
from aiohttp import WSMsgType, web

CONNECT_LIMIT_S = 5.0
CLOSE_LIMIT_S = 1.0
MESSAGE_LIMIT = 1024 * 1024
"""Bytes of one message."""
NORMAL, GOING_AWAY, NO_CODE, INTERNAL_ERROR, TRY_AGAIN_LATER = 1000, 1001, 1005, 1011, 1013
"""RFC 6455 §7.4.1, and the IANA WebSocket close code registry."""
POLICY = 1008
_PASSED = frozenset({NORMAL, GOING_AWAY, POLICY, INTERNAL_ERROR, TRY_AGAIN_LATER})
"""Codes that are passed on as they are; others tell no more than that a connection broke."""
_REFUSALS = {503: "all its calls are taken, or it is shutting down", 404: "it does not have the line"}
_CLOSING = aiohttp.ClientWSTimeout(ws_close=CLOSE_LIMIT_S)

Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


async def relay(request: web.Request, url: str) -> web.WebSocketResponse:
    """Open the stream at ``url``, and pass on what comes until either side closes.

    Where it is refused, the page is closed with the reason in words.
    """
    page = web.WebSocketResponse(max_msg_size=MESSAGE_LIMIT, timeout=CLOSE_LIMIT_S, compress=False)
    await page.prepare(request)
    limit = aiohttp.ClientTimeout(total=None, connect=CONNECT_LIMIT_S)
    async with aiohttp.ClientSession(timeout=limit) as client:
        try:
            gateway = await client.ws_connect(url, max_msg_size=MESSAGE_LIMIT, timeout=_CLOSING)
        except aiohttp.WSServerHandshakeError as error:
            why = _REFUSALS.get(error.status, f"it refuses the stream with {error.status}")
            await page.close(code=TRY_AGAIN_LATER, message=why.encode())
            return page
        except (aiohttp.ClientError, OSError, TimeoutError):
            await page.close(code=TRY_AGAIN_LATER, message=b"it cannot be reached")
            return page
        async with gateway, asyncio.TaskGroup() as group:
            group.create_task(_pass_on(page, gateway))
            group.create_task(_pass_on(gateway, page))
    return page


async def _pass_on(source: Socket, target: Socket) -> None:
    with suppress(ConnectionError):  # the other side is gone, which its own task reports
        async for message in source:
            if message.type is WSMsgType.TEXT:
                await target.send_str(message.data)
            elif message.type is WSMsgType.BINARY:
                await target.send_bytes(message.data)
    code = NORMAL if source.close_code == NO_CODE else source.close_code
    await target.close(code=code if code in _PASSED else INTERNAL_ERROR)
