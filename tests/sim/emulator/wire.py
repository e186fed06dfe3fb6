"""A bare WebSocket client: no SDK, so that tests see the frames themselves."""

import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from gateway.sim.emulator import Emulator, Script, Session
from gateway.sim.emulator.script import Latency
from gateway.sim.prompts import FOLDER, read_mulaw

Event = dict[str, Any]
SILENCE_S = b"\xff" * 8000
ULAW = {"input_audio_format": "g711_ulaw", "output_audio_format": "g711_ulaw"}
SERVER_VAD = {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 400, "silence_duration_ms": 500}


def caller(name: str) -> bytes:
    """A recorded caller's µ-law samples."""
    return read_mulaw(FOLDER / "caller" / f"{name}.wav")


def quick(**changes: Any) -> Script:
    """The default dialogue without waiting, generated as fast as it goes."""
    return Script.default().model_copy(update={"latency_ms": Latency.none(), "pace": 10_000.0, **changes})


def scripted(*turns: Event, **keys: Any) -> Script:
    """A script of these turns, without waiting."""
    latency = Latency.none().model_dump()
    return Script.model_validate({"turns": list(turns), "latency_ms": latency, "pace": 10_000, **keys})


class Wire:
    """One connection; ``events`` is everything that came."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.events: list[Event] = []

    @property
    def types(self) -> list[str]:
        """The types of what came, runs of the same type as one."""
        types = [str(event["type"]) for event in self.events]
        return [kind for index, kind in enumerate(types) if index == 0 or types[index - 1] != kind]

    def all(self, event_type: str) -> list[Event]:
        """What came of a type."""
        return [event for event in self.events if event["type"] == event_type]

    async def send(self, event_type: str, **fields: Any) -> None:
        """Sends a client event."""
        await self.socket.send_str(json.dumps({"type": event_type, **fields}))

    async def append(self, audio: bytes, *, chunk: int = 160) -> None:
        """Appends audio at once, in chunks."""
        for start in range(0, len(audio), chunk):
            encoded = base64.b64encode(audio[start : start + chunk]).decode()
            await self.send("input_audio_buffer.append", audio=encoded)

    async def next(self) -> Event:
        """The next event."""
        event: Event = await self.socket.receive_json(timeout=30)
        self.events.append(event)
        return event

    async def until(self, wanted: str | Callable[[Event], bool]) -> Event:
        """Reads on to an event of this type, or one that ``wanted`` likes."""
        while True:
            event = await self.next()
            if event["type"] == wanted if isinstance(wanted, str) else wanted(event):
                return event

    async def update(self, **session: Any) -> Event:
        """Updates the session and returns what it is then."""
        await self.send("session.update", session=session)
        updated: Event = (await self.until("session.updated"))["session"]
        return updated

    async def error(self) -> Event:
        """The next event, which is an error."""
        event = await self.next()
        assert event["type"] == "error", event
        error: Event = event["error"]
        return error

    async def closed(self) -> int | None:
        """Reads on to the end of the connection: its close code."""
        while not self.socket.closed:
            message = await self.socket.receive(timeout=30)
            if message.type is aiohttp.WSMsgType.TEXT:
                self.events.append(json.loads(message.data))
        return self.socket.close_code


def url(emulator: Emulator, model: str = "gpt-4.1", *, version: str = "2026-07-15", **query: str) -> str:
    """Where a session opens."""
    extra = "".join(f"&{key}={value}" for key, value in query.items())
    return f"{emulator.endpoint}/voice-live/realtime?api-version={version}&model={model}{extra}"


@asynccontextmanager
async def conversation(
    script: Script, *, model: str = "gpt-4.1", keep_audio: bool = False, **query: str
) -> AsyncIterator[tuple[Wire, Session]]:
    """An emulator and one connected client, behind ``session.created``."""
    async with (
        Emulator(script, keep_audio=keep_audio) as emulator,
        aiohttp.ClientSession(headers={"api-key": "any"}) as http,
        http.ws_connect(url(emulator, model, **query), max_msg_size=64 << 20) as socket,
    ):
        wire = Wire(socket)
        await wire.until("session.created")
        yield wire, await emulator.session()


async def answered(script: Script, model: str = "gpt-4.1", **session: Any) -> tuple[dict[str, Any], list[str]]:
    """The response to a typed question with these settings of the session, and the violations so far."""
    async with conversation(script, model=model) as (wire, emulated):
        await wire.update(**session)
        typed = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello?"}]}
        await wire.send("conversation.item.create", item=typed)
        await wire.send("response.create")
        response: dict[str, Any] = (await wire.until("response.done"))["response"]
        return response, emulated.violations
