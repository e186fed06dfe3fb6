"""The caller's side of a session: the input buffer, its voice activity, and the handling of a committed turn."""

import asyncio
import binascii
from collections import deque

from gateway.sim.emulator.dialogue import Dialogue
from gateway.sim.emulator.history import Entry
from gateway.sim.emulator.ids import new_id
from gateway.sim.emulator.listening.ear import Ear, Onset, Pause
from gateway.sim.emulator.listening.floor import Floor, Spawn
from gateway.sim.emulator.record import Event, Rejected
from gateway.sim.emulator.script import Transcription
from gateway.sim.emulator.speaking.response import Response, Scene

_APPEND_LIMIT_BYTES = 15 << 20
_COMMIT_MINIMUM_MS = 100
_WITHOUT_ITEM_DONE = "2026-07-15"
"""From this version on native models report a spoken turn's item once; recordings of July report it done as well."""
_LOCALES = {"en": "en-US", "de": "de-DE", "fr": "fr-FR", "es": "es-ES"}


class Turns:
    """The turns of the caller: takes appended audio; emits speech events, commits, transcripts; asks for the answer."""

    def __init__(self, scene: Scene, floor: Floor, dialogue: Dialogue, spawn: Spawn) -> None:
        self._scene = scene
        self._floor = floor
        self._dialogue = dialogue
        self._spawn = spawn
        settings = scene.settings
        self.format = settings.input_format
        """The format of appended audio."""
        self._delay_ms = scene.script.latency_ms.detection
        self._listens = scene.script.vad == "audio"
        self._deaf_updates = 2 if scene.script.faults.deaf else 0
        """So many updates are to come before speech is reported."""
        self._ear = Ear(self.format, settings.sensitivity)
        self._reported_later: deque[tuple[float, Onset | Pause]] = deque()
        self._buffered_ms = 0.0
        self._item_id: str | None = None
        self._last_item_id: str | None = None
        self._is_filler = False
        self._ready = asyncio.Event()
        self._ready.set()
        self.appended_bytes = 0

    @property
    def position_ms(self) -> int:
        """The position of the audio clock, in milliseconds."""
        return self._ear.position_ms

    async def ready(self) -> None:
        """Return once the last committed turn is part of the conversation."""
        await self._ready.wait()

    def settings_changed(self) -> None:
        """Take the session's numbers, and its format, after an update."""
        settings = self._scene.settings
        self._deaf_updates = max(0, self._deaf_updates - 1)
        if settings.input_format != self.format:
            self.format = settings.input_format
            position_ms = self._ear.position_ms
            self._ear = Ear(self.format, settings.sensitivity)
            self._ear.position_ms = position_ms
        elif settings.sensitivity != self._ear.sensitivity:
            self._ear.tune(settings.sensitivity)
        if settings.turn_detection is None:
            self._ear.forget()

    async def append(self, encoded: object) -> bytes:
        """Take the audio of one ``input_audio_buffer.append``, and return it decoded."""
        audio = self._decoded(encoded)
        self.appended_bytes += len(audio)
        self._buffered_ms += self.format.duration_ms(len(audio))
        if not self._listens or self._deaf_updates or self._scene.settings.turn_detection is None:
            self._ear.skip(len(audio))
            return audio
        for found in self._ear.feed(audio):
            self._reported_later.append((found.at_ms + self._delay_ms, found))
        while self._reported_later and self._reported_later[0][0] <= self._ear.position_ms:
            await self._tell(self._reported_later.popleft()[1])
        return audio

    async def _tell(self, found: Onset | Pause) -> None:
        if isinstance(found, Onset):
            await self.speech_started(found.audio_start_ms)
        else:
            await self.speech_stopped(found.audio_end_ms, found.speech_ms)

    def _decoded(self, encoded: object) -> bytes:
        if not isinstance(encoded, str):
            raise Rejected("Missing required parameter: 'audio'.", code="missing_required_parameter", param="audio")
        try:
            audio = binascii.a2b_base64(encoded, strict_mode=True) if encoded else b""
        except ValueError as error:
            raise Rejected(
                "Invalid 'audio'. Expected base64-encoded audio bytes.", code="invalid_value", param="audio"
            ) from error
        if len(audio) > _APPEND_LIMIT_BYTES:
            raise Rejected("'audio' is larger than 15 MiB.", code="invalid_value", param="audio")
        if len(audio) % self.format.sample_bytes:
            raise Rejected(
                f"Invalid 'audio': {len(audio)} bytes of pcm16 are not whole samples.",
                code="invalid_value",
                param="audio",
            )
        return audio

    async def speech_started(self, audio_start_ms: int) -> None:
        """Take the beginning of the caller's speech, by voice activity or because a test asks for it."""
        settings, out = self._scene.settings, self._scene.out
        if settings.detects("remove_filler_words") and self._dialogue.next_is_filler:
            self._is_filler = True
            return
        self._item_id = new_id("item", native=settings.native)
        await out.emit("input_audio_buffer.speech_started", audio_start_ms=audio_start_ms, item_id=self._item_id)
        now = asyncio.get_running_loop().time()
        interrupted = self._floor.interrupt() if settings.detects("interrupt_response") else None
        if settings.detects("auto_truncate"):
            self._spawn(self._auto_truncate(interrupted, now))

    async def _auto_truncate(self, interrupted: Response | None, now: float) -> None:
        if interrupted is not None:
            await interrupted.finished.wait()
        truncated = self._scene.history.auto_truncate(now)
        if truncated is not None:
            item_id, kept_ms = truncated
            await self._scene.out.emit(
                "conversation.item.truncated", item_id=item_id, content_index=0, audio_end_ms=kept_ms
            )

    async def speech_stopped(self, audio_end_ms: int, speech_ms: int, words: str | None = None) -> None:
        """Take the end of the caller's speech: the turn is committed and, if the session asks for it, answered."""
        if self._is_filler:
            self._is_filler = False
            self._dialogue.filler_ignored()
            self._forget()
            return
        item_id = self._item_id or new_id("item", native=self._scene.settings.native)
        await self._scene.out.emit("input_audio_buffer.speech_stopped", audio_end_ms=audio_end_ms, item_id=item_id)
        await self._commit(item_id, speech_ms, words)
        if self._scene.settings.detects("create_response"):
            await self._floor.answer_turn(self._ready.wait)

    async def commit(self) -> None:
        """Take a client's ``input_audio_buffer.commit``: an item, and no response."""
        if self._buffered_ms < _COMMIT_MINIMUM_MS:
            raise Rejected(
                "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, "
                f"but buffer only has {self._buffered_ms:.2f}ms of audio.",
                code="input_audio_buffer_commit_empty",
            )
        item_id = self._item_id or new_id("item", native=self._scene.settings.native)
        self._ear.forget()
        self._reported_later.clear()
        await self._commit(item_id, int(self._buffered_ms))

    async def clear(self) -> None:
        """Take a client's ``input_audio_buffer.clear``; the audio clock goes on."""
        self._forget()
        self._ear.forget()
        self._reported_later.clear()
        await self._scene.out.emit("input_audio_buffer.cleared")

    def _forget(self) -> None:
        self._buffered_ms = 0
        self._item_id = None

    async def _commit(self, item_id: str, speech_ms: int, words: str | None = None) -> None:
        self._forget()
        scene = self._scene
        # A turn that still waits for its transcript is not in the history yet.
        previous = scene.history.previous_of_speech() if self._ready.is_set() else self._last_item_id
        transcript = self._dialogue.turn_taken(speech_ms)
        outcome = self._dialogue.transcription
        item: Event = {
            "id": item_id,
            "object": "realtime.item",
            "type": "message",
            "status": "completed",
            "role": "user",
            "content": [{"type": "input_audio", "transcript": None}],
        }
        await scene.out.emit("input_audio_buffer.committed", previous_item_id=previous, item_id=item_id)
        if outcome == "empty_duplicate" and self._last_item_id is not None:
            await self._completed(self._last_item_id, "")
        self._last_item_id = item_id
        entry = Entry(item, speech_ms=speech_ms)
        self._ready = asyncio.Event()
        if scene.settings.native:
            await self._join(entry, previous, self._ready)
            if scene.settings.transcribes:
                self._spawn(self._transcribe(entry, words or transcript, outcome))
        else:
            self._spawn(self._transcribe_first(entry, previous, words or transcript, self._ready, outcome))

    async def _join(self, entry: Entry, previous: str | None, ready: asyncio.Event) -> None:
        """Make the turn a part of the conversation."""
        self._scene.history.append(entry)
        about = {"previous_item_id": previous, "item": entry.shown}
        await self._scene.out.emit("conversation.item.created", **about)
        if self._scene.settings.native and self._scene.settings.engine.api_version < _WITHOUT_ITEM_DONE:
            await self._scene.out.emit("conversation.item.done", **about)
        ready.set()

    async def _transcribe_first(
        self, entry: Entry, previous: str | None, transcript: str, ready: asyncio.Event, outcome: Transcription
    ) -> None:
        """Join after the transcript (cascaded): the text model needs it before the item and its answer."""
        await self._transcribe(entry, transcript, outcome)
        await self._join(entry, previous, ready)

    async def _transcribe(self, entry: Entry, transcript: str, outcome: Transcription) -> None:
        script, settings = self._scene.script, self._scene.settings
        await asyncio.sleep(script.latency_ms.transcription / 1000)
        match outcome:
            case "empty":
                await self._completed(entry.id, "")
                return
            case "never":
                return
            case "failed":
                error = {
                    "type": "transcription_error",
                    "code": "audio_unintelligible",
                    "message": "The audio could not be transcribed.",
                    "param": None,
                }
                await self._scene.out.emit(
                    "conversation.item.input_audio_transcription.failed",
                    item_id=entry.id,
                    content_index=0,
                    error=error,
                )
                return
        if settings.transcribes not in ("azure-speech", None):
            await self._scene.out.emit(
                "conversation.item.input_audio_transcription.delta",
                item_id=entry.id,
                content_index=0,
                delta=transcript,
            )
        entry.item["content"] = [{"type": "input_audio", "transcript": transcript}]
        await self._completed(entry.id, transcript)

    async def _completed(self, item_id: str, transcript: str) -> None:
        extra = {}
        if self._scene.settings.transcribes == "azure-speech" and transcript:
            language = self._scene.script.language or self._scene.settings.language
            extra["language"] = _LOCALES.get(language, language)
        await self._scene.out.emit(
            "conversation.item.input_audio_transcription.completed",
            item_id=item_id,
            content_index=0,
            transcript=transcript,
            **extra,
        )
