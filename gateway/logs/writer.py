"""Writes log lines in a thread of its own: the code that logs never waits for standard error, and never fails by it."""

import os
import select
import threading
from collections import deque
from collections.abc import Callable
from typing import TextIO

LIMIT = 256 * 1024
"""Characters that wait to be written; a line beyond them is lost. About 1,000 lines."""
GO_ON_BELOW = LIMIT // 2
"""After a loss, lines are accepted again below this: one gap is reported once, and not line by line."""
LINE_COST = 64
"""Characters that a waiting line counts for beside its length."""
GATHER_S = 0.02
"""The time for which the thread lets lines gather: each time it wakes up, calls have to wait for it."""
END_LIMIT_S = 2.0
"""The time for which the end of the process waits for lines that are not yet written."""


class LogWriter:
    """Takes whole lines, and writes them in their order to ``stream``, each through ``finish``, in its thread.

    ``gap`` makes the line that says how many were lost before it.
    """

    def __init__(self, stream: TextIO | None, finish: Callable[[str], str], gap: Callable[[int], str]) -> None:
        self.lost = 0
        """Lines that were lost so far: nobody read, the disk was full, nobody will ever read."""
        self._outlet = _Outlet(stream)
        self._finish = finish
        self._gap = gap
        self._lines: deque[str | int] = deque()
        """Lines, and how many were lost between two of them."""
        self._waiting = 0
        self._reported = 0
        self._is_losing = False
        self._is_writing = False
        self._is_awaited = False
        self._is_over = False
        # Reentrant: a finalizer that logs may run while its own thread is within write().
        self._changed = threading.Condition(threading.RLock())
        self._thread: threading.Thread | None = None

    def write(self, line: str) -> None:
        """Take a line, or lose it. Costs microseconds, whatever becomes of the stream."""
        with self._changed:
            if self._is_losing and self._waiting < GO_ON_BELOW:
                self._is_losing = False
                self._tell_of_loss()
            if self._is_losing or self._is_over or self._waiting + len(line) > LIMIT:
                self._is_losing = True
                self.lost += 1
            else:
                self._add(line)

    def flush(self, limit_s: float = END_LIMIT_S) -> bool:
        """Wait until every line was written or lost, up to a limit; return whether all were."""
        with self._changed:
            self._is_awaited = True
            self._changed.notify_all()
            try:
                return self._changed.wait_for(lambda: not self._lines and not self._is_writing, limit_s)
            finally:
                self._is_awaited = False

    def close(self, limit_s: float = END_LIMIT_S) -> bool:
        """Flush, and take no more lines; return whether all were written or lost in time."""
        done = self.flush(limit_s)
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        if done and self._thread is not None:
            self._thread.join()
        return done

    def _add(self, line: str | int) -> None:
        self._lines.append(line)
        self._waiting += _cost(line)
        if self._thread is None:
            # A daemon: one that waits for a pipe that nobody reads does not keep the process from ending.
            self._thread = threading.Thread(target=self._run, name="log", daemon=True)
            self._thread.start()
        if len(self._lines) == 1:
            self._changed.notify_all()

    def _tell_of_loss(self) -> None:
        lost, self._reported = self.lost - self._reported, self.lost
        if lost:
            self._add(lost)

    def _run(self) -> None:
        while (line := self._next()) is not None:
            try:
                text = self._gap(line) if isinstance(line, int) else self._finish(line)
                written = self._outlet.write(f"{text}\n")
            except Exception:  # noqa: BLE001 -- no line may end the log; what is wrong with this one is lost with it
                written = False
            with self._changed:
                self._is_writing = False
                if not written and isinstance(line, int):
                    self._reported -= line
                elif not written:
                    self.lost += 1
                elif not self._lines:
                    self._is_losing = False
                    self._tell_of_loss()
                if not self._lines:
                    self._changed.notify_all()

    def _next(self) -> str | int | None:
        with self._changed:
            if not self._lines:
                self._changed.wait_for(lambda: self._lines or self._is_over)
                self._changed.wait_for(lambda: self._is_awaited or self._is_over, GATHER_S)
            if not self._lines:
                return None
            line = self._lines.popleft()
            self._waiting -= _cost(line)
            self._is_writing = True
            return line


def _cost(line: str | int) -> int:
    return LINE_COST + (len(line) if isinstance(line, str) else 0)


class _Outlet:
    """The target of the lines: the file descriptor, so that no lock of a Python stream is held while it blocks."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._fd = _descriptor(stream)
        self._encoding = getattr(stream, "encoding", None) or "utf-8"
        self._is_torn = False

    def write(self, text: str) -> bool:
        """Write a text; return whether that was possible. A later try may succeed, when a disk has room again."""
        try:
            if self._fd is not None:
                self._write_bytes(self._fd, text.encode(self._encoding, "backslashreplace"))
            elif self._stream is not None:
                self._stream.write(text)
                self._stream.flush()
        except (OSError, ValueError):  # ValueError: the stream was closed
            return False
        return self._stream is not None

    def _write_bytes(self, fd: int, data: bytes) -> None:
        if self._is_torn:
            data = b"\n" + data
        done = 0
        try:
            while done < len(data):
                try:
                    done += os.write(fd, data[done:])
                except BlockingIOError:  # another process that shares the pipe or terminal has made it non-blocking
                    select.select([], [fd], [])
        finally:
            self._is_torn = 0 < done < len(data) or (self._is_torn and not done)


def _descriptor(stream: TextIO | None) -> int | None:
    """Return the descriptor of a stream that is a file; ``None`` for one that is made of Python alone, as in a test."""
    try:
        return stream.fileno() if stream is not None else None
    except (OSError, ValueError, AttributeError):
        return None
