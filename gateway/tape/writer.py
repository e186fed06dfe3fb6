"""Writes tapes in a thread of its own: the audio path only appends to a bounded queue."""

import errno
import os
import stat
import threading
import time
from collections import Counter, deque
from pathlib import Path

import msgspec
import structlog

from gateway.tape.call_tape import CallTape, Entry
from gateway.tape.form import Header
from gateway.text import json_bytes

log = structlog.get_logger()

WAITING_LIMIT = 16 * 1024 * 1024
"""Bytes of messages that wait to be written; what comes then is lost and counted."""
ENTRY_COST = 200
FILE_LIMIT = 256 * 1024 * 1024
"""Bytes that one process writes to one tape."""
GATHER_S = 0.02
END_LIMIT_S = 5.0
HEADER_TRIES = 50
MODE = 0o600


class TapeFile:
    """The file of a call's tape. Several processes may append to it: each line is one write to its end.

    The writer's thread opens it with its first line, and uses all of it but ``lost``.
    """

    def __init__(self, path: Path, tape: CallTape, header: Header) -> None:
        self.path = path
        self.lost: Counter[str] = Counter()
        """The records that were lost since the last line; counted by the event loop."""
        self.lines = 0
        self._tape = tape
        self._header = header
        self._size = 0
        self._descriptor: int | None = None
        self._is_failed = False

    def add(self, entry: Entry) -> None:
        """Write an entry as a line; the loss is noted where that cannot be done."""
        if self._is_failed or not self._is_open():
            return
        try:
            is_loss = entry.kind == "lost"
            line = self._tape.lost(entry.at, entry.payload) if is_loss else self._tape.line(entry)
        except Exception as error:  # noqa: BLE001 -- no message may end the tape; its content is not for the log
            log.error("tape_failed", file=str(self.path), detail=f"a record cannot be made: {type(error).__name__}")
            line = self._tape.lost(entry.at, Counter({f"{entry.side} {entry.to}".strip(): 1}))
        self._write(line)

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._is_failed = True
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _is_open(self) -> bool:
        if self._descriptor is None:
            try:
                self._descriptor, is_new = open_private(self.path)
                if is_new:
                    self._write(json_bytes(self._header) + b"\n")
                else:
                    self._tape.clock = _header_in(self._descriptor).clock
            except OSError as error:
                self._fail(error)
        return not self._is_failed

    def _write(self, line: bytes) -> None:
        if self._descriptor is None:
            return
        try:
            if self._size + len(line) > FILE_LIMIT:
                raise OSError(errno.EFBIG, f"it has {self._size} bytes, which is the limit")
            written = os.write(self._descriptor, line)
            if written < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            self._fail(error)
        else:
            self._size += written
            self.lines += 1

    def _fail(self, error: OSError) -> None:
        log.error("tape_failed", file=str(self.path), detail=error.strerror or str(error))
        self.close()


def _header_in(descriptor: int) -> Header:
    """Return the header of a tape that another worker has begun, which may be writing it just now."""
    for _ in range(HEADER_TRIES):
        line, is_whole, _ = os.pread(descriptor, 4096, 0).partition(b"\n")
        if is_whole:
            try:
                return msgspec.json.decode(line, type=Header)
            except msgspec.DecodeError:
                break
        time.sleep(GATHER_S)
    raise OSError(errno.EINVAL, "what has this name is no tape")


def open_private(path: Path) -> tuple[int, bool]:
    """Open a file to append to that only its owner can read; return its descriptor and whether it is new.

    Neither a link is followed nor a file taken that others can read or name. Raises ``OSError``.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
    try:
        return os.open(path, flags | os.O_CREAT | os.O_EXCL, MODE), True
    except FileExistsError:
        descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    found = os.fstat(descriptor)
    is_ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and found.st_nlink == 1
    if not is_ours or stat.S_IMODE(found.st_mode) & 0o077:
        os.close(descriptor)
        raise PermissionError(errno.EPERM, "something else has this name")
    return descriptor, False


class Writer:
    """The thread and its queue. All methods but the thread's own are the event loop's."""

    def __init__(self) -> None:
        self._queue: deque[tuple[TapeFile, Entry, int]] = deque()
        self._added = 0
        self._taken = 0
        self._wake = threading.Event()
        self._is_over = False
        self._thread: threading.Thread | None = None

    def add(self, file: TapeFile, entry: Entry) -> None:
        """Take an entry, or lose and count it. Costs a microsecond, and waits for nothing."""
        payload = entry.payload
        cost = ENTRY_COST + (len(payload) if isinstance(payload, str | bytes) else 0)
        if self._added - self._taken + cost > WAITING_LIMIT or self._is_over:
            file.lost[f"{entry.side} {entry.to}".strip()] += 1
            return
        if file.lost:
            lost, file.lost = file.lost, Counter()
            self._queue.append((file, Entry(entry.at, "gateway", "", lost, "lost"), 0))
        self._queue.append((file, entry, cost))
        self._added += cost
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="tape", daemon=True)
            self._thread.start()
        if not self._wake.is_set():
            self._wake.set()

    def close(self, limit_s: float = END_LIMIT_S) -> None:
        """Write what waits, in limited time, and end the thread."""
        self._is_over = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(limit_s)
            if self._thread.is_alive():
                left = f"{len(self._queue)} records were not written within {limit_s:g} s"
                log.error("tape_failed", file="", detail=left)

    def _run(self) -> None:
        while True:
            self._wake.wait()
            if not self._is_over:
                time.sleep(GATHER_S)
            self._wake.clear()
            while self._queue:
                file, entry, cost = self._queue.popleft()
                file.add(entry)
                self._taken += cost
            if self._is_over and not self._queue:
                return
