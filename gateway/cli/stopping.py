"""Stops a long-running command by signals: in order at the first one, at once at the second."""

import asyncio
import signal
from collections.abc import Callable

ONE_SIGNAL = ("SIGHUP",)
"""Signals that count once: a terminal that closes may send SIGHUP twice, from the kernel and from the shell."""


class Stop:
    """A request to stop a command, in order or at once; ``signal`` names the first signal."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.signal = ""
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
        elif name not in ONE_SIGNAL:
            self._urged = True
            for urge in self._urgent:
                urge()


def stop_on_signals() -> Stop:
    """Return a request to stop that SIGINT, SIGTERM and SIGHUP make from now on until the event loop is closed.

    SIGHUP stays ignored if the parent process ignores it (nohup).
    """
    loop, stop = asyncio.get_running_loop(), Stop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
            continue
        loop.add_signal_handler(number, stop.request, number.name)
    return stop
