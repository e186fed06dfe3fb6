"""Words for callers whose session is lost, rendered in each line's own voice before they are needed, and kept."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import numpy as np
import structlog

from gateway.audio.formats import L16_8K, L16_16K, L16_24K, PCMA, PCMU, AudioFormat
from gateway.audio.sound import Sound
from gateway.audio.wav import write_wav
from gateway.config import Line
from gateway.errors import GatewayError, RecordingError
from gateway.voice.commands import SayText, said_by_the_model
from gateway.voice.endpoints.pooled import Service
from gateway.voice.events import ReplyAudio, ResponseEnded, ServiceError, SessionReady, VoiceClosed, VoiceEvent
from gateway.voice.leg import VoiceLeg
from gateway.voice.proposals import proposals_for
from gateway.voice.texts import CallFacts

log = structlog.get_logger()

RENDER_LIMIT_S = 30.0
"""A phrase that was not spoken by then is not rendered."""
RETRY_S = 60.0
"""A phrase that could not be rendered is tried again when it is asked for, this much later at the earliest."""
AT_ONCE = 2
"""Sessions that render at once: callers need the quota."""


class RenderingError(GatewayError):
    """A text was not spoken."""


class Phrases:
    """The phrases of all lines. Use as an async context manager; what is being rendered at its end is given up.

    ``folder`` keeps them between starts, if given.
    """

    def __init__(self, service: Service, folder: Path | None = None) -> None:
        self._service = service
        self._folder = folder
        self._known: dict[str, Sound] = {}
        self._busy: set[str] = set()
        self._again_at: dict[str, float] = {}
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(AT_ONCE)

    async def __aenter__(self) -> "Phrases":
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await self._group.__aexit__(None, None, None)

    def begin(self, lines: Iterable[Line]) -> None:
        """Render the phrases of these lines in the background."""
        for line in lines:
            self._ask(line)

    def of(self, line: Line, audio_format: AudioFormat) -> Callable[[], bytes]:
        """Return what gives the phrase of a line in a format; empty as long as there is none."""
        trouble = line.trouble
        if trouble.play:
            return lambda: line.sounds[str(trouble.play)].encoded(audio_format)
        if not trouble.say or line.settings.only_listens:
            return bytes
        key = _key(line)
        self._ask(line)
        return lambda: self._known[key].encoded(audio_format) if key in self._known else b""

    def _ask(self, line: Line) -> None:
        trouble, now = line.trouble, asyncio.get_running_loop().time()
        if not trouble.say or not trouble.tries or line.settings.only_listens:
            return
        key = _key(line)
        if key in self._known or key in self._busy or now < self._again_at.get(key, 0.0):
            return
        self._busy.add(key)
        task = self._group.create_task(self._render(line, trouble.say, key))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _render(self, line: Line, text: str, key: str) -> None:
        try:
            async with self._room:
                sound = await asyncio.to_thread(self._read, key) or await rendered(self._service, line, text)
                await asyncio.to_thread(_encode_all, sound)
                self._known[key] = sound
                await asyncio.to_thread(self._keep, key, sound)
        except RenderingError as error:
            self._again_at[key] = asyncio.get_running_loop().time() + RETRY_S
            log.warning("phrase_not_rendered", line=line.name, detail=str(error))
        except Exception:  # a bug in what only covers a fault must not end the calls of the process
            log.exception("phrase_failed", line=line.name)
        finally:
            self._busy.discard(key)

    def _file(self, key: str) -> Path | None:
        return self._folder / f"{key}.wav" if self._folder else None

    def _read(self, key: str) -> Sound | None:
        file = self._file(key)
        if file is None or not file.exists():
            return None
        try:
            return Sound.read(file)
        except RecordingError as error:
            log.warning("phrase_not_read", file=str(file), detail=str(error))
            return None

    def _keep(self, key: str, sound: Sound) -> None:
        """Write a phrase beside its name and rename it, so that another worker never reads half of it."""
        file = self._file(key)
        if file is None or file.exists():
            return
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            beside = file.with_suffix(f".{id(self):x}.part")
            write_wav(beside, np.frombuffer(sound.encoded(L16_24K), "<i2").astype(np.int16), L16_24K.rate_hz)
            beside.replace(file)
        except OSError as error:
            log.warning("phrase_not_kept", file=str(file), detail=error.strerror or str(error))


def _key(line: Line) -> str:
    """Return the name of a line's phrase: the text, and what decides how it sounds."""
    voice = line.settings.voice.model_dump(mode="json", exclude_none=True)
    sounds = {"say": line.trouble.say, "voice": voice, "model": "" if line.synthesizes else line.model}
    return hashlib.sha256(json.dumps(sounds, sort_keys=True).encode()).hexdigest()[:32]


async def rendered(service: Service, line: Line, text: str) -> Sound:
    """Return a text as the line's own voice says it, in a session of its own. Raises ``RenderingError``."""
    facts = CallFacts("phrase", "", "", datetime.now(UTC))
    leg = VoiceLeg(service, proposals_for(line, L16_24K, facts, service.api_version), L16_24K, facts.call_id)
    audio, ends = bytearray(), list[str]()

    def take(event: VoiceEvent) -> None:
        match event:
            case SessionReady():
                leg.send(SayText(text) if line.synthesizes else said_by_the_model(text))
            case ReplyAudio():
                audio.extend(event.audio)
            case ResponseEnded():
                ends.append(event.detail)
                spoken.set()
            case ServiceError() | VoiceClosed():
                ends.append(event.message if isinstance(event, ServiceError) else event.detail)
                spoken.set()

    spoken = asyncio.Event()
    try:
        async with asyncio.timeout(RENDER_LIMIT_S), asyncio.TaskGroup() as group:
            running = group.create_task(leg.run(take))
            await spoken.wait()
            await leg.close()
            running.cancel()
    except TimeoutError:
        ends.append(f"it was not spoken within {RENDER_LIMIT_S:g} s")
    if not audio:
        raise RenderingError(f"nothing was said: {next(filter(None, ends), 'the response was empty')}")
    return Sound(np.frombuffer(bytes(audio), "<i2").astype(np.int16), L16_24K.rate_hz)


def _encode_all(sound: Sound) -> None:
    for audio_format in (PCMU, PCMA, L16_8K, L16_16K, L16_24K):
        sound.encoded(audio_format)
