"""Recordings that are being written, or wait for the store: files in a folder that all workers of a machine share.

Of each call there are ``<call>.wav``, the sound, and ``<call>.json``, what is known of it (:class:`Waiting`). Whoever
works on a recording, first the call and then the worker that takes it to the store, holds a lock on the second. The
system releases the lock of a process that dies: its recording is then there for another one. ``<call>.stored`` holds
the URL once the store has the sound, and ``<call>.forgotten`` says that it must not be kept.
"""

import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

import msgspec
from msgspec import Struct

from gateway.records.store.database import make_private_folder
from gateway.records.storing.names import file_stem, object_name
from gateway.records.storing.threads import in_thread
from gateway.text import json_bytes

_ABOUT, _STORED, _FORGOTTEN, _NEW = ".json", ".stored", ".forgotten", ".new"


class Waiting(Struct, frozen=True):
    """A recording that is being written or waits; ``keep_until`` is when it is to be deleted."""

    call_key: str
    line: str
    started: datetime
    keep_until: datetime | None = None
    suffix: str = ".wav"

    @property
    def name(self) -> str:
        """The name that it gets in the store."""
        return object_name(self.call_key, self.line, self.started, self.suffix)


@dataclass(frozen=True)
class Usage:
    """The files of a folder: how many recordings there are, how large they are, and when the oldest one began."""

    count: int = 0
    size: int = 0
    oldest: datetime | None = None


class Place:
    """One recording, held by this process until :meth:`release`; a context manager."""

    def __init__(self, folder: Path, about: Waiting, descriptor: int) -> None:
        self.about = about
        self._stem = folder / file_stem(about.call_key)
        self._descriptor = descriptor

    @property
    def path(self) -> Path:
        """The file of the sound."""
        return _file(self._stem, self.about.suffix)

    @property
    def stored(self) -> str:
        """The URL of the recording in the store; empty while the store does not have it."""
        try:
            return _file(self._stem, _STORED).read_text("utf-8")
        except FileNotFoundError:
            return ""

    def is_forgotten(self) -> bool:
        """Return whether the recording must not be kept."""
        return _file(self._stem, _FORGOTTEN).exists()

    def mark_stored(self, url: str) -> None:
        """Note that the store has the sound, and delete the file of the sound. Raises ``OSError``."""
        _write(_file(self._stem, _STORED), url.encode())
        self.path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Delete all files of the recording. Raises ``OSError``."""
        self.path.unlink(missing_ok=True)
        _file(self._stem, _STORED).unlink(missing_ok=True)
        _file(self._stem, _ABOUT).unlink(missing_ok=True)
        _file(self._stem, _FORGOTTEN).unlink(missing_ok=True)

    def release(self) -> None:
        """Let go of the recording: the next one that asks gets it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.release()


class PendingFolder:
    """The folder of what waits. Its methods read and write files, and raise ``OSError``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, about: Waiting) -> Place:
        """Return the place of a new recording: the caller writes its ``path`` and then releases it."""
        make_private_folder(self.folder)
        stem = self.folder / file_stem(about.call_key)
        path = _file(stem, _ABOUT)
        new = _file(stem, _NEW)
        descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(descriptor, json_bytes(about))
            os.fsync(descriptor)
            new.replace(path)
        except BaseException:
            os.close(descriptor)
            raise
        return Place(self.folder, about, descriptor)

    def claim(self, call_key: str) -> Place | None:
        """Return the place of a recording that nobody holds; ``None`` where somebody does, or there is none."""
        path = _file(self.folder / file_stem(call_key), _ABOUT)
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            status = os.fstat(descriptor)
            if not status.st_nlink:  # removed by the one that held it
                raise BlockingIOError
            about = msgspec.json.decode(os.pread(descriptor, status.st_size, 0), type=Waiting)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        return Place(self.folder, about, descriptor)

    def keys(self) -> list[str]:
        """Return the calls whose recordings wait or are being written, the oldest first."""
        return [path.stem for _, path in sorted(self._files(_ABOUT))]

    def forget(self, call_key: str) -> None:
        """Note that a recording must not be kept, and delete its sound, whoever is at work on it."""
        stem = self.folder / file_stem(call_key)
        if not _file(stem, _ABOUT).exists():
            return
        _write(_file(stem, _FORGOTTEN), b"")
        for _, path in self._files(".wav"):
            if path.stem == stem.name:
                path.unlink(missing_ok=True)

    def usage(self) -> Usage:
        """Return how much there is."""
        count, size, oldest = 0, 0, None
        for modified, path in self._files(""):
            try:
                size += path.stat().st_size
            except FileNotFoundError:
                continue
            if path.suffix == _ABOUT:
                count += 1
                oldest = modified if oldest is None else min(oldest, modified)
        return Usage(count, size, datetime.fromtimestamp(oldest).astimezone() if oldest is not None else None)

    def _files(self, suffix: str) -> Iterator[tuple[float, Path]]:
        try:
            with os.scandir(self.folder) as entries:
                found = [Path(entry.path) for entry in entries if entry.name.endswith(suffix)]
        except FileNotFoundError:
            return
        for path in found:
            try:
                yield path.stat().st_mtime, path
            except FileNotFoundError:
                continue


@asynccontextmanager
async def claimed(folder: PendingFolder, call_key: str) -> AsyncIterator[Place | None]:
    """Yield the place of a recording as :meth:`PendingFolder.claim` returns it, and release it after the block."""
    with ExitStack() as held:

        def claim() -> Place | None:
            place = folder.claim(call_key)
            return held.enter_context(place) if place else None

        yield await in_thread(claim)


def _file(stem: Path, suffix: str) -> Path:
    return stem.with_name(stem.name + suffix)


def _write(path: Path, content: bytes) -> None:
    new = _file(path, _NEW)
    with new.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
