"""The places of workers: the sockets of each, its number on the board, and the process that is started in it."""

import asyncio
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from msgspec import Struct

from gateway.cli.processes.given import LISTENERS, METRICS_DIRECTORY, WORKER, listeners_variable, worker_variable
from gateway.cli.processes.ports import bound, close_all
from gateway.cli.processes.spare import Spare
from gateway.config.kept import KeptDeployment, make_own
from gateway.fleet.board import WORKERS_LIMIT

log = structlog.get_logger()


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
    spare: bool = False
    """``True`` if a process is kept loaded that takes the place of a worker that dies."""
    console: Callable[[Path, str], AbstractAsyncContextManager[object]] = lambda *_: nullcontext()
    """Serves the console in the supervisor until the block ends: the workers' sockets are in this folder, and their
    tokens have this key."""
    reread: Callable[[], None] = lambda: None
    """Reads the environment and the configuration anew; raises ``GatewayError`` where they cannot be used."""


@dataclass(eq=False)
class Worker:
    """A worker process. ``number`` is its own on the board; a successor has the same ``place``, and so the sockets."""

    place: int
    number: int
    process: asyncio.subprocess.Process
    retires: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once another worker takes the new calls."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    has_served: bool = False


class Places:
    """Starts workers at their places, from the ``spare`` one where there is one."""

    def __init__(self, service: Service, descriptor: int, kept: KeptDeployment) -> None:
        self.spare = Spare(service.arguments, descriptor)
        self._service = service
        self._descriptor = descriptor
        self._kept = kept
        self._free = set(range(1, WORKERS_LIMIT + 1))
        """Numbers on the board that no worker has."""
        self._sockets: dict[int, tuple[list[socket.socket], list[socket.socket]]] = {}

    async def start(self, place: int, shared: Mapping[str, str]) -> Worker:
        """Start a worker with the sockets of its place and the ``shared`` environment.

        Raises ``OSError``, and ``GatewayError`` without sockets.
        """
        self._kept.write()
        make_own(Path(shared[METRICS_DIRECTORY]))
        if place not in self._sockets:
            private = bound(*self._service.private) if self._service.private else []
            self._sockets[place] = bound(self._service.host, self._service.port), private
        public, private = self._sockets[place]
        number = place if place in self._free else max(self._free)
        named = worker_variable(number, self._descriptor, self._kept.folder)
        if spare := self.spare.take(shared, named, public, private):
            self._free.discard(number)
            log.info("spare_takes_over", worker=place, pid=spare.pid)
            return Worker(place, number, spare)
        # Its own session: a Ctrl-C in the terminal reaches the supervisor alone, which ends the workers in order. Their
        # standard input closes with the supervisor, however that ends: see ``worker.on_duty``.
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", *self._service.arguments),
            env={**shared, WORKER: named, LISTENERS: listeners_variable(public, private)},
            start_new_session=True,
            stdin=asyncio.subprocess.PIPE,
            pass_fds=[self._descriptor, *(one.fileno() for one in (*public, *private))],
        )
        self._free.discard(number)
        return Worker(place, number, process)

    def close_sockets(self, place: int) -> None:
        """Close the sockets of a place; the next worker there gets others."""
        for sockets in self._sockets.pop(place, ()):
            close_all(sockets)

    def forget(self, worker: Worker) -> None:
        """Let another worker have the number of one that has ended."""
        self._free.add(worker.number)
