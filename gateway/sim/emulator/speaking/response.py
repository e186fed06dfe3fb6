"""One response: its events in the order of its engine's class, at the pace of its script, until done or cancelled.

The order is that of recorded sessions; cancellation ends with ``response.done``, there is no ``response.cancelled``.
"""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from gateway.sim.emulator.function_calls import call_function, undeclared_function
from gateway.sim.emulator.history import Entry, History
from gateway.sim.emulator.ids import new_id
from gateway.sim.emulator.mcp import McpRun, McpServers
from gateway.sim.emulator.on_demand import server_error
from gateway.sim.emulator.outgoing import Outgoing
from gateway.sim.emulator.record import Event
from gateway.sim.emulator.refusing.failing import failure_of
from gateway.sim.emulator.script import Answer, Script
from gateway.sim.emulator.settings.engine import voice_echo
from gateway.sim.emulator.settings.fields import ResponseFields
from gateway.sim.emulator.settings.formats import OUTPUT
from gateway.sim.emulator.settings.settings import Settings
from gateway.sim.emulator.speaking.deltas import AZURE_DELTAS_MS, OPENAI_DELTAS_MS, slices
from gateway.sim.emulator.speaking.interim import interim_of
from gateway.sim.emulator.speaking.limit import within
from gateway.sim.emulator.speaking.output import Output
from gateway.sim.emulator.speaking.status import STATUS, details
from gateway.sim.emulator.speaking.timing import Beside
from gateway.sim.emulator.speaking.usage import TokenQuota, usage
from gateway.sim.emulator.speaking.words import TOKEN, Words, has_times
from gateway.sim.faults.plan import Mute
from gateway.sim.speech import spoken

_MS_PER_CHARACTER = 65
"""The time of a character of a text that is written, at the pace of speech; ``pace`` makes it shorter."""
Choose = Callable[[str | Event, Sequence[Event]], Answer]
"""A function that chooses the answer, under a ``tool_choice`` and these tools."""


@dataclass(frozen=True)
class Scene:
    """The objects that every response of a session works with."""

    script: Script
    settings: Settings
    history: History
    out: Outgoing
    mcp: McpServers
    spawn: Callable[[Coroutine[Any, Any, None]], object]
    violated: Callable[[str, str], None]
    """A function that takes what the client did wrong: the rule and what happened."""
    quota: TokenQuota


