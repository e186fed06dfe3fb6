"""Names functions in Python that keep the event loop."""

import inspect
from collections.abc import Callable
from typing import Any

import structlog

log = structlog.get_logger()

BLOCKED_FROM_S = 0.05
"""A function that keeps the event loop longer than this delays the audio of every call."""
LOGGED_FROM = 2
"""The number of times before the log names it: one may be the import or the connection of a first call."""
LOGGED_EVERY_S = 60.0


class Blocking:
    """Counts how often each function has blocked; one for the process."""

    def __init__(self) -> None:
        self._times: dict[str, int] = {}
        self._logged_at: dict[str, float] = {}

    def note(self, tool: str, function: Callable[..., Any], blocked_s: float, now_s: float) -> None:
        """Note a run; the log names the function with its file and line from the second time on, once a minute."""
        if blocked_s <= BLOCKED_FROM_S:
            return
        file, line = _place(function)
        key = f"{file}:{line} {tool}"
        times = self._times[key] = self._times.get(key, 0) + 1
        if times < LOGGED_FROM or now_s - self._logged_at.get(key, -LOGGED_EVERY_S) < LOGGED_EVERY_S:
            return
        self._logged_at[key] = now_s
        log.warning("function_blocks", tool=tool, blocked_ms=round(blocked_s * 1000), times=times, file=file, line=line)


def _place(function: Callable[..., Any]) -> tuple[str, int]:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return (code.co_filename, code.co_firstlineno) if code is not None else ("", 0)
