"""The emulator's server: handshake, credentials, and the sessions that they open."""

import asyncio
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Self

import structlog
from aiohttp import web

from gateway.sim.emulator.script import Script
from gateway.sim.emulator.session import Session
from gateway.sim.emulator.settings.engine import Engine

_MESSAGE_LIMIT_BYTES = 24 << 20
"""An append carries up to 15 MiB of audio, in base64."""
_CLOSE_TIMEOUT_S = 2.0
_SECRETS = frozenset(("api-key", "authorization", "agent-access-token"))

log = structlog.get_logger()


class Emulator:
    """A Voice Live service on this machine: ``async with Emulator(Script.default()) as emulator``.

    ``api_key`` is the one key that is accepted; None accepts any that is not empty. Bearer tokens are never checked.
    ``keep_sessions`` bounds how many ended sessions are remembered. ``OSError`` where the port is not free.
    """

    def __init__(
        self,
        script: Script,
        host: str = "127.0.0.1",
        port: int = 0,
        api_key: str | None = None,
        *,
        keep_audio: bool = False,
        keep_sessions: int | None = None,
    ) -> None:
        self._script = script
        self._host = host
        self._port = port
        self._api_key = api_key
        self._keep_audio = keep_audio
        self._keep_sessions = keep_sessions
        self._handshakes: deque[float] = deque()
        self._refused = 0
        self._stopping = asyncio.Event()
        self._arrived = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self.sessions: list[Session] = []
        """The sessions in the order of opening; they stay after their end."""
        self.handshakes = 0
        """All handshakes that were tried, the refused ones included."""

    @property
    def endpoint(self) -> str:
        """The endpoint to give to a client: ``http://127.0.0.1:PORT``."""
        host = f"[{self._host}]" if ":" in self._host else self._host  # RFC 3986 §3.2.2
        return f"http://{host}:{self._port}"

    @property
    def open_sessions(self) -> int:
        """The number of sessions that have not ended."""
        return sum(not session.closed.is_set() for session in self.sessions)

    async def session(self, index: int = 0) -> Session:
        """Return the session with that number, as soon as it is there."""
        while len(self.sessions) <= index:
            self._arrived.clear()
            await self._arrived.wait()
        return self.sessions[index]

    def check(self, *, allow: Iterable[str] = ()) -> None:
        """Raise an AssertionError that names everything that clients did wrong, but for the rules in ``allow``."""
        allowed = tuple(f"{rule}:" for rule in allow)
        found = [
            f"{session.id}: {violation}"
            for session in self.sessions
            for violation in session.violations
            if not violation.startswith(allowed)
        ]
        if found:
            raise AssertionError("\n".join(["the client broke rules of the protocol:", *found]))

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/{prefix:(?:.*/)?}voice-live/realtime", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_CLOSE_TIMEOUT_S)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError:
            await self._runner.cleanup()
            raise
        self._port = self._runner.addresses[0][1]
        log.info("emulator_listens", endpoint=self.endpoint)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        still_open = [session for session in self.sessions if not session.closed.is_set()]
        for session in still_open:
            session.end()
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                for session in still_open:
                    await session.closed.wait()
        for session in still_open:  # those whose client neither reads nor goes
            session.abort()
            await session.closed.wait()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.handshakes += 1
        refusal = await self._refusal(request)
        if refusal is not None:
            log.info("handshake_refused", status=refusal.status)
            return refusal
        await asyncio.sleep(self._script.latency_ms.handshake / 1000)
        socket = web.WebSocketResponse(
            autoping=False,
            compress=False,
            decode_text=False,
            max_msg_size=_MESSAGE_LIMIT_BYTES,
            timeout=_CLOSE_TIMEOUT_S,
        )
        await socket.prepare(request)
        if request.transport is None:  # the client went during the handshake
            return socket
        session = Session(
            self._script,
            _engine(request),
            query={key: value for key, value in request.query.items() if key.lower() not in _SECRETS},
            headers={key: value for key, value in request.headers.items() if key.lower() not in _SECRETS},
            socket=socket,
            transport=request.transport,
            keep_audio=self._keep_audio,
        )
        self.sessions.append(session)
        self._arrived.set()
        await session.run()
        self._forget_old_sessions()
        return socket

    def _forget_old_sessions(self) -> None:
        if self._keep_sessions is None:
            return
        ended = [session for session in self.sessions if session.closed.is_set()]
        for session in ended[: max(0, len(ended) - self._keep_sessions)]:
            self.sessions.remove(session)

    async def _refusal(self, request: web.Request) -> web.Response | None:
        fault = self._script.faults.handshake
        if fault is not None and (fault.times is None or self._refused < fault.times):
            self._refused += 1
            if fault.status is None:
                await self._stopping.wait()
            return _error(fault.status or 503, "refused by the script")
        if self._too_many():
            return _error(429, "Too many requests: new connections per minute exceeded.")
        if not request.query.get("api-version"):
            return _error(400, "Missing required query parameter: api-version")
        agent = request.query.get("agent-name") and request.query.get("agent-project-name")
        if not (request.query.get("model") or agent):
            return _error(400, "Missing required query parameter: model, or agent-name and agent-project-name")
        if not self._admits(request, agent_mode=bool(agent)):
            return _error(401, "Access denied due to invalid subscription key or wrong API endpoint.")
        return None

    def _too_many(self) -> bool:
        limit = self._script.faults.connections_per_minute
        if limit is None:
            return False
        now = time.monotonic()
        while self._handshakes and now - self._handshakes[0] >= 60:
            self._handshakes.popleft()
        self._handshakes.append(now)
        return len(self._handshakes) > limit

    def _admits(self, request: web.Request, *, agent_mode: bool) -> bool:
        bearer = request.headers.get("Authorization") or request.query.get("Authorization") or ""
        if bearer.startswith("Bearer ") and bearer.removeprefix("Bearer ").strip():
            return True
        key = request.headers.get("api-key") or request.query.get("api-key")
        return bool(key) and not agent_mode and self._api_key in (None, key)


def _engine(request: web.Request) -> Engine:
    query = request.query
    return Engine.of(
        query.get("model", ""),
        query["api-version"],
        agent=query.get("agent-name"),
        agent_version=query.get("agent-version", ""),
        conversation_id=query.get("conversation-id", ""),
        profile=query.get("profile"),
    )


def _error(status: int, message: str) -> web.Response:
    headers = {"Location": "/elsewhere"} if 300 <= status < 400 else {}
    return web.json_response({"error": {"code": str(status), "message": message}}, status=status, headers=headers)
