"""A spare worker of ``gateway serve --workers``: a process that has loaded what a worker needs and has no place yet.

Loading takes most of a worker's start. A worker that dies is followed by the spare one, which has done that already.
"""

import asyncio
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence

import structlog

from gateway.cli.processes.given import SPARE
from gateway.cli.processes.signals import send_signal

log = structlog.get_logger()

AGAIN_S = 10.0
"""Seconds until another spare process is started after one that has ended, or that could not be started."""


class Spare:
    """Keeps one spare process with ``arguments``, while one is ``wanted``; it shares the board's ``descriptor``."""

    def __init__(self, arguments: Sequence[str], descriptor: int) -> None:
        self.wanted = asyncio.Event()
        self._arguments = arguments
        self._descriptor = descriptor
        self._process: asyncio.subprocess.Process | None = None
        self._place: socket.socket | None = None
        self._environ: Mapping[str, str] = {}
        self._left = asyncio.Event()

    async def keep(self, environ: Callable[[], Mapping[str, str]], asked: asyncio.Event) -> None:
        """Have a process with the present ``environ`` whenever one is wanted, until a stop is ``asked`` for."""
        async with asyncio.TaskGroup() as group:
            keeping = group.create_task(self._keep(environ))
            await asked.wait()
            keeping.cancel()

    async def _keep(self, environ: Callable[[], Mapping[str, str]]) -> None:
        while True:
            await self.wanted.wait()
            try:
                lost = await self._until_it_leaves(environ())
            except OSError as error:
                lost = error.strerror or str(error)
            if lost:
                log.warning("spare_lost", detail=lost)
                await asyncio.sleep(AGAIN_S)

    async def _until_it_leaves(self, environ: Mapping[str, str]) -> str:
        """Start a process; return once it is given a place or given up, or say that it has ended. Raises OSError."""
        self._left.clear()
        process = await self._start(environ)
        try:
            async with asyncio.TaskGroup() as group:
                ended, left = group.create_task(process.wait()), group.create_task(self._left.wait())
                await asyncio.wait([ended, left], return_when=asyncio.FIRST_COMPLETED)
                ended.cancel()
                left.cancel()
            return "" if self._left.is_set() else f"it has ended with {process.returncode}"
        finally:
            if self._process is process:
                self.give_up()
                await process.wait()

    async def _start(self, environ: Mapping[str, str]) -> asyncio.subprocess.Process:
        ours, its = socket.socketpair()
        try:
            with its:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "gateway", *self._arguments),
                    env={**environ, SPARE: str(its.fileno())},
                    start_new_session=True,
                    stdin=asyncio.subprocess.PIPE,
                    pass_fds=[self._descriptor, its.fileno()],
                )
        except BaseException:
            ours.close()
            raise
        ours.setblocking(False)
        self._process, self._place, self._environ = process, ours, environ
        return process

    def take(
        self, environ: Mapping[str, str], worker: str, public: Sequence[socket.socket], private: Sequence[socket.socket]
    ) -> asyncio.subprocess.Process | None:
        """Give the spare process the place of a ``worker`` with its sockets, and return it.

        Return ``None`` where there is none, or one with another environment.
        """
        process, place = self._process, self._place
        if process is None or place is None or process.returncode is not None or self._environ is not environ:
            return None
        message = f"{worker}\n{len(public)}".encode()
        try:
            socket.send_fds(place, [message], [one.fileno() for one in (*public, *private)])
        except OSError:  # it is about to end
            return None
        self._leave()
        return process

    def give_up(self) -> None:
        """End the spare process, if there is one, or as soon as it is started."""
        process = self._process
        self._leave()
        if process is not None:
            send_signal(process, signal.SIGKILL)

    def _leave(self) -> None:
        if self._place is not None:
            self._place.close()
        self._process = self._place = None
        self._left.set()
