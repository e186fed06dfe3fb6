"""A worker process of ``gateway serve --workers N``: what it gets from its supervisor, and its signs of life."""

import asyncio
import gc
import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from gateway.cli.processes.spare import SPARE
from gateway.cli.stopping import Stop
from gateway.fleet.board import Board
from gateway.fleet.places import KnownCall
from gateway.routes.listeners import Inherited

log = structlog.get_logger()

WORKER = "GATEWAY_WORKER"
"""A worker's variable that holds its number, the board's descriptor, and the folder of the kept configuration."""
METRICS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the folder of several processes' metrics (prometheus_client, "Multiprocess Mode")."""
LISTENERS = "GATEWAY_WORKER_LISTENERS"
"""A worker's variable: the descriptors of its sockets, and after a semicolon of those for health and metrics."""
_PLACE_BYTES = 8192
_PLACE_SOCKETS = 64
SUPERVISOR_GONE = "supervisor gone"
BEAT_S = 0.25
ADOPT_S = 1.0
"""Seconds between two searches for calls whose worker has died."""


def worker_variable(number: int, descriptor: int, kept: Path) -> str:
    """Return the value of :data:`WORKER` for a worker."""
    return f"{number}/{descriptor}/{kept}"


def listeners_variable(public: Sequence[socket.socket], private: Sequence[socket.socket]) -> str:
    """Return the value of :data:`LISTENERS` for a worker."""
    return ";".join(",".join(str(one.fileno()) for one in sockets) for sockets in (public, private))


def inherited_listeners() -> Inherited | None:
    """Return the sockets that the supervisor has made; ``None`` outside a worker."""
    if LISTENERS not in os.environ:
        return None
    public, private = ([int(one) for one in each.split(",") if one] for each in os.environ[LISTENERS].split(";"))
    return Inherited([socket.socket(fileno=one) for one in public], [socket.socket(fileno=one) for one in private])


def is_spare() -> bool:
    """Return ``True`` if this process is a spare worker, which has no place yet."""
    return SPARE in os.environ


def has_place() -> bool:
    """Wait until this spare worker is given a place; ``False`` where its supervisor is gone.

    From then on it is a worker like any other, with the variables of one.
    """
    gc.collect()
    gc.freeze()  # what is loaded need not be looked through again, which would delay its first sign of life
    with socket.socket(fileno=int(os.environ.pop(SPARE))) as place:
        message, descriptors, _, _ = socket.recv_fds(place, _PLACE_BYTES, _PLACE_SOCKETS)
    if not message:
        return False
    worker, public = message.decode().rsplit("\n", 1)
    listeners = [socket.socket(fileno=one) for one in descriptors]
    os.environ[WORKER] = worker
    os.environ[LISTENERS] = listeners_variable(listeners[: int(public)], listeners[int(public) :])
    for one in listeners:
        one.detach()  # ``inherited_listeners`` takes them
    return True


def is_worker() -> bool:
    """Return ``True`` if this process is one of several on its port."""
    return WORKER in os.environ


def is_first_worker() -> bool:
    """Return ``True`` in one of several processes, and in a process that is alone."""
    return not is_worker() or os.environ[WORKER].startswith("1/")


def kept_configuration() -> Path | None:
    """Return the folder of the kept configuration; ``None`` outside a worker."""
    return Path(os.environ[WORKER].split("/", 2)[2]) if is_worker() else None


def shared_board(calls: int) -> Board | None:
    """Return the board that all workers share, for ``calls`` calls; ``None`` if there is only one process."""
    if not is_worker():
        return None
    number, descriptor, _ = os.environ[WORKER].split("/", 2)
    return Board(calls, int(descriptor), int(number))


@asynccontextmanager
async def on_duty(
    board: Board | None, stop: Stop, take_news: Callable[[], None], go_on: Callable[[KnownCall], Awaitable[None]]
) -> AsyncIterator[None]:
    """Send the supervisor signs of life while the event loop runs, and stop when the supervisor is gone.

    With each sign, call ``take_news``, which takes what other workers have learnt of calls. Until the block ends, call
    ``go_on`` for the calls of workers that have died.
    """
    if board is None:
        yield
        return
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), _supervisor_gone, stop, loop)
    _beat(board, loop, take_news)
    async with asyncio.TaskGroup() as group:
        adopting = group.create_task(_adopt(board, go_on))
        try:
            yield
        finally:
            adopting.cancel()


def _beat(board: Board, loop: asyncio.AbstractEventLoop, take_news: Callable[[], None]) -> None:
    board.beat()
    loop.call_later(BEAT_S, _beat, board, loop, take_news)
    take_news()


def _supervisor_gone(stop: Stop, loop: asyncio.AbstractEventLoop) -> None:
    """Stop when the supervisor's end of standard input is closed, which happens even if the supervisor was killed."""
    if not os.read(sys.stdin.fileno(), 1):
        loop.remove_reader(sys.stdin.fileno())
        stop.request(SUPERVISOR_GONE)


async def _adopt(board: Board, go_on: Callable[[KnownCall], Awaitable[None]]) -> None:
    while True:
        for call in board.places.adopt():
            try:
                await go_on(call)
            except Exception:  # a bug, which must not end the calls of this worker
                log.exception("call_not_adopted", provider=call.provider, call=call.call_id)
        await asyncio.sleep(ADOPT_S)
