"""The limit of open files: raised at the start as far as possible, and the part of it that is left for connections."""

import os
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from typing import Any

resource: Any = import_module("resource") if find_spec("resource") else None
"""``None`` on Windows, which has no such limit and lacks this module of the standard library."""

RESERVE = 64
"""Descriptors for all but connections and calls: files of lines, requests to REST APIs and functions, health."""
OF_A_CALL = 2
"""Descriptors of one call: its media stream, and its Voice Live session."""


OF_A_RECORDING = 2
"""Descriptors of the recording of a call: its sound, and what is known of it."""


def needed(calls: int, connections: int, recordings: int = 0) -> int:
    """Return how many open files a process needs for so many calls, other connections and recordings of calls."""
    return OF_A_CALL * calls + connections + OF_A_RECORDING * recordings + RESERVE


def raise_limit(wanted: int) -> int:
    """Raise the soft limit to ``wanted`` as far as the hard one lets; return what it is then, or ``wanted`` if none is.

    A higher limit stays.
    """
    if resource is None:
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if _is_enough(soft, wanted):
        return wanted
    reachable = wanted if _is_enough(hard, wanted) else hard
    with suppress(OSError, ValueError):  # a system may refuse what its hard limit promises
        resource.setrlimit(resource.RLIMIT_NOFILE, (reachable, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if _is_enough(soft, wanted) else int(soft)


def left_for_connections() -> int | None:
    """Return how many descriptors connections and calls may take, beside those that are open now; ``None`` for any."""
    if resource is None:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return None
    return max(OF_A_CALL, int(soft) - RESERVE - _open_now())


def _is_enough(limit: int, wanted: int) -> bool:
    return bool(limit == resource.RLIM_INFINITY or limit >= wanted)


def _open_now() -> int:
    for folder in ("/proc/self/fd", "/dev/fd"):
        with suppress(OSError):
            return len(os.listdir(folder))  # noqa: PTH208 -- only how many
    return 0
