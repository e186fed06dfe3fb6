"""Keeps rows in a file while the database is away: JSON lines, ``["table", {row}]``, in the order of their changes.

Each process has a file of its own, which it locks for as long as it lives, empty or not: a file that can be locked was
left behind by a process that is dead. Everything here blocks, and is called in a thread.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from gateway.records.rows import Row
from gateway.records.store.batches import NAMES, TABLES
from gateway.records.store.database import make_private_folder
from gateway.text import json_bytes

if sys.platform != "win32":
    import fcntl

FOLDER = "spool"
_ENDING = ".jsonl"
_MODE = 0o600
_CLOSED = -1


class Spool:
    """The file of one process, ``worker``, below the folder of data; it grows to ``most_bytes`` at most."""

    def __init__(self, data: Path, worker: str, most_bytes: int = 0) -> None:
        self.worker = worker
        self._file = data / FOLDER / f"{worker}{_ENDING}"
        self._most = most_bytes
        self._handle = _CLOSED
        self._size = 0
        self._read = 0
        self._taken = 0

    @property
    def waits(self) -> bool:
        """``True`` if there are rows in the file that were not taken over."""
        return self._read < self._size

    def open(self) -> None:
        """Make the file and lock it. Raises ``OSError``."""
        if self._handle != _CLOSED:
            return
        make_private_folder(self._file.parent.parent)
        make_private_folder(self._file.parent)
        self._lock(os.open(self._file, os.O_CREAT | os.O_RDWR, _MODE))

    def adopt(self) -> bool:
        """Lock a file that is there; return ``False`` if its process lives, or another one has adopted it."""
        try:
            self._lock(os.open(self._file, os.O_RDWR))
            if os.fstat(self._handle).st_ino == self._file.stat().st_ino:
                return True
        except OSError:  # it is locked, or has gone
            pass
        if self._handle != _CLOSED:
            os.close(self._handle)
            self._handle = _CLOSED
        return False

    def is_used(self) -> bool:
        """Return ``True`` if a file that another process has locked holds rows."""
        try:
            return self._file.stat().st_size > 0
        except OSError:
            return False

    def _lock(self, handle: int) -> None:
        try:
            if sys.platform != "win32":
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise
        self._handle = handle
        self._size = os.fstat(handle).st_size

    def append(self, rows: Sequence[Row]) -> int:
        """Write rows behind those that wait, and return how many did not fit. Raises ``OSError``, with none written."""
        self.open()
        lines = [json_bytes((NAMES[type(row)], row)) + b"\n" for row in rows]
        fitting, size = 0, self._size
        for line in lines:
            if size + len(line) > self._most:
                break
            fitting, size = fitting + 1, size + len(line)
        try:
            _write_all(self._handle, b"".join(lines[:fitting]), self._size)
            os.fsync(self._handle)
        except OSError:
            with suppress(OSError):  # half a line would spoil the next one
                os.ftruncate(self._handle, self._size)
            raise
        self._size = size
        return len(rows) - fitting

    def take(self, most_bytes: int = 1 << 20) -> tuple[list[Row], int]:
        """Return the next rows that wait, and the number of lines among them that cannot be read."""
        piece = os.pread(self._handle, min(most_bytes, self._size - self._read), self._read)
        whole = piece.rfind(b"\n") + 1
        if not whole:  # a line that is longer, or one that its process did not finish
            if self._read + len(piece) < self._size:
                return self.take(most_bytes * 2)
            whole = len(piece)
        self._taken = self._read + whole
        rows = [_row(line) for line in piece[:whole].splitlines()]
        return [row for row in rows if row is not None], rows.count(None)

    def taken(self) -> None:
        """Forget the rows that were taken last: they are written. A file that is read to its end becomes empty."""
        self._read = self._taken
        if self._handle != _CLOSED and self._read >= self._size:
            os.ftruncate(self._handle, 0)
            self._size = self._read = self._taken = 0

    def close(self) -> None:
        """Let go of the file; an empty one is removed."""
        if self._handle == _CLOSED:
            return
        if not self.waits:
            with suppress(OSError):
                self._file.unlink()
        os.close(self._handle)
        self._handle = _CLOSED


def spools(data: Path) -> Iterator[Spool]:
    """Yield the spools of all processes below a folder of data, not opened."""
    with suppress(OSError):
        for file in sorted((data / FOLDER).glob(f"*{_ENDING}")):
            yield Spool(data, file.name.removesuffix(_ENDING))


def _write_all(handle: int, data: bytes, at: int) -> None:
    written = 0
    while written < len(data):
        written += os.pwrite(handle, data[written:], at + written)


def _row(line: bytes) -> Row | None:
    try:
        table, row = msgspec.json.decode(line, type=tuple[str, msgspec.Raw])
        kind: type[Any] = TABLES[table]
        return msgspec.json.decode(row, type=kind)  # type: ignore[no-any-return]  # one of the kinds of Row
    except (msgspec.MsgspecError, KeyError, UnicodeDecodeError):
        return None
