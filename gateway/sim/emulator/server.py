"""The emulator's server: handshake, credentials, and the sessions that they open."""

import asyncio
import itertools
import platform
import ssl
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog
from aiohttp import web

from gateway.sim.emulator.certificate import write_certificates
from gateway.sim.emulator.on_demand import handshake_fault, with_faults
from gateway.sim.emulator.refusing.handshake import Handshakes, refused_by, request_ids
from gateway.sim.emulator.script import Script
from gateway.sim.emulator.session import Session
from gateway.sim.emulator.settings.engine import Engine
from gateway.sim.emulator.settings.old_names import agent_key
from gateway.sim.emulator.speaking.usage import TokenQuota
from gateway.sim.faults.service import ConnectionFaults, ServiceFaults

_MESSAGE_LIMIT_BYTES = 24 << 20
"""An append carries up to 15 MiB of audio, in base64."""
_CLOSE_TIMEOUT_S = 2.0
LOOK_AGAIN_S = 0.1
_EVERY_HOST = ("0.0.0.0", "::")  # noqa: S104 -- compared with, not listened on
_SECRETS = frozenset(("api-key", "authorization", "agent-access-token"))

log = structlog.get_logger()


class Emulator:
    """A Voice Live service on this machine: ``async with Emulator(Script.default()) as emulator``.

    ``api_key`` is the one key that is accepted; None accepts any that is not empty. Bearer tokens are never checked.
    ``keep_sessions`` bounds how many ended sessions are remembered. ``tls`` serves ``wss`` with a certificate that is
    made at the start; clients have to trust ``ca_file``. ``OSError`` where the port is not free.
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
        tls: bool = False,
    ) -> None:
        self._script = script
        self._host = host
        self._port = port
        self._gate = Handshakes(script, api_key)
        self._keep_audio = keep_audio
        self._quota = TokenQuota(script.faults.tokens_per_minute)
        self._keep_sessions = keep_sessions
        self._tls = tls
        self._certificates: tempfile.TemporaryDirectory[str] | None = None
        self._connections = itertools.count(1)
        self._stopping = asyncio.Event()
        self._arrived = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self.sessions: list[Session] = []
        """The sessions in the order of opening; they stay after their end."""
        self.faults = ServiceFaults()
        """The faults of the connections that are made from now on, beside those of the script."""
        self.handshakes = 0
        """All handshakes that were tried, the refused ones included."""

    @property
    def endpoint(self) -> str:
        """The endpoint to give to a client: ``http://127.0.0.1:PORT``; with TLS, ``https://…``."""
        host = f"[{self._host}]" if ":" in self._host else self._host  # RFC 3986 §3.2.2
        return f"{'https' if self._tls else 'http'}://{host}:{self._port}"

    @property
    def ca_file(self) -> Path | None:
        """The PEM file of the authority that clients have to trust, while the emulator runs; None without TLS."""
        return None if self._certificates is None else Path(self._certificates.name, "ca.pem")

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
            await web.TCPSite(self._runner, self._host, self._port, ssl_context=self._tls_context()).start()
        except OSError:
            await self._runner.cleanup()
            self._forget_certificates()
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
        self._forget_certificates()

    def _tls_context(self) -> ssl.SSLContext | None:
        if not self._tls:
            return None
        self._certificates = tempfile.TemporaryDirectory(prefix="voice-live-emulator-")
        own = platform.node() if self._host in _EVERY_HOST else self._host
        hosts = [host for host in (own, self._script.host) if host and host.isascii()]
        return write_certificates(Path(self._certificates.name), hosts)[1]

    def _forget_certificates(self) -> None:
        if self._certificates is not None:
            self._certificates.cleanup()
            self._certificates = None

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.handshakes += 1
        faults = self.faults.connect()
        refusal = await self._refusal(request, faults)
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
        socket.headers.update(request_ids())
        await socket.prepare(request)
        if request.transport is None:  # the client went during the handshake
            return socket
        session = Session(
            with_faults(self._script, faults),
            _engine(request),
            query={key: value for key, value in request.query.items() if key.lower() not in _SECRETS},
            headers={key: value for key, value in request.headers.items() if key.lower() not in _SECRETS},
            socket=socket,
            transport=request.transport,
            keep_audio=self._keep_audio,
            connection=next(self._connections),
            faults=faults,
            quota=self._quota,
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

    async def _refusal(self, request: web.Request, faults: ConnectionFaults) -> web.Response | None:
        fault = handshake_fault(faults.refuses(asyncio.get_running_loop().time())) or self._gate.fault()
        if fault is None:
            return self._gate.refusal(request)
        if fault.never:
            await self._hold(request)
        return refused_by(fault, request)

    async def _hold(self, request: web.Request) -> None:
        """Leave a handshake without an answer, until the client goes."""
        while request.transport is not None and not self._stopping.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await self._stopping.wait()


def _engine(request: web.Request) -> Engine:
    query = request.query
    return Engine.of(
        query.get("model", ""),
        query["api-version"],
        agent=query.get(agent_key(query["api-version"])),
        agent_version=query.get("agent-version", ""),
        conversation_id=query.get("conversation-id", ""),
        profile=query.get("profile"),
    )
