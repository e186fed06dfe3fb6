"""``gateway serve --workers N``: N processes on one port, each with its share of the calls."""

import asyncio
import os
import secrets
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import structlog
from prometheus_client.multiprocess import mark_process_dead

from gateway.cli.stopping import Stop, told_to_stop
from gateway.config import environment
from gateway.errors import GatewayError

log = structlog.get_logger()

WORKER = "GATEWAY_WORKER"
"""Set in a worker's environment, to ``<its number>/<how many>``."""
METRICS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
"""Where prometheus_client shares the metrics of several processes (its documentation, "Multiprocess Mode")."""
(STREAM_KEY,) = environment.STREAM_KEY
SUPERVISOR_GONE = "supervisor gone"
QUICK_END_S = 5.0
"""A worker that lives no longer has not been able to start; one that does is replaced when it dies."""


def share_of(calls: int) -> int:
    """How many of ``calls`` this process may take: all of them, or a worker's share, rounded up."""
    _, _, workers = os.environ.get(WORKER, "").partition("/")
    return -(-calls // int(workers)) if workers else calls


def shared_directory() -> Path | None:
    """Return the directory that this process shares with the other workers; ``None`` where it is alone."""
    return Path(os.environ[METRICS_DIRECTORY]) if is_worker() else None


def is_worker() -> bool:
    """Whether this process is one of several on its port."""
    return WORKER in os.environ


def watch_supervisor(stop: Stop) -> None:
    """In a worker: stop when the supervisor is gone, even where it was killed and could not say so."""
    if is_worker():
        loop = asyncio.get_running_loop()
        loop.add_reader(sys.stdin.fileno(), _supervisor_gone, stop, loop)


def _supervisor_gone(stop: Stop, loop: asyncio.AbstractEventLoop) -> None:
    if not os.read(sys.stdin.fileno(), 1):
        loop.remove_reader(sys.stdin.fileno())
        stop.told(SUPERVISOR_GONE)


def shared_key(environ: Mapping[str, str]) -> str:
    """Return the key that all workers make and check tokens with: one takes the streams that another has answered."""
    return environment.value_in(environ, STREAM_KEY) or secrets.token_urlsafe(32)


async def run_workers(count: int, arguments: Sequence[str]) -> int:
    """Run ``gateway serve`` ``count`` times until told to stop; a worker that dies in service is replaced.

    The kernel spreads connections over the workers (SO_REUSEPORT). Raises ``GatewayError`` where one cannot start.
    """
    stop = told_to_stop()
    key = shared_key(os.environ)
    with tempfile.TemporaryDirectory(prefix="gateway-metrics-") as metrics:
        shared = {**os.environ, METRICS_DIRECTORY: metrics, STREAM_KEY: key}
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(1, count + 1):
                    group.create_task(_keep_running(number, arguments, {**shared, WORKER: f"{number}/{count}"}, stop))
        except* GatewayError as failed:
            raise failed.exceptions[0] from None
    return 0


async def _keep_running(number: int, arguments: Sequence[str], environment: dict[str, str], stop: Stop) -> None:
    loop = asyncio.get_running_loop()
    while not stop.asked.is_set():
        started = loop.time()
        # Its own group: a Ctrl-C in the terminal reaches the supervisor alone, which ends the workers in order. Their
        # standard input ends with the supervisor, however that ends: see ``watch_supervisor``.
        worker = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", *arguments),
            env=environment,
            start_new_session=True,
            stdin=asyncio.subprocess.PIPE,
        )
        try:
            if not await _ended(worker, stop):
                return
        finally:
            await _terminate(worker, stop)
        mark_process_dead(worker.pid, environment[METRICS_DIRECTORY])  # type: ignore[no-untyped-call]  # prometheus_client leaves it untyped
        if loop.time() - started < QUICK_END_S:
            raise GatewayError(f"worker {number} ended with {worker.returncode} before it could serve")
        log.error("worker_died", worker=number, returncode=worker.returncode)


async def _ended(worker: asyncio.subprocess.Process, stop: Stop) -> bool:
    """Wait for the worker's end or for the word to stop; whether it was the former."""
    async with asyncio.TaskGroup() as group:
        waits = [group.create_task(worker.wait()), group.create_task(stop.asked.wait())]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
    return not stop.asked.is_set()


async def _terminate(worker: asyncio.subprocess.Process, stop: Stop) -> None:
    """Ask the worker to stop, again when we are told again, and wait for its end."""
    if worker.returncode is None:
        _ask(worker)
        stop.at_once(partial(_ask, worker))
    await worker.wait()


def _ask(worker: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        worker.terminate()
