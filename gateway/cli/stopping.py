"""Stops a long-running command by signals: in order at the first one, at once at the second."""

import asyncio
import signal
from collections.abc import Callable

ONE_SIGNAL = ("SIGHUP",)
"""Signals that count once: a terminal that closes may send SIGHUP twice, from the kernel and from the shell."""


class Stop:
    """Holds whether a command is to stop, and whether at once; ``signal`` names the first request to stop."""

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

    def told(self, name: str) -> None:
        """Note a signal: the first asks to stop, a further one to stop at once."""
        if not self.asked.is_set():
            self.signal = name
            self.asked.set()
        elif name not in ONE_SIGNAL:
            self._urged = True
            for urge in self._urgent:
                urge()


def told_to_stop() -> Stop:
    """Handle SIGINT, SIGTERM and SIGHUP from now on until the event loop is closed.

    SIGHUP stays ignored if the parent process ignores it (nohup).
    """
    loop, stop = asyncio.get_running_loop(), Stop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
            continue
        loop.add_signal_handler(number, stop.told, number.name)
    return stop
