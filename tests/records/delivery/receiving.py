"""A receiver of deliveries, for tests: it verifies each with the official package, and answers as it is told."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from pydantic import SecretStr
from standardwebhooks import Webhook

from gateway.config.records.deliver import Receiver

SECRET = f"whsec_{base64.b64encode(b'0123456789abcdef' * 2).decode()}"

Answer = Callable[[int], web.StreamResponse | int]
"""Returns the answer, or its status, to the message of a number, counted from 1."""


@dataclass
class Got:
    """A message that came."""

    id: str
    body: dict[str, Any]
    headers: Mapping[str, str]
    status: int


@dataclass
class Server:
    """A receiver that listens."""

    url: str
    got: list[Got] = field(default_factory=list)
    answer: Answer = lambda _: 204
    """The answer to the n-th message, counted from 1."""
    secret: str = SECRET
    refused: str = ""
    """The call whose messages are refused."""
    hold: asyncio.Event | None = None
    """Is waited for before each answer."""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Is set by each message."""

    @property
    def taken(self) -> list[Got]:
        """The messages that were answered with 2xx."""
        return [got for got in self.got if 200 <= got.status < 300]

    def receiver(self, **keys: Any) -> Receiver:
        """The section of a configuration that names it."""
        section = Receiver.model_construct(
            name=keys.pop("name", "crm"),
            url=self.url,
            secret=SecretStr(self.secret),
            events=keys.pop("events", ("call.started", "call.ended", "call.interrupted")),
            include=keys.pop("include", ()),
            timeout_s=keys.pop("timeout_s", 15),
        )
        assert not keys
        return section

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Verify a message and answer it."""
        body = await request.read()
        Webhook(self.secret).verify(body, dict(request.headers), json_parse=False)
        is_refused = json.loads(body).get("call") == self.refused
        answer = 400 if is_refused else self.answer(len(self.got) + 1)
        response = web.Response(status=answer) if isinstance(answer, int) else answer
        self.got.append(Got(request.headers["webhook-id"], json.loads(body), dict(request.headers), response.status))
        self.asked.set()
        if self.hold:
            await self.hold.wait()
        return response


@asynccontextmanager
async def receiving(path: str = "/calls") -> AsyncIterator[Server]:
    """A receiver on a port of its own."""
    app = web.Application()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    server = Server("")
    app.router.add_post(path, server.take)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    server.url = f"http://{host}:{port}{path}"
    try:
        yield server
    finally:
        await runner.cleanup()
