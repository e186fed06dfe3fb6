"""How a command that runs for long is told to stop: by signals, the second time at once."""

import asyncio
import signal
from collections.abc import Callable

ONE_SIGNAL = ("SIGHUP",)
"""A terminal that closes may send it twice, from the kernel and from the shell: it asks, and never urges."""


class Stop:
    """Whether a command is to stop, and how soon; ``signal`` is what asked first."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.signal = ""
        self._urged = False
        self._urgent: list[Callable[[], object]] = []

    def at_once(self, urge: Callable[[], object]) -> None:
        """Call ``urge`` when a second signal comes; now, where it has come already."""
        self._urgent.append(urge)
        if self._urged:
            urge()

    def told(self, name: str) -> None:
        """Take a signal."""
        if not self.asked.is_set():
            self.signal = name
            self.asked.set()
        elif name not in ONE_SIGNAL:
            self._urged = True
            for urge in self._urgent:
                urge()


def told_to_stop() -> Stop:
    """Take SIGINT, SIGTERM and SIGHUP from now on until the event loop is closed.

    SIGHUP stays ignored where whoever started us ignores it (nohup).
    """
    loop, stop = asyncio.get_running_loop(), Stop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
            continue
        loop.add_signal_handler(number, stop.told, number.name)
    return stop
