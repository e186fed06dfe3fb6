"""``gateway serve --workers N``: N processes on one port that share their limits, and their supervisor."""

import asyncio
import errno
import math
import os
import secrets
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from msgspec import Struct
from prometheus_client.multiprocess import mark_process_dead

from gateway.call.calls import ANNOUNCE_LIMIT_S
from gateway.cli.stopping import Stop, stop_on_signals
from gateway.cli.worker import METRICS_DIRECTORY, WORKER, worker_variable
from gateway.config.kept import KeptDeployment, make_own
from gateway.config.reading import environment
from gateway.errors import GatewayError
from gateway.fleet.board import Board, board_file

log = structlog.get_logger()

(STREAM_KEY,) = environment.STREAM_KEY
LOOK_S = 0.5
"""Seconds between two looks for signs of life. The supervisor counts looks, because it may itself have been stopped."""
HUNG_LOOKS = 10
START_LOOKS = 120
"""Most looks for the start of a worker: a slow disk or many lines are no reason to kill it."""
END_LIMIT_S = ANNOUNCE_LIMIT_S + 15.0
"""Most seconds from the end of the drain to the end of a worker: closing calls takes 5 s."""
STEADY_S = 10.0
"""A worker that has lived this long is replaced at once when it dies."""
BACK_OFF_S = 0.5
BACK_OFF_LIMIT_S = 30.0


class Service(Struct, frozen=True):
    """The settings with which all workers serve."""

    arguments: Sequence[str]
    """The arguments of ``gateway serve``."""
    config: Path
    host: str
    port: int
    calls: int
    """The value of ``limits.calls``."""
    drain_s: float = 0.0
    private: tuple[str, int] | None = None
    """Host and port of the separate listener for health and metrics, if there is one."""


def shared_key(environ: Mapping[str, str]) -> str:
    """Return the key of the tokens of all workers: one worker takes streams of calls that another has answered."""
    return environment.value_in(environ, STREAM_KEY) or secrets.token_urlsafe(32)


async def run_workers(count: int, service: Service) -> int:
    """Run ``gateway serve`` ``count`` times until a signal stops them; a worker that dies or hangs is replaced.

    The kernel spreads connections over the workers (SO_REUSEPORT). Raises ``GatewayError`` if none can start.
    """
    stop = stop_on_signals()
    descriptor = board_file(service.calls)
    try:
        with (
            port_kept(service.host, service.port),
            port_kept(*service.private) if service.private else nullcontext(),
            tempfile.TemporaryDirectory(prefix="gateway-metrics-", ignore_cleanup_errors=True) as metrics,
            tempfile.TemporaryDirectory(prefix="gateway-kept-", ignore_cleanup_errors=True) as folder,
        ):
            try:
                kept = KeptDeployment(service.config, Path(folder))
                kept.write()
            except OSError as error:
                raise GatewayError(
                    f"{service.config} cannot be copied to {folder}: {error.strerror or error}"
                ) from None
            shared = {**os.environ, METRICS_DIRECTORY: metrics, STREAM_KEY: shared_key(os.environ)}
            supervisor = Supervisor(service, Board(service.calls, descriptor), descriptor, kept, shared, stop)
            try:
                async with asyncio.TaskGroup() as group:
                    for number in range(1, count + 1):
                        group.create_task(supervisor.keep_running(number))
            except* GatewayError as failed:
                raise failed.exceptions[0] from None
    finally:
        os.close(descriptor)
    return 0


@contextmanager
def port_kept(host: str, port: int) -> Iterator[None]:
    """Reserve the port for the workers of this service, so that a second gateway cannot listen on it.

    SO_REUSEPORT alone would give each a share of the calls. Raises ``GatewayError`` if another gateway has the port.
    """
    with ExitStack() as held:
        try:
            for family, kind, protocol, _, address in socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            ):
                _keep(held.enter_context(socket.socket(family, kind, protocol)), address)
        except OSError as error:
            hint = "; is another gateway running?" if error.errno == errno.EADDRINUSE else ""
            raise GatewayError(f"cannot listen on {host}:{port}: {error.strerror or error}{hint}") from None
        yield


def _keep(keeper: socket.socket, address: Any) -> None:
    """Bind a socket that never listens, so that only sockets with SO_REUSEPORT may share its address."""
    if keeper.family is socket.AF_INET6:
        keeper.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    # During the bind, connections that are being closed do not prevent it; afterwards workers may share the address.
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    keeper.bind(address)
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)


