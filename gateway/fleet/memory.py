"""Memory that several processes share, with a lock that nobody waits for long."""

import mmap
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

if sys.platform != "win32":
    import fcntl

LOCK_LIMIT_S = 0.05
"""A holder that keeps the lock for longer is stopped: its turn takes microseconds."""
_PAUSE_S = 0.0002


def shared_file(size: int) -> int:
    """Return the descriptor of a new file without a name, for processes that receive it; only used pages count."""
    if sys.platform == "linux":
        descriptor = os.memfd_create("gateway")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, size)
    return descriptor


class Memory:
    """``size`` bytes: shared by the processes that have ``descriptor``, or of this process alone."""

    def __init__(self, size: int, descriptor: int | None = None) -> None:
        self._descriptor = descriptor
        self.bytes = mmap.mmap(-1 if descriptor is None else descriptor, size)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock against other processes, without waiting for one that is stopped while it holds it.

        Such a process is killed soon, which frees its lock. Until then what is read here may change meanwhile: the
        records of the memory are such that no more than one of them can be lost by it.
        """
        held = self._lock()
        try:
            yield
        finally:
            if held is not None:
                fcntl.lockf(held, fcntl.LOCK_UN)

    def _lock(self) -> int | None:
        """Return the descriptor that is locked now, if it is."""
        if self._descriptor is None:
            return None
        give_up_at = time.monotonic() + LOCK_LIMIT_S
        while True:
            try:
                # A record lock of POSIX belongs to the process: the kernel frees it with the process' end.
                fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except (BlockingIOError, PermissionError):  # EAGAIN or EACCES
                if time.monotonic() >= give_up_at:
                    return None
                time.sleep(_PAUSE_S)
            else:
                return self._descriptor
