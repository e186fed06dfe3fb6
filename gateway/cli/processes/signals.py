"""Sends signals to processes without taking their exit status away from whoever awaits it."""

import os
import signal
from contextlib import suppress
from typing import Protocol


class Process(Protocol):
    """A process that was started here, as asyncio has it."""

    @property
    def pid(self) -> int:
        """The number of the process."""

    @property
    def returncode(self) -> int | None:
        """The exit status; ``None`` until it is known."""


def send_signal(process: Process, number: signal.Signals) -> None:
    """Send a signal to a process, unless it has ended.

    Before CPython 3.13, ``kill`` and ``send_signal`` of asyncio's processes look first whether the process has ended,
    and so take the exit status from the thread that waits for it: the process seems to end with 255 then.
    """
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)