class Supervisor:
    """Keeps the workers running until a stop is requested. It shares ``board`` and ``kept`` with them."""

    def __init__(
        self,
        service: Service,
        board: Board,
        descriptor: int,
        kept: KeptDeployment,
        shared: Mapping[str, str],
        stop: Stop,
    ) -> None:
        self._service = service
        self._board = board
        self._descriptor = descriptor
        self._kept = kept
        self._shared = shared
        self._stop = stop
        self._has_served = False

    async def keep_running(self, number: int) -> None:
        """Run a worker, and another when it dies; after early deaths wait longer each time.

        Raises ``GatewayError`` if the worker cannot start and no worker has ever served.
        """
        loop = asyncio.get_running_loop()
        soon = 0
        while not self._stop.asked.is_set():
            started = loop.time()
            try:
                worker = await self._started(number)
            except OSError as error:
                self._note_no_start(number, error)
                soon += 1
                await self._back_off(soon)
                continue
            try:
                is_hung = await self._ended(worker, number)
            finally:
                await _kill(worker)
            mark_process_dead(worker.pid, self._shared[METRICS_DIRECTORY])  # type: ignore[no-untyped-call]  # prometheus_client leaves it untyped
            if self._stop.asked.is_set() and not is_hung:
                return
            if not self._has_served:
                raise GatewayError(f"worker {number} ended with {worker.returncode} before it could serve")
            self._note_death(number, worker, is_hung=is_hung)
            soon = 0 if loop.time() - started > STEADY_S else soon + 1
            await self._back_off(soon)

    async def _back_off(self, soon: int) -> None:
        """Wait before the next start, longer after each early death (``soon``), or until a stop is requested."""
        with suppress(TimeoutError):
            async with asyncio.timeout(min(BACK_OFF_LIMIT_S, BACK_OFF_S * 2 ** (soon - 1)) if soon else 0):
                await self._stop.asked.wait()

    def _note_no_start(self, number: int, error: OSError) -> None:
        """Log that no process can be started, as without memory. Raises ``GatewayError`` if no worker has served."""
        detail = error.strerror or str(error)
        if not self._has_served:
            raise GatewayError(f"worker {number} cannot be started: {detail}") from None
        log.error("worker_not_started", worker=number, detail=detail)

    async def _started(self, number: int) -> asyncio.subprocess.Process:
        self._kept.write()
        make_own(Path(self._shared[METRICS_DIRECTORY]))
        # Its own session: a Ctrl-C in the terminal reaches the supervisor alone, which ends the workers in order. Their
        # standard input closes with the supervisor, however that ends: see ``worker.on_duty``.
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", *self._service.arguments),
            env={**self._shared, WORKER: worker_variable(number, self._descriptor, self._kept.folder)},
            start_new_session=True,
            stdin=asyncio.subprocess.PIPE,
            pass_fds=[self._descriptor],
        )

    async def _ended(self, worker: asyncio.subprocess.Process, number: int) -> bool:
        """Wait for a worker's end, which a stop asks for. Kill one that hangs; return ``True`` if it was killed."""
        seen, silent, looks_left = self._board.beats(number), 0, math.inf
        has_served = is_hung = False
        async with asyncio.TaskGroup() as group:
            end = group.create_task(worker.wait())
            asked = group.create_task(self._stop.asked.wait())
            while not end.done():
                waits = [end] if looks_left < math.inf else [end, asked]
                await asyncio.wait(waits, timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED)
                if asked.done() and looks_left == math.inf:
                    _ask(worker)
                    self._stop.at_once(partial(_ask, worker))
                    looks_left = (self._service.drain_s + END_LIMIT_S) / LOOK_S
                beats = self._board.beats(number)
                has_served = has_served or beats != seen
                self._has_served = self._has_served or has_served
                silent = 0 if beats != seen else silent + 1
                seen = beats
                looks_left -= 1
                if silent >= (HUNG_LOOKS if has_served else START_LOOKS) or looks_left <= 0:
                    is_hung = True
                    with suppress(ProcessLookupError):
                        worker.kill()
            asked.cancel()
        return is_hung

    def _note_death(self, number: int, worker: asyncio.subprocess.Process, *, is_hung: bool) -> None:
        calls = self._board.places.orphan(number)
        self._board.sessions.orphan(number)
        self._board.note_death(len(calls))
        lost = [call.call_id for call in calls]
        log.error("worker_died", worker=number, returncode=worker.returncode, hung=is_hung, calls=lost)


async def _kill(worker: asyncio.subprocess.Process) -> None:
    """End a worker that is still running when its supervision fails or is cancelled; kill it if it does not end."""
    if worker.returncode is None:
        _ask(worker)
        with suppress(TimeoutError):
            async with asyncio.timeout(END_LIMIT_S):
                await worker.wait()
    if worker.returncode is None:
        worker.kill()
        await worker.wait()


def _ask(worker: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        worker.terminate()
