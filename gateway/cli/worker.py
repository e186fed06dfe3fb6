"""A worker process of ``gateway serve --workers N``: the board and the sockets of all, and its signs of life."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from gateway.cli.processes.given import LISTENERS, WORKER, is_worker
from gateway.cli.stopping import Stop
from gateway.fleet.board import Board
from gateway.fleet.places import KnownCall
from gateway.routes.listeners import Inherited

log = structlog.get_logger()

SUPERVISOR_GONE = "supervisor gone"
BEAT_S = 0.25
ADOPT_S = 1.0
"""Seconds between two searches for calls whose worker has died."""


def inherited_listeners() -> Inherited | None:
    """Return the sockets that the supervisor has made; ``None`` outside a worker."""
    if LISTENERS not in os.environ:
        return None
    public, private = ([int(one) for one in each.split(",") if one] for each in os.environ[LISTENERS].split(";"))
    return Inherited([socket.socket(fileno=one) for one in public], [socket.socket(fileno=one) for one in private])


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
