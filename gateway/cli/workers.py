"""``gateway serve --workers N``: N processes on one port that share their limits, and their supervisor."""

import asyncio
import math
import os
import secrets
import signal
import tempfile
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from prometheus_client.multiprocess import mark_process_dead

from gateway.call.calls import ANNOUNCE_LIMIT_S
from gateway.cli.processes.given import METRICS_DIRECTORY
from gateway.cli.processes.places import Places, Service, Worker
from gateway.cli.processes.ports import port_kept
from gateway.cli.processes.signals import send_signal
from gateway.cli.stopping import Stop, stop_on_signals
from gateway.config.kept import KeptDeployment
from gateway.config.reading import environment
from gateway.errors import GatewayError
from gateway.fleet.board import WORKERS_LIMIT, Board, board_file

log = structlog.get_logger()

(STREAM_KEY,) = environment.STREAM_KEY
MOST_WORKERS = WORKERS_LIMIT // 2
"""The most workers: each may have a successor while it is being replaced."""
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


def shared_key(environ: Mapping[str, str]) -> str:
    """Return the key of the tokens of all workers: one worker takes streams of calls that another has answered."""
    return environment.value_in(environ, STREAM_KEY) or secrets.token_urlsafe(32)


async def run_workers(count: int, service: Service) -> int:
    """Run ``gateway serve`` ``count`` times until a signal stops them; a worker that dies or hangs is replaced.

    SIGHUP replaces all of them, one by one. The kernel spreads connections over the workers (SO_REUSEPORT). Raises
    ``GatewayError`` if none can start.
    """
    stop = stop_on_signals(restarts=True)
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
                async with service.console(Path(folder), shared[STREAM_KEY]), asyncio.TaskGroup() as group:
                    for place in range(1, count + 1):
                        group.create_task(supervisor.keep_running(place))
                    group.create_task(supervisor.replace_on_request())
                    group.create_task(supervisor.keep_spare())
            except* GatewayError as failed:
                raise failed.exceptions[0] from None
    finally:
        os.close(descriptor)
    return 0


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
        self._kept = kept
        self._shared = shared
        self._stop = stop
        self._has_served = False
        self._at = Places(service, descriptor, kept)
        self._running: dict[int, Worker] = {}
        self._successors: dict[int, asyncio.Future[Worker]] = {}
        self._places: set[int] = set()
        self._is_replacing = False

    async def keep_spare(self) -> None:
        """Keep a spare worker while all others serve, where the service wants one, until a stop is requested."""
        if self._service.spare:
            await self._at.spare.keep(lambda: self._shared, self._stop.asked)

    def _want_spare(self) -> None:
        """Want a spare worker only while all places are served: its start shall not delay another's."""
        running = self._running
        if not self._is_replacing and all(place in running and running[place].has_served for place in self._places):
            self._at.spare.wanted.set()
        else:
            self._at.spare.wanted.clear()

    async def keep_running(self, place: int) -> None:
        """Run a worker, and another when it dies; after early deaths wait longer each time.

        Raises ``GatewayError`` if the worker cannot start and no worker has ever served.
        """
        self._places.add(place)
        try:
            async with asyncio.TaskGroup() as watches:
                await self._keep_running(place, watches)
        except* GatewayError as failed:
            raise failed.exceptions[0] from None
        finally:
            self._at.close_sockets(place)

    async def _keep_running(self, place: int, watches: asyncio.TaskGroup) -> None:
        loop = asyncio.get_running_loop()
        soon = 0
        while (successor := self._successor(place)).done() or not self._stop.asked.is_set():
            started = loop.time()
            if successor.done():
                worker = self._successors.pop(place).result()
            else:
                try:
                    worker = await self._at.start(place, self._shared)
                except OSError as error:
                    self._note_no_start(place, error)
                    soon += 1
                    await self._back_off(soon)
                    continue
            self._running[place] = worker
            watch = watches.create_task(self._watched(worker))
            waits: list[asyncio.Future[Any]] = [watch, self._successor(place)]
            await asyncio.wait(waits, return_when=_FIRST)
            if not watch.done():
                continue
            del self._running[place]
            self._want_spare()
            if self._stop.asked.is_set() and not watch.result():
                return
            if not self._has_served:
                code = worker.process.returncode
                raise GatewayError(f"worker {place} ended with {code} before it could serve")
            soon = 0 if loop.time() - started > STEADY_S else soon + 1
            if soon > 1:
                self._at.close_sockets(place)  # its share of connections goes to the others while it cannot start
            await self._back_off(soon)

    def _successor(self, place: int) -> asyncio.Future[Worker]:
        """Return the future of the worker that takes the place of the present one."""
        if place not in self._successors:
            self._successors[place] = asyncio.get_running_loop().create_future()
        return self._successors[place]

    async def replace_on_request(self) -> None:
        """Replace the workers whenever a restart is requested, until a stop is."""
        while not self._stop.asked.is_set():
            await self._stop.wait()
            if self._stop.restart.is_set() and not self._stop.asked.is_set():
                self._stop.restart.clear()
                await self._replace_all()

    async def _replace_all(self) -> None:
        """Replace one worker after the other; the next only once its predecessor has no call left."""
        before = self._shared
        try:
            self._service.reread()
            content = self._kept.renew()
        except (GatewayError, OSError) as error:
            log.error("restart_refused", detail=str(error))
            return
        key = environment.value_in(os.environ, STREAM_KEY) or before[STREAM_KEY]
        self._shared = {**os.environ, METRICS_DIRECTORY: before[METRICS_DIRECTORY], STREAM_KEY: key}
        log.info("restarting", workers=len(self._running))
        self._is_replacing = True
        self._want_spare()
        self._at.spare.give_up()  # what it has loaded may have changed
        try:
            await self._replace_each(before, content)
        finally:
            self._is_replacing = False
            self._want_spare()

    async def _replace_each(self, before: Mapping[str, str], content: bytes) -> None:
        """Replace them; go back to what was ``before`` where not even the first can be replaced."""
        has_begun = False
        for place in sorted(self._running):
            if not await self._replace(place):
                break
            has_begun = True
        else:
            log.info("restarted")
            return
        if not has_begun and not self._stop.asked.is_set():
            self._shared = before
            self._kept.replace(content)

    async def _replace(self, place: int) -> bool:
        """Start a successor, leave the new calls to it, and wait for the end of those that there are."""
        try:
            successor = await self._at.start(place, self._shared)
        except (OSError, GatewayError) as error:
            log.error("restart_failed", worker=place, detail=str(error))
            return False
        try:
            serves = await self._serves(successor)
        except BaseException:
            await _kill(successor.process)
            raise
        if not serves:
            await _kill(successor.process)
            self._at.forget(successor)
            if not self._stop.asked.is_set():
                code = successor.process.returncode
                log.error("restart_failed", worker=place, detail=f"its successor ended with {code} and never served")
            return False
        old = self._running.get(place)
        self._successor(place).set_result(successor)
        if old is not None:
            send_signal(old.process, signal.SIGHUP)
            old.retires.set()
            await old.ended.wait()
            self._board.note_replacement()
            log.info("worker_replaced", worker=place, pid=successor.process.pid)
        return True

    async def _serves(self, worker: Worker) -> bool:
        """Wait for the first sign of life of a worker; ``False`` where it ends before, or a stop is requested."""
        seen, looks = self._board.beats(worker.number), 0
        while worker.process.returncode is None and not self._stop.asked.is_set() and looks < START_LOOKS * _FINER:
            if self._board.beats(worker.number) != seen:
                return True
            looks += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S / _FINER):
                    await worker.process.wait()
        return False

    async def _back_off(self, soon: int) -> None:
        """Wait before the next start, longer after each early death (``soon``), or until a stop is requested."""
        with suppress(TimeoutError):
            async with asyncio.timeout(min(BACK_OFF_LIMIT_S, BACK_OFF_S * 2 ** (soon - 1)) if soon else 0):
                await self._stop.asked.wait()

    def _note_no_start(self, place: int, error: OSError) -> None:
        """Log that no process can be started, as without memory. Raises ``GatewayError`` if no worker has served."""
        detail = error.strerror or str(error)
        if not self._has_served:
            raise GatewayError(f"worker {place} cannot be started: {detail}") from None
        log.error("worker_not_started", worker=place, detail=detail)

    async def _watched(self, worker: Worker) -> bool:
        """Wait for a worker's end, which a stop or a replacement asks for; note any other.

        Kill one that hangs, and return ``True`` if it was killed.
        """
        try:
            is_hung = await self._ended(worker)
        finally:
            await _kill(worker.process)
            worker.ended.set()
        mark_process_dead(worker.process.pid, self._shared[METRICS_DIRECTORY])  # type: ignore[no-untyped-call]  # prometheus_client leaves it untyped
        is_in_order = not is_hung and (
            self._stop.asked.is_set() or (worker.retires.is_set() and worker.process.returncode == 0)
        )
        if not is_in_order and self._has_served:
            self._note_death(worker, is_hung=is_hung)
        self._at.forget(worker)
        return is_hung

    async def _ended(self, worker: Worker) -> bool:
        seen, silent, looks_left = self._board.beats(worker.number), 0, math.inf
        limit = (self._service.drain_s + END_LIMIT_S) / LOOK_S
        is_hung = is_asked = False
        async with asyncio.TaskGroup() as group:
            end = group.create_task(worker.process.wait())
            asked = group.create_task(self._stop.asked.wait())
            while not end.done():
                waits = [end] if is_asked else [end, asked]
                await asyncio.wait(waits, timeout=LOOK_S, return_when=_FIRST)
                if asked.done() and not is_asked:
                    is_asked, looks_left = True, limit
                    send_signal(worker.process, signal.SIGTERM)
                    self._stop.at_once(partial(send_signal, worker.process, signal.SIGTERM))
                if worker.retires.is_set():
                    looks_left = min(looks_left, limit)
                beats = self._board.beats(worker.number)
                if beats != seen and not worker.has_served:
                    worker.has_served = self._has_served = True
                    self._want_spare()
                silent = 0 if beats != seen else silent + 1
                seen = beats
                looks_left -= 1
                if silent >= (HUNG_LOOKS if worker.has_served else START_LOOKS) or looks_left <= 0:
                    is_hung = True
                    send_signal(worker.process, signal.SIGKILL)
            asked.cancel()
        return is_hung

    def _note_death(self, worker: Worker, *, is_hung: bool) -> None:
        calls = self._board.places.orphan(worker.number)
        self._board.sessions.orphan(worker.number)
        self._board.note_death(len(calls))
        lost = [call.call_id for call in calls]
        code = worker.process.returncode
        log.error("worker_died", worker=worker.place, returncode=code, hung=is_hung, calls=lost)


_FIRST = asyncio.FIRST_COMPLETED
_FINER = 10
"""A successor's first sign of life is looked for so many times more often."""


async def _kill(process: asyncio.subprocess.Process) -> None:
    """End a worker that is still running when its supervision fails or is cancelled; kill it if it does not end."""
    if process.returncode is None:
        send_signal(process, signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(END_LIMIT_S):
                await process.wait()
    if process.returncode is None:
        send_signal(process, signal.SIGKILL)
        await process.wait()
