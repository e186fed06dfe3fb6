"""The event loop that the commands run on."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog

from gateway.cli.processes.given import is_worker
from gateway.config.reading.environment import TRANSPORTS, value_in
from gateway.errors import InputError
from gateway.logs import setup as logs
from gateway.network.transports import own_transports_because, with_transports
from gateway.sim.virtual_time import VirtualTimeLoop

log = structlog.get_logger()

Result = TypeVar("Result")

SWITCH_S = 0.0005
"""Seconds after which a thread in Python code lets the event loop go on. With the interpreter's own 5 ms, a thread that
writes records or recordings would hold frames up for as long."""


def report_transports() -> None:
    """Log why the event loop's own transports are used, if they are: in one process, however many workers it has.

    Raise ``InputError`` where the environment wants transports that do not exist.
    """
    if not is_worker() and (reason := own_transports_because(value_in(os.environ, *TRANSPORTS))):
        log.info("own_transports", detail=f"{reason}: TLS towards Voice Live takes more processor time")


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes an event loop: uvloop's, if it is installed, with the transports that the environment wants.

    Raise ``InputError`` where it wants some that do not exist.
    """
    try:
        import uvloop  # noqa: PLC0415 -- not on Windows, where asyncio's own loop serves
    except ImportError:
        return with_transports(asyncio.new_event_loop, value_in(os.environ, *TRANSPORTS))
    return with_transports(uvloop.new_event_loop, value_in(os.environ, *TRANSPORTS))


def run(main: Coroutine[Any, Any, Result], *, virtual: bool = False) -> Result:
    """Run ``main`` to its end, on uvloop if it is installed; ``virtual`` lets time jump to whatever happens next.

    SIGTERM and SIGHUP cancel it, as SIGINT does, so that everything it has open is closed in order. The process then
    exits with 128 plus the signal's number, as a shell reports a process that a signal has ended.
    """
    received: list[signal.Signals] = []
    sys.setswitchinterval(SWITCH_S)
    try:
        new_loop = VirtualTimeLoop if virtual else loop_factory()
    except InputError:
        main.close()
        raise
    with asyncio.Runner(loop_factory=new_loop) as runner:
        try:
            return runner.run(_until_signalled(main, received))
        except asyncio.CancelledError:
            if not received:
                raise
    logs.flush()
    print(f"stopped by {received[0].name}", file=sys.stderr)
    sys.exit(128 + received[0])


async def _until_signalled(main: Coroutine[Any, Any, Result], received: list[signal.Signals]) -> Result:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def stop(number: signal.Signals) -> None:
        received.append(number)
        if task is not None:
            task.cancel()

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, stop, number)
    return await main
