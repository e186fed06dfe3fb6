"""Peers that play a tape: the provider's end of the stream, and Voice Live's end of the session.

A message of the peer goes out at its time on the tape, but not before the gateway has sent what it had sent by then.
Ids that the gateway makes anew are replaced in what the peer answers.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import unquote

import aiohttp
from aiohttp import WSMsgType, web

from gateway.tape.form import Line, Tape, kind_of
from gateway.tape.wire_text import Message, message_of
from tests.kinds import without_token

PATIENCE_S = 3.0
"""How long a message waits for one of the gateway's that does not come any more."""


class Side:
    """One side of a tape as a peer plays it; ``lines`` are the records of one connection."""

    def __init__(self, lines: list[Line]) -> None:
        self._lines = lines
        self._recorded: dict[str, list[Any]] = {}
        for line in lines:
            if line.to == "out" and (kind := _kind(line)):
                self._recorded.setdefault(kind, []).append(line.json)
        self._came: Counter[str] = Counter()
        self._changed = asyncio.Event()
        self._ids: dict[str, str] = {}
        self.over = asyncio.Event()
        """Set when the gateway has closed the connection."""

    def take(self, message: Message) -> None:
        """Take a message of the gateway."""
        read: Any = None
        if isinstance(message, str) and message.startswith("{"):
            read = json.loads(message)
        kind = kind_of(read) if read is not None else message.split(" ")[0] if isinstance(message, str) else ""
        if kind:
            recorded = self._recorded.get(kind, [])
            if self._came[kind] < len(recorded):
                self._learn(recorded[self._came[kind]], read)
            self._came[kind] += 1
            self._changed.set()

    def _learn(self, recorded: Any, live: Any) -> None:
        match recorded, live:
            case str(), str():
                if recorded != live:
                    self._ids[recorded] = live
            case dict(), dict():
                for name in recorded.keys() & live.keys():
                    self._learn(recorded[name], live[name])

    async def play(self, send: Any, close: Any) -> None:
        """Send what the peer sent, in time and in order, to the end of the tape or of the connection."""
        loop = asyncio.get_running_loop()
        begun, first = loop.time(), self._lines[0].t if self._lines else 0.0
        expected: Counter[str] = Counter()
        closed_by_us = any(line.kind == "close" for line in self._lines)
        for line in self._lines:
            if self.over.is_set():
                return
            if line.to == "out" and (kind := _kind(line)):
                expected[kind] += 1
            elif line.to == "in" and (message := message_of(line)) is not None:
                await self._until_came(expected)
                await asyncio.sleep(max(0.0, begun + line.t - first - loop.time()))
                await send(self._live(message))
            elif line.to == "in" and line.kind == "closed":
                await asyncio.sleep(max(0.0, begun + line.t - first - loop.time()))
                if not closed_by_us:
                    await close(int((line.facts or {}).get("code") or 1000))
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await self.over.wait()

    async def _until_came(self, expected: Counter[str]) -> None:
        """Wait for messages of the gateway; one that does not come in time is waited for this once."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not (self._came >= expected or self.over.is_set()):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            self._came |= expected

    def _live(self, message: Message) -> Message:
        if isinstance(message, str):
            for recorded, live in self._ids.items():
                message = message.replace(json.dumps(recorded)[1:-1], json.dumps(live)[1:-1])
        return message


def _kind(line: Line) -> str:
    """The kind of a message of ours that a peer can wait for; none for audio."""
    if line.kind != "message" or line.audio is not None:
        return ""
    if line.json is None:
        return (line.text or "").split(" ")[0]
    kind = kind_of(line.json)
    return "" if "$audio" in json.dumps(line.json) else kind


async def play_phone(tape: Tape, url: str) -> None:
    """Open the stream of a tape at ``url``, and play the provider's end of it."""
    lines = [line for _, line in tape.of("phone")]
    upgrade: Mapping[str, Any] = next((line.http or {} for line in lines if line.kind == "upgrade"), {})
    query = str(upgrade.get("url", "")).partition("?")[2]
    headers = {
        name: value
        for name, value in (upgrade.get("headers") or {}).items()
        if not value.startswith("$") and not name.startswith(("sec-", "connection", "upgrade", "content", "accept"))
    }
    wanted = (upgrade.get("headers") or {}).get("sec-websocket-protocol", "")
    protocols = [wanted] if wanted and not wanted.startswith("$") else []
    side = Side([line for line in lines if line.kind not in ("upgrade", "opened")])
    full = f"{url}?{unquote(query)}".replace("+", "%2B") if query else url
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(full, headers=headers, protocols=protocols, timeout=aiohttp.ClientWSTimeout(ws_close=1)) as ws,
        asyncio.TaskGroup() as group,
    ):

        async def send(message: Message) -> None:
            with suppress(ConnectionError):
                message = without_token(tape.header.provider, message)
                await (ws.send_str(message) if isinstance(message, str) else ws.send_bytes(message))

        async def read() -> None:
            async for message in ws:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    side.take(message.data)
            side.over.set()

        group.create_task(read())
        await side.play(send, lambda code: ws.close(code=code))
        await ws.close()


@asynccontextmanager
async def voice_of(tape: Tape) -> AsyncIterator[str]:
    """Serve Voice Live's end of a tape; yields the endpoint. The n-th connection gets the n-th on the tape."""
    numbers = list(dict.fromkeys(line.n for _, line in tape.of("voice", "in", "opened")))
    waiting = [[line for _, line in tape.of("voice") if line.n == number] for number in numbers]

    async def handle(request: web.Request) -> web.StreamResponse:
        if not waiting:
            return web.Response(status=503)
        side = Side(waiting.pop(0))
        ws = web.WebSocketResponse()
        await ws.prepare(request)

        async def send(message: Message) -> None:
            with suppress(ConnectionError):
                await ws.send_str(message if isinstance(message, str) else message.decode())

        async def close(code: int) -> None:
            await ws.close(code=code)

        async with asyncio.TaskGroup() as group:
            playing = group.create_task(side.play(send, close))
            async for message in ws:
                if message.type is WSMsgType.TEXT:
                    side.take(message.data)
            side.over.set()
            await playing
        return ws

    app = web.Application()
    app.router.add_get("/{prefix:(?:.*/)?}voice-live/realtime", handle)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