class Response:
    """One response, active from an accepted request (or a turn of the caller) to its ``response.done``."""

    def __init__(self, scene: Scene, choose: Choose, request: ResponseFields) -> None:
        self._scene = scene
        self._request = request
        choice, self._tools = self._tool_choice()
        self._answer = choose(choice, self._tools)
        self._put = self._answer
        self._native = scene.settings.native
        self.id = new_id("resp", native=self._native)
        self.cancel_reason: str | None = None
        self.finished = asyncio.Event()
        self._cancelled = asyncio.Event()
        self._cut_short = False
        self._failure = "server_error"
        self._fillers = 0
        self._output = Output(self.id, scene.history, scene.out)
        self._format_name = request.output_audio_format or scene.settings.output_name
        self._format_asked = request.output_audio_format or scene.settings.output_format_asked
        self._modalities = request.modalities or scene.settings.echo["modalities"]

    @property
    def answer(self) -> Answer:
        """The answer, chosen when it was asked for: a turn that comes meanwhile has an answer of its own."""
        return self._answer

    @property
    def is_silent(self) -> bool:
        """True if the response has put out nothing."""
        return not self._output.entries

    @property
    def waits_for_outputs(self) -> bool:
        """True if a function that the response has called has no output yet."""
        items = self._scene.history.items
        outputs = {item["call_id"] for item in items if item["type"] == "function_call_output"}
        calls = (entry.item for entry in self._output.entries if entry.item["type"] == "function_call")
        return any(call["call_id"] not in outputs for call in calls)

    def cancel(self, reason: str) -> None:
        """Ask for the end: ``turn_detected`` or ``client_cancelled``. What is late still goes out."""
        self.cancel_reason = reason
        self._cancelled.set()

    async def run(self, ready: Callable[[], Awaitable[object]] | None = None) -> None:
        """Run the whole response, once ``ready`` has come about. ``response.created`` is sent even after a cancel."""
        latency, faults = self._scene.script.latency_ms, self._scene.script.faults
        if ready is not None:
            await ready()
        await self._pause(latency.create / 1000)
        answer = self._answer
        mute = self._scene.out.on_demand.response_begins(_now())
        if mute is not None and mute.answers != "created" and await self._is_unanswered(mute):
            return
        await self._emit_whole("response.created", "in_progress")
        if mute is not None and mute.answers == "created":
            await self._say_nothing(mute.for_s)
        begin_at = _now() + latency.first_delta / 1000 + faults.stall_s
        audio = await self._audio(answer.say)
        answer, audio = self._limited(answer, audio)
        self._put = answer
        await self._fill(begin_at)
        objection = self._objection()
        ending = answer.ending if objection is None else "failed"
        if ending != "failed" and not answer.silent:
            await self._put_out(answer, audio)
        reason = objection or answer.ending
        await self._emit_whole("response.done", "cancelled" if self._cut_short else STATUS[ending], reason)
        self.finished.set()

    async def _is_unanswered(self, mute: Mute) -> bool:
        """Answer a request by an error or by nothing, as a mute service does; return ``False`` once it speaks again."""
        if mute.answers == "error":
            await self._scene.out.emit("error", error=server_error("server_error"))
            self._cancelled.set()
        unanswered = await self._say_nothing(mute.for_s)
        if unanswered:
            self.finished.set()
        return unanswered

    async def _say_nothing(self, for_s: float | None) -> bool:
        """Wait as long as the service is mute; return ``True`` when the response is cancelled meanwhile."""
        if for_s is not None:
            return await self._pause(for_s)
        await self._cancelled.wait()
        return True

    async def _fill(self, begin_at: float) -> None:
        """Wait until the answer begins, and say the words of an interim response where that takes too long."""
        echo = self._scene.settings.echo
        interim = interim_of(
            self._request.interim_response, echo.get("interim_response"), "latency", self._scene.script
        )
        if interim is not None and interim[1] < begin_at - _now() and "audio" in self._modalities:
            self._cut_short = await self._pause(interim[1])
            if not self._cut_short:
                self._fillers += 1
                await self._speak(interim[0], await self._audio(interim[0]))
        if not self._cut_short:
            self._cut_short = await self._pause(begin_at - _now())

    async def _put_out(self, answer: Answer, audio: bytes) -> None:
        if answer.say is not None and not self._cut_short:
            if "audio" in self._modalities:
                await self._speak(answer.say, audio)
            else:
                await self._write(answer.say)
        for call in answer.all_calls:
            if not self._cut_short:
                entry = await call_function(self._output, call, native=self._native)
                await self._output.close(entry, self._item_status)
        begun = [
            await self._scene.mcp.begin(self._output, call, self._tools)
            for call in answer.all_mcp
            if not self._cut_short
        ]
        await self._run_to_the_end([run for run in begun if run is not None])

    async def _run_to_the_end(self, runs: Sequence[McpRun]) -> None:
        """Wait for calls of tool servers; a cancelled response does not stop them, and some outlast theirs."""
        mcp = self._scene.mcp
        for run in sorted(runs, key=lambda run: run.ends_at):
            if not run.call.response_done_first and not self._cut_short:
                self._cut_short = await self._pause(run.ends_at - _now())
            if run.call.response_done_first or self._cut_short:
                self._scene.spawn(mcp.finish_later(run, behind=self.finished))
            else:
                await mcp.finish(run)

    def _objection(self) -> str | None:
        """Return why the response fails before its first output: its settings, or a call that nobody declared."""
        engine, answer = self._scene.settings.engine, self._answer
        if self._scene.quota.is_exhausted(_now()):
            self._failure = "rate_limit_exceeded"
            return "Rate limit reached: too many tokens per minute."
        failing = failure_of(engine, self._scene.settings.echo, self._request)
        if failing is not None:
            self._scene.violated("failing_settings", failing)
            return failing
        if engine.agent is None and (undeclared := undeclared_function(answer.all_calls, self._tools)) is not None:
            self._scene.violated("undeclared_function", undeclared)
            return undeclared
        return self._scene.mcp.objection(answer.all_mcp, self._tools)

    def _tool_choice(self) -> tuple[str | Event, Sequence[Event]]:
        """Return the choice and the tools in force for this response."""
        echo, request = self._scene.settings.echo, self._request
        tools = echo["tools"] if request.tools is None else [_plain(tool) for tool in request.tools]
        return _plain(request.tool_choice) or echo["tool_choice"], tools

    async def _pause(self, seconds: float) -> bool:
        """Wait; return at once, and True, when the response is cancelled."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return self._cancelled.is_set()
        try:
            async with asyncio.timeout(seconds):
                await self._cancelled.wait()
        except TimeoutError:
            return False
        return True

    async def _audio(self, text: str | None) -> bytes:
        if text is None or "audio" not in self._modalities:
            return b""
        language = self._scene.script.language or self._scene.settings.language
        return await spoken(text, OUTPUT[self._format_name], language=language)

    def _limited(self, answer: Answer, audio: bytes) -> tuple[Answer, bytes]:
        """Return what the limit of tokens leaves of the answer; a ready-made message has none."""
        limit = self._max_output_tokens()
        if not isinstance(limit, int) or self._request.pre_generated_assistant_message is not None:
            return answer, audio
        audio_format = OUTPUT[self._format_name]
        whole_ms = audio_format.duration_ms(len(audio))
        limited, share = within(answer, whole_ms, limit)
        return limited, audio if share == 1 else audio[: audio_format.bytes_for(int(whole_ms * share))]

    async def _speak(self, text: str, audio: bytes) -> None:
        entry = await self._open_message("audio")
        part = self._part(entry)
        said = Words(text)
        await self._say(part, said.ahead())
        entry.spoke(said.so_far, 0)
        self._cut_short = await self._pause(self._scene.script.latency_ms.first_audio / 1000)
        await self._stream(entry, part, said, audio)
        if not self._cut_short:
            await self._say(part, said.rest())
        await self._close_message(entry, part, said.so_far)

    async def _stream(self, entry: Entry, part: Event, said: Words, audio: bytes) -> None:
        script = self._scene.script
        audio_format = OUTPUT[self._format_name]
        whole_ms = audio_format.duration_ms(len(audio))
        deltas = list(slices(audio, audio_format, self._delta_sizes_ms()))
        gap_before = (len(deltas) // script.burst + 1) // 2 * script.burst
        start, sent_ms, late_left = _now(), 0.0, script.late_deltas
        beside = self._beside(part, said.text, whole_ms)
        for index, delta in enumerate(deltas):
            if not self._cut_short and index and index % script.burst == 0:
                start += script.faults.gap_s if index == gap_before else 0
                self._cut_short = await self._pause(start + sent_ms / 1000 / script.pace - _now())
            if self._cut_short and late_left == 0:
                return
            late_left -= self._cut_short
            entry.first_delta_at = entry.first_delta_at or _now()
            size_ms = audio_format.duration_ms(len(delta))
            sent_ms += size_ms
            await self._say(part, said.until(sent_ms / whole_ms))
            entry.spoke(said.so_far, sent_ms)  # before a client that is quick can truncate it
            encoded = b64encode(delta).decode("ascii")
            await self._scene.out.emit_audio(len(delta), response_id=self.id, **part, delta=encoded)
            await beside.until(sent_ms)

    async def _say(self, part: Event, tokens: list[str]) -> None:
        for token in tokens:
            await self._emit("response.audio_transcript.delta", **part, delta=token)

    @property
    def _voice_type(self) -> str:
        asked = self._request.voice
        return str(asked.type if asked is not None else self._scene.settings.echo["voice"]["type"])

    def _beside(self, part: Event, text: str, whole_ms: float) -> Beside:
        echo = self._scene.settings.echo
        outputs = (echo["animation"] or {}).get("outputs") or ()
        timed = has_times(self._voice_type)
        return Beside(
            self._emit,
            part,
            text,
            whole_ms,
            words=timed and bool(echo["output_audio_timestamp_types"]),
            visemes=timed and "viseme_id" in outputs,
            shapes=timed and "blendshapes" in outputs,
        )

    def _delta_sizes_ms(self) -> tuple[int, ...]:
        return OPENAI_DELTAS_MS if self._voice_type == "openai" else AZURE_DELTAS_MS

    async def _write(self, text: str) -> None:
        entry = await self._open_message("text")
        part = self._part(entry)
        written = ""
        for token in TOKEN.findall(text):
            self._cut_short = await self._pause(len(token) * _MS_PER_CHARACTER / 1000 / self._scene.script.pace)
            if self._cut_short:
                break
            written += token
            await self._emit("response.text.delta", **part, delta=token)
        entry.item["content"] = [{"type": "text", "text": written}]
        if "animation" in self._modalities:  # a face without a voice
            whole_ms = len(written) * _MS_PER_CHARACTER
            await (beside := self._beside(part, written, whole_ms)).until(whole_ms)
            await beside.done()
        entry.item["status"] = "incomplete" if self._cut_short else self._item_status
        if self._cut_short and not self._scene.script.done_events_on_cancel:
            return
        await self._emit("response.text.done", **part, text=written)
        await self._emit(
            "response.content_part.done", **part, part={"type": "text", "text": "" if self._native else written}
        )
        await self._output.close(entry, entry.item["status"])

    async def _open_message(self, kind: str) -> Entry:
        item: Event = {
            "id": new_id("item" if self._native else "msg", native=self._native),
            "object": "realtime.item",
            "type": "message",
            "status": "in_progress" if self._native else "incomplete",
            "role": "assistant",
            "content": [],
        }
        entry = await self._output.open(item)
        empty = {"type": "audio", "transcript": ""} if kind == "audio" else {"type": "text", "text": ""}
        await self._emit("response.content_part.added", **self._part(entry), part=empty)
        return entry

    async def _close_message(self, entry: Entry, part: Event, transcript: str) -> None:
        content = {"type": "audio", "transcript": transcript}
        entry.spoke(transcript, entry.audio_ms or 0)
        entry.item["status"] = "incomplete" if self._cut_short else self._item_status
        if self._cut_short and not self._scene.script.done_events_on_cancel:
            return
        await self._emit("response.audio.done", **part)
        await self._beside(part, "", 0).done()
        await self._emit("response.audio_transcript.done", **part, transcript=transcript)
        await self._emit("response.content_part.done", **part, part=content)
        await self._output.close(entry, entry.item["status"])

    @property
    def _item_status(self) -> str:
        """The status of an uninterrupted item: incomplete if it is the last one of a response that ended early."""
        answer = self._put
        count = self._fillers + (answer.say is not None) + len(answer.all_calls) + len(answer.all_mcp)
        is_last = len(self._output.entries) == count
        return "incomplete" if is_last and STATUS[answer.ending] == "incomplete" else "completed"

    def _part(self, entry: Entry) -> Event:
        return {"item_id": entry.id, "output_index": self._output.index(entry), "content_index": 0}

    async def _emit(self, event_type: str, **fields: Any) -> None:
        await self._output.emit(event_type, **fields)

    def _max_output_tokens(self) -> int | str | None:
        request = self._request
        asked = request.max_output_tokens or request.max_response_output_tokens
        limit: int | str = asked or self._scene.settings.echo["max_response_output_tokens"] or "inf"
        return None if limit == "inf" and not self._native else limit

    async def _emit_whole(self, event_type: str, status: str, reason: str | None = None) -> None:
        echo, request = self._scene.settings.echo, self._request
        response: Event = {
            "object": "realtime.response",
            "id": self.id,
            "status": status,
            "status_details": details(status, self.cancel_reason if status == "cancelled" else reason, self._failure),
            "output": [entry.shown for entry in self._output.entries],
            "usage": None if status == "in_progress" else usage(self._scene.history.entries, self._output.entries),
            "conversation_id": self._scene.settings.conversation_id,
            "modalities": self._modalities,
            "voice": echo["voice"] if request.voice is None else voice_echo(_plain(request.voice)),
            "output_audio_format": self._format_asked,
            "temperature": echo.get("temperature") if request.temperature is None else request.temperature,
            "max_output_tokens": self._max_output_tokens(),
            "metadata": request.metadata,
        }
        if response["usage"] is not None:
            self._scene.quota.take(response["usage"]["total_tokens"], _now())
        await self._scene.out.emit(event_type, response=response)


def _plain(value: object) -> Any:
    """Return a field as JSON would have it."""
    return value.model_dump(exclude_unset=True) if isinstance(value, BaseModel) else value


def _now() -> float:
    return asyncio.get_running_loop().time()
