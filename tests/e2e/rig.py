"""A gateway and the emulator on sockets of this process, and what the gateway told of its calls."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, MutableMapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import structlog
from prometheus_client.parser import text_string_to_metric_families

from gateway.app import Gateway, serving
from gateway.audio.formats import AudioFormat
from gateway.call.record import CallIdentity, TimedNote
from gateway.cli.emulated_identity import EmulatedIdentity
from gateway.config import Deployment, Lines, load_deployment
from gateway.sim.emulator import Emulator, Script, Session
from gateway.sim.emulator.script import Latency
from gateway.tracing.environment import Exports

NUMBER = "+14255550100"
LINE = f'numbers: ["{NUMBER}"]\ninstructions: Answer the phone.\ngreeting: Hello.\nmodel: gpt-4.1\n'
GATEWAY = 'providers: {twilio: {}}\nstreams: {auth: "off"}\n'
"""Any stream is let in: who may open one is a matter of its own tests."""


def instant(*turns: Mapping[str, Any], **keys: Any) -> Script:
    """A script without any waiting in it."""
    latency = {**Latency.none().model_dump(), **keys.pop("latency_ms", {})}
    return Script.model_validate(
        {"turns": list(turns) or [{"say": "Yes."}], "latency_ms": latency, "vad": "scripted", "pace": 10_000, **keys}
    )


def configuration(folder: Path, lines: Mapping[str, str] | None = None, gateway: str = GATEWAY) -> Path:
    """Write a configuration; returns its ``gateway.yaml``."""
    (folder / "lines").mkdir(parents=True, exist_ok=True)
    (folder / "gateway.yaml").write_text(gateway, "utf-8")
    for name, text in (lines or {"support": LINE}).items():
        (folder / "lines" / f"{name}.yaml").write_text(text, "utf-8")
    return folder / "gateway.yaml"


def save(file: Path, text: str) -> None:
    """Write a file as a careful editor does: whoever reads it meanwhile sees the old one or the new one."""
    beside = file.with_name(f".{file.name}.new")
    beside.write_text(text, "utf-8")
    beside.replace(file)


def load(file: Path, environ: Mapping[str, str] | None = None) -> tuple[Deployment, Lines]:
    """The configuration as the commands read it."""
    deployment = load_deployment(file, environ or {})
    return deployment, Lines(deployment)


@dataclass
class Rig:
    """What a test holds: both ends, and the gateway's notes by call."""

    emulator: Emulator
    gateway: Gateway
    notes: dict[str, list[TimedNote]] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def stream_url(self) -> str:
        """Where a phone opens its stream."""
        return self.gateway.url.replace("http", "ws", 1) + "/stream/twilio"

    def observe(self, identity: CallIdentity, note: TimedNote) -> None:
        """Keep a note."""
        self.notes.setdefault(identity.call_id, []).append(note)
        self._changed.set()

    async def until(self, happened: Callable[[], object]) -> None:
        """Return once ``happened()`` is true; it is asked again after every note of a call."""
        while not happened():
            self._changed.clear()
            await self._changed.wait()

    def fields(self, call_id: str, kind: str) -> list[dict[str, object]]:
        """The fields of all notes of a kind."""
        return [noted.note.fields() for noted in self.notes.get(call_id, ()) if noted.note.event == kind]

    async def end_of(self, call_id: str) -> dict[str, object]:
        """Why a call ended, once it has."""
        await self.until(lambda: self.fields(call_id, "call_ended"))
        return self.fields(call_id, "call_ended")[0]

    async def until_quiet(self) -> None:
        """Return once no call and no session is left."""
        while len(self.gateway.calls) or self.emulator.open_sessions:  # noqa: ASYNC110 -- the gateway has no such event
            await asyncio.sleep(0.002)

    async def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples of ``/metrics`` that have this name and these labels; there must be one."""
        async with aiohttp.ClientSession() as http, http.get(f"{self.gateway.url}/metrics") as response:
            text = await response.text()
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        found = [s.value for s in samples if s.name == name and labels.items() <= s.labels.items()]
        assert found, f"there is no {name} with {labels}"
        return sum(found)


@asynccontextmanager
async def rig(
    file: Path,
    script: Script,
    *,
    environ: Mapping[str, str] | None = None,
    limit_s: float = 30,
    clock: Callable[[], float] | None = None,
    exports: Exports | None = None,
    recordings: Path | None = None,
    keep_records: bool = False,
    live: Path | None = None,
    **emulator: Any,
) -> AsyncIterator[Rig]:
    """Emulator and gateway, until the block ends; a block that takes longer than ``limit_s`` has hung."""
    deployment, lines = load(file, environ)
    async with asyncio.timeout(limit_s), Emulator(script, **emulator) as service:
        held: list[Rig] = []

        def observe(identity: CallIdentity, note: TimedNote) -> None:
            held[0].observe(identity, note)

        async with serving(
            deployment,
            lines,
            endpoint=service.endpoint,
            api_key="any",
            identity=EmulatedIdentity(),
            host="127.0.0.1",
            port=0,
            observers=(observe,),
            recordings=recordings,
            live=live,
            clock=clock or asyncio.get_running_loop().time,
            exports=exports,
            keep_records=keep_records,
        ) as gateway:
            held.append(Rig(service, gateway))
            yield held[0]


class Log:
    """What is logged, as it is logged."""

    def __init__(self) -> None:
        self.entries: list[MutableMapping[str, Any]] = []
        self._grown = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def __call__(self, logger: object, method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        self.entries.append({**entry, "log_level": method})
        self._loop.call_soon_threadsafe(self._grown.set)
        raise structlog.DropEvent

    def of(self, event: str, **fields: object) -> list[MutableMapping[str, Any]]:
        """The entries of that event with those fields."""
        wanted = {"event": event, **fields}
        return [entry for entry in self.entries if all(entry.get(name) == value for name, value in wanted.items())]

    async def until(self, event: str, **fields: object) -> MutableMapping[str, Any]:
        """Wait for an entry of that event with those fields, and return the first."""
        while not (found := self.of(event, **fields)):
            await self.grown()
        return found[0]

    async def grown(self) -> None:
        """Wait for one more entry."""
        self._grown.clear()
        await self._grown.wait()


@contextmanager
def listening(*, bound: bool = False) -> Iterator[Log]:
    """Hear what is logged in place of printing it, from any thread; with ``bound``, with the fields of its call."""
    heard = Log()
    processors = structlog.get_config()["processors"]
    before = list(processors)
    processors[:] = [
        *([structlog.contextvars.merge_contextvars] if bound else []),
        heard,
    ]  # in place: loggers that were used before hold this list
    try:
        yield heard
    finally:
        processors[:] = before


async def noise(text: str, audio_format: AudioFormat, *, language: str = "en") -> bytes:
    """Stands in for the emulator's voice: ``"4013 ms of …"`` is so long, and no two texts have a frame in common."""
    milliseconds = text.partition(" ms")[0]
    size = float(milliseconds) if milliseconds != text else 20 * len(text)
    return random.Random(text).randbytes(round(size * audio_format.bytes_per_ms))


async def session_of(rig: Rig, call_id: str) -> Session:
    """The Voice Live session of a call, once it is ready."""
    await rig.until(lambda: rig.fields(call_id, "session_ready"))
    session_id = rig.fields(call_id, "session_ready")[0]["session_id"]
    return next(session for session in rig.emulator.sessions if session.id == session_id)
