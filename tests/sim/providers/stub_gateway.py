"""A gateway that answers webhooks as a test says, keeps what it was asked, and reads streams to their end."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer


@dataclass(frozen=True)
class Asked:
    """A request; header names in lower case."""

    method: str
    path: str
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass
class StubGateway:
    """``url`` is its address; ``streams`` are the requests that opened one, ``sockets`` what they opened."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    streams: list[Asked] = field(default_factory=list)
    sockets: list[web.WebSocketResponse] = field(default_factory=list)

    @property
    def stream_url(self) -> str:
        """Where a stream may be opened."""
        return self.url.replace("http", "ws", 1) + "/stream/x"


Answer = web.Response | None
Answering = Callable[[StubGateway, Asked], Answer | Awaitable[Answer]]


@asynccontextmanager
async def stub_gateway(answer: Answering) -> AsyncIterator[StubGateway]:
    """Every request but a stream's is answered by ``answer``, 200 where it says nothing."""
    stub = StubGateway()

    async def take(request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(request.method, request.path, str(request.url), headers, await request.read())
        if headers.get("upgrade", "").lower() == "websocket":
            stub.streams.append(asked)
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            stub.sockets.append(socket)
            async for _ in socket:
                pass
            return socket
        stub.asked.append(asked)
        said = answer(stub, asked)
        return (await said if isinstance(said, Awaitable) else said) or web.Response()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", take)
    async with TestServer(app) as server:
        stub.url = f"http://127.0.0.1:{server.port}"
        yield stub


def cxml(attributes: str = "", inside: str = "") -> Answering:
    """A document that connects the call to the stub's stream."""

    def answer(stub: StubGateway, asked: Asked) -> web.Response | None:
        stream = f'<Stream url="{stub.stream_url}" {attributes}>{inside}</Stream>'
        document = f"<Response><Connect>{stream}</Connect><Hangup/></Response>"
        return web.Response(text=document, content_type="text/xml") if "answer" in asked.path else None

    return answer
