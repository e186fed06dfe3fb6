"""One connection: its client events in, its server events out, and an account of both."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any

import msgspec
import structlog
from aiohttp import WSMsgType, web

from gateway.sim.emulator.dialect import dialect_of
from gateway.sim.emulator.on_demand import strike_in_time
from gateway.sim.emulator.outgoing import Outgoing
from gateway.sim.emulator.record import Event, Record, Rejected
from gateway.sim.emulator.refusing import agents
from gateway.sim.emulator.refusing.opening import opening_refusal
from gateway.sim.emulator.refusing.responses import Requests
from gateway.sim.emulator.refusing.sessions import CLOSE_CODE, Configuration
from gateway.sim.emulator.script import Script
from gateway.sim.emulator.service import Service
from gateway.sim.emulator.settings.engine import Engine
from gateway.sim.emulator.speaking.supply import Supply
from gateway.sim.emulator.speaking.usage import TokenQuota
from gateway.sim.faults.service import ConnectionFaults

log = structlog.get_logger()
_decode = msgspec.json.Decoder().decode
_DEEPEST = 100
"""The number of nested objects that an event may have."""


class Session:
    """A session as a test sees it: what it can ask about it, and what it can make happen in it.

    ``violations`` holds what the client did wrong, each as ``rule: what happened``; the rules are the codes of the
    errors that the service answers with, and ``audio_stopped``, ``redundant_cancel``, ``not_json``, ``binary_frame``.
    """

    def __init__(
        self,
        script: Script,
        engine: Engine,
        *,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        socket: web.WebSocketResponse,
        transport: asyncio.Transport,
        keep_audio: bool,
        connection: int = 1,
        faults: ConnectionFaults | None = None,
        quota: TokenQuota | None = None,
    ) -> None:
        self._script = script
        self._clock = asyncio.get_running_loop().time
        self._socket = socket
        self._transport = transport
        self._keep_audio = keep_audio
        lifetime_s = script.faults.expire_after_s or engine.lifetime_s
        self._ends_at = self._clock() + lifetime_s
        self._waiting: list[asyncio.Future[None]] = []
        self._background = asyncio.TaskGroup()
        dialect = dialect_of(script.dialect, engine.api_version)
        self._out = Outgoing(socket, transport, script.faults, self._notify, faults, dialect=dialect)
        self._opening = opening_refusal(script.refuse, engine.model, query.get("profile"), connection)
        self._is_voice_agent = engine.agent is not None and script.refuse.agent == "voice"
        self._configuration = Configuration(script.refuse, engine, connection, self._out.cut)
        self._service = Service(
            script,
            engine,
            self._out,
            self._spawn,
            configuration=self._configuration,
            requests=Requests(script.refuse, engine, connection),
            features=query.get("features", ""),
            quota=quota or TokenQuota(script.faults.tokens_per_minute),
            violated=self._violated,
            audio_came=self._audio_came,
        )
        self._supply = Supply()
        self._pending: deque[Event] = deque()
        self._gone = asyncio.Event()
        self._caught_up = asyncio.Event()
        self._caught_up.set()
        self._input_audio = bytearray()
        self.query = dict(query)
        """The query of the handshake, without credentials."""
        self.headers = dict(headers)
        """The headers of the handshake, without credentials."""
        self.model = engine.model
        """The model as asked for, not as resolved."""
        self.updates: list[Event] = []
        """The body of every ``session.update``."""
        self.received: list[Record] = []
        """Every client event but audio."""
        self.violations: list[str] = []
        self.closed = asyncio.Event()
        self.close_code: int | None = None
        """The close code of the connection: that of the first close frame, 1006 for none."""

    @property
    def id(self) -> str:
        """The id of the session: ``sess_…``."""
        return str(self._service.settings.echo["id"])

    @property
    def session(self) -> Event:
        """The effective session, as ``session.updated`` shows it."""
        return self._service.settings.echo

    @property
    def sent(self) -> list[Record]:
        """Every server event; audio deltas as ids and ``bytes``."""
        return self._out.sent

    @property
    def items(self) -> list[Event]:
        """The conversation as the service remembers it, truncations included."""
        return self._service.history.items

    @property
    def appended_bytes(self) -> int:
        """The number of audio bytes received, decoded."""
        return self._service.turns.appended_bytes

    @property
    def input_audio(self) -> bytes:
        """The audio received, where ``Emulator(keep_audio=True)`` keeps it."""
        return bytes(self._input_audio)

    async def until(self, happened: Callable[["Session"], object]) -> None:
        """Return once ``happened(self)`` is true; it is asked again after every event."""
        while not happened(self):
            changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(changed)
            await changed

    async def inject(self, event: Event) -> None:
        """Send a server event of the test's own; it needs a ``type``."""
        fields = {key: value for key, value in event.items() if key != "type"}
        await self._out.emit(str(event["type"]), **fields)

    async def send_raw(self, frame: str | bytes) -> None:
        """Send a text frame as it stands."""
        await self._out.raw(frame)

    async def speech_started(self) -> None:
        """Let the caller begin to speak now."""
        await self._service.turns.speech_started(self._service.turns.position_ms)

    async def speech_stopped(self, words: str | None = None, *, speech_ms: int = 1000) -> None:
        """Let the caller fall silent now, having said ``words`` or what the script has."""
        await self._service.turns.speech_stopped(self._service.turns.position_ms, speech_ms, words)

    def cut(self, how: str = "close", code: int = 1011, reason: str = "") -> None:
        """End the connection now: ``close``, ``reset`` or ``freeze``."""
        self._out.cut(how, code, reason)

    def end(self) -> None:
        """End a session because the emulator stops; a frozen one as well."""
        if self._out.frozen:
            self.abort()
        self._out.cut("close", 1001, "going away")

    def abort(self) -> None:
        """Drop the connection, with everything that is still to be written."""
        self._transport.abort()

    async def run(self) -> None:
        """Serve the connection to its end."""
        log.info("session_opened", **self._about(), model=self.model)
        try:
            async with asyncio.TaskGroup() as group:
                background = group.create_task(self._in_background())
                closer = group.create_task(self._close_when_asked())
                await asyncio.sleep(0)  # lets the background open before anything is to run in it
                await self._open()
                await self._read()
                self._gone.set()
                await self._caught_up.wait()
                self._out.over = True
                background.cancel()
                if not self._out.ending.done():
                    self._check_supply()
                    closer.cancel()
        finally:
            self._out.over = True
            self.close_code = self._socket.close_code or 1006
            self.closed.set()
            self._notify()
            log.info("session_closed", **self._about(), close_code=self.close_code)

    async def _open(self) -> None:
        if self._is_voice_agent:
            for _ in range(self._script.refuse.attempts.limit):
                await self._refuse(agents.invalid_message(), None)
            self._out.cut("close", CLOSE_CODE, "invalid_session_update_message")
            return
        refusal = self._opening
        if refusal is None:
            await self._out.emit("session.created", session=self.session)
            return
        error = Rejected(refusal.message or "", code=refusal.code, param=refusal.param).error(None)
        await self._out.emit("error", error={**error, "type": refusal.type})
        if refusal.then != "stay":
            self._out.cut(refusal.then, CLOSE_CODE, refusal.code or "")

    async def _in_background(self) -> None:
        async with self._background:
            self._out.on_demand.begin(self._clock())
            self._spawn(strike_in_time(self._out, self._out.on_demand))
            cut = self._script.faults.cut
            if cut is not None and cut.after_s is not None:
                await asyncio.sleep(cut.after_s)
                self._out.cut(cut.how, cut.code, cut.reason)
            await asyncio.sleep(self._ends_at - self._clock())
            self._out.on_demand.expired(self._clock())
            self._out.cut("close", 1001, "session expired")

    async def _close_when_asked(self) -> None:
        code, reason = await self._out.ending
        await self._socket.close(code=code, message=reason.encode())

    async def _read(self) -> None:
        async for message in self._socket:
            match message.type:
                case WSMsgType.TEXT:
                    await self._take(message.data)
                case WSMsgType.PING:
                    await self._out.pong(message.data)
                case WSMsgType.BINARY:
                    await self._refuse(Rejected("Binary frames are not supported.", code="binary_frame"), None)

    async def _take(self, frame: bytes) -> None:
        try:
            event = _decode(frame)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            event = None
        if not isinstance(event, dict):
            await self._refuse(Rejected("The frame is not a JSON object.", code="not_json"), None)
            return
        if event.get("type") == "input_audio_buffer.append":
            self._check_supply()
            if self._pending:
                self._supply.came(self._clock(), 0)
        elif _is_too_deep(event):
            await self._refuse(Rejected(f"The event is nested deeper than {_DEEPEST} levels.", code="not_json"), None)
            return
        else:
            self._keep(event)
        if self._pending:
            self._pending.append(event)
        elif event.get("type") == "session.update" and self._script.latency_ms.update:
            self._pending.append(event)
            self._caught_up.clear()
            self._spawn(self._catch_up())
        else:
            await self._carry_out(event)

    async def _catch_up(self) -> None:
        """Carry out what came during an update: it is read at once, and carried out after the update, in order."""
        while self._pending:
            if self._pending[0].get("type") == "session.update":
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._script.latency_ms.update / 1000):
                        await self._gone.wait()
            await self._carry_out(self._pending[0])
            self._pending.popleft()
        self._caught_up.set()

    async def _carry_out(self, event: Event) -> None:
        try:
            await self._service.take(event)
        except Rejected as rejected:
            await self._refuse(rejected, event.get("event_id"))
            if (last := self._configuration.failed(event)) is not None:
                await self._refuse(last, None)
                self._configuration.end()
        self._notify()

    def _keep(self, event: Event) -> None:
        self.received.append(Record(self._clock(), event))
        if event.get("type") == "session.update" and isinstance(event.get("session"), dict):
            self.updates.append(event["session"])
        self._notify()

    def _about(self) -> dict[str, str]:
        """Return what names the session in the log: its id, and the client's call where the settings name one."""
        metadata = self.session.get("metadata")
        call_id = metadata.get("call_id") if isinstance(metadata, dict) else None
        return {"session_id": self.id, **({"call": call_id} if isinstance(call_id, str) else {})}

    async def _refuse(self, rejected: Rejected, client_event_id: str | None) -> None:
        if not rejected.harmless:
            self._violated(rejected.code or "rejected", rejected.message)
        if not rejected.silent:
            await self._out.emit("error", error=rejected.error(client_event_id))

    def _violated(self, rule: str, detail: str) -> None:
        self.violations.append(f"{rule}: {detail}")
        log.warning("rule_broken", **self._about(), rule=rule, detail=detail)

    def _audio_came(self, audio: bytes) -> None:
        self._supply.came(self._clock(), self._service.turns.format.duration_ms(len(audio)) / 1000)
        if self._keep_audio:
            self._input_audio += audio

    def _check_supply(self) -> None:
        gap_s = self._supply.gap_s(self._clock())
        if gap_s is not None and self._service.settings.turn_detection is not None and not self._out.frozen:
            self._violated("audio_stopped", f"no audio for {gap_s:.1f} s")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> object:
        return self._background.create_task(work)

    def _notify(self) -> None:
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for changed in waiting:
                if not changed.done():  # else whoever waited was cancelled
                    changed.set_result(None)


def _is_too_deep(event: Event) -> bool:
    level: list[Any] = [event]
    for _ in range(_DEEPEST):
        inner = (value for node in level for value in (node.values() if isinstance(node, dict) else node))
        level = [value for value in inner if isinstance(value, dict | list)]
        if not level:
            return False
    return True
