"""A gateway whose end of the stream each test scripts: any provider's messages, text and binary."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

Message = str | bytes
Script = Callable[["Peer"], Awaitable[None]]
Hook = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Peer:
    """The gateway's end: every message is kept, in the order of arrival."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        self.socket = socket
        self.headers = dict(request.headers)
        self.url = str(request.url)
        self.messages: list[Message] = []

    async def next(self) -> Message:
        """The next message; ``EOFError`` at the end of the stream."""
        received = await self.socket.receive(timeout=10)
        if received.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            raise EOFError
        message: Message = received.data
        self.messages.append(message)
        return message

    async def until(self, wanted: Message | Callable[[Message], bool], count: int = 1) -> Message:
        """Read until ``count`` more messages were the ``wanted`` one, or one of the wanted; the last of them."""
        while True:
            message = await self.next()
            count -= wanted(message) if callable(wanted) else message == wanted
            if not count:
                return message

    async def send(self, *messages: Message) -> None:
        """Send messages as they are."""
        for message in messages:
            await (self.socket.send_str(message) if isinstance(message, str) else self.socket.send_bytes(message))

    @property
    def texts(self) -> list[str]:
        """The text messages."""
        return [message for message in self.messages if isinstance(message, str)]

    @property
    def binaries(self) -> list[bytes]:
        """The binary messages."""
        return [message for message in self.messages if isinstance(message, bytes)]


@dataclass
class Scripted:
    """A gateway on 127.0.0.1; ``base_url`` for webhooks, ``url`` for the stream."""

    base_url: str
    url: str
    _peer: "asyncio.Future[Peer]"
    requests: list[tuple[web.Request, bytes]] = field(default_factory=list)
    """What came to the webhooks."""

    async def peer(self) -> Peer:
        """The stream's end, once the stream is over."""
        return await asyncio.wait_for(self._peer, 10)


@asynccontextmanager
async def scripted(
    script: Script, *, subprotocols: Sequence[str] = (), hooks: Mapping[str, Hook] | None = None
) -> AsyncIterator[Scripted]:
    """Runs ``script`` at the start of the stream, then reads to its end; ``hooks`` answer requests by path."""
    done: asyncio.Future[Peer] = asyncio.get_running_loop().create_future()

    async def stream(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=subprotocols)
        await socket.prepare(request)
        peer = Peer(socket, request)
        try:
            await script(peer)
            while True:
                await peer.next()
        except EOFError:
            return socket
        except Exception as error:
            done.set_exception(error)
            raise
        finally:  # aiohttp's test server cancels the handler of a connection that is lost
            if not done.done():
                done.set_result(peer)

    def kept(hook: Hook) -> Hook:
        async def handle(request: web.Request) -> web.StreamResponse:
            held.requests.append((request, await request.read()))
            return await hook(request)

        return handle

    app = web.Application()
    app.router.add_get("/stream", stream)
    for path, hook in (hooks or {}).items():
        app.router.add_route("*", path, kept(hook))
    async with TestServer(app) as server:
        base_url = f"http://127.0.0.1:{server.port}"
        held = Scripted(base_url, f"ws://127.0.0.1:{server.port}/stream", done)
        yield held
