"""Stops a long-running command by signals: in order at the first one, at once at the second. SIGHUP restarts it."""

import asyncio
import os
import signal
from collections.abc import Callable

ONE_SIGNAL = ("SIGHUP",)
"""Signals that count once: a terminal that closes may send SIGHUP twice, from the kernel and from the shell."""


class Stop:
    """A request to stop a command, in order or at once; ``signal`` names the first signal.

    ``restart`` is the request to go on with a new configuration, or, in a worker, to leave new calls to another one.
    """

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.restart = asyncio.Event()
        self.signal = ""
        self._either = asyncio.Event()
        self._urged = False
        self._urgent: list[Callable[[], object]] = []

    def at_once(self, urge: Callable[[], object]) -> None:
        """Call ``urge`` when a second signal comes; call it now if one has come already."""
        self._urgent.append(urge)
        if self._urged:
            urge()

    def request(self, name: str) -> None:
        """Request a stop by a signal: in order for the first, at once for a further one."""
        if not self.asked.is_set():
            self.signal = name
            self.asked.set()
            self._either.set()
        elif name not in ONE_SIGNAL:
            self._urged = True
            for urge in self._urgent:
                urge()

    def request_restart(self) -> None:
        """Request a restart, by SIGHUP."""
        self.restart.set()
        self._either.set()

    async def wait(self) -> None:
        """Return once a stop or a restart is requested. Clear ``restart`` to wait for the next."""
        while not (self.asked.is_set() or self.restart.is_set()):
            self._either.clear()
            await self._either.wait()


def stop_on_signals(*, restarts: bool = False) -> Stop:
    """Return a request to stop that SIGINT, SIGTERM and SIGHUP make from now on until the event loop is closed.

    With ``restarts``, SIGHUP is a request to restart unless the process has lost its terminal. SIGHUP stays ignored if
    the parent process ignores it (nohup).
    """
    loop, stop = asyncio.get_running_loop(), Stop()
    had_terminal = has_terminal()

    def hang_up() -> None:
        if restarts and not (had_terminal and not has_terminal()):
            stop.request_restart()
        else:
            stop.request("SIGHUP")

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.request, number.name)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        loop.add_signal_handler(signal.SIGHUP, hang_up)
    return stop


def has_terminal() -> bool:
    """Return ``True`` if the process has a controlling terminal, which it loses when the terminal closes."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
