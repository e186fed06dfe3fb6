"""Recordings in a directory."""

import hashlib
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import ParamSpec, TypeVar
from urllib.parse import unquote, urlsplit

from gateway.errors import StoreError
from gateway.records.store.database import make_private_folder
from gateway.records.storing.threads import BLOCK, in_thread

Given = ParamSpec("Given")
Result = TypeVar("Result")


class DirectoryStore:
    """Keeps recordings in a directory, which is made where it is missing; files are read and written in threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()

    def url_of(self, name: str) -> str:
        """Return the ``file://`` URL of the recording with this name."""
        return (self._folder / name).as_uri()

    async def keep(self, path: Path, name: str) -> str:
        """Link or copy a file into the directory; a name has either all of it or nothing."""
        await in_thread(_translating_errors, _keep, path, self._folder, name)
        return self.url_of(name)

    async def has(self, url: str) -> bool:
        """Return whether there is a recording at this URL."""
        return await in_thread(path_of(url).is_file)

    async def size(self, url: str) -> int:
        """Return the bytes of a recording."""
        return (await in_thread(_translating_errors, path_of(url).stat)).st_size

    async def delete(self, url: str) -> None:
        """Delete a recording, and the folders that it leaves empty."""
        await in_thread(_translating_errors, _delete, path_of(url), self._folder)

    async def link(self, url: str, expires_s: int) -> str:
        """Return the path of the recording; it does not expire."""
        path = path_of(url)
        if not await in_thread(path.is_file):
            raise StoreError(f"{path}: there is no such recording")
        return str(path)

    async def read(self, url: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Yield the bytes of a recording from ``start`` up to ``end``."""
        path, at = path_of(url), start
        while end is None or at < end:
            size = BLOCK if end is None else min(BLOCK, end - at)
            block = await in_thread(_translating_errors, _block, path, at, size)
            if not block:
                return
            yield block
            at += len(block)

    async def try_out(self) -> None:
        """Write, find and delete a small file."""
        await in_thread(_translating_errors, _try_out, self._folder)

    async def close(self) -> None:
        """Do nothing: no file is left open."""


def path_of(url: str) -> Path:
    """Return the path of a ``file://`` URL."""
    return Path(unquote(urlsplit(url).path))


def _translating_errors(work: Callable[Given, Result], *arguments: Given.args, **options: Given.kwargs) -> Result:
    """Call ``work``; an error of the directory becomes a StoreError, a missing source ``FileNotFoundError``."""
    try:
        return work(*arguments, **options)
    except _SourceGoneError:
        raise FileNotFoundError from None
    except OSError as error:
        raise StoreError(f"{error.filename or 'the directory'}: {error.strerror or error}") from None


class _SourceGoneError(Exception):
    """The file that is to be kept is not there."""


def _keep(path: Path, folder: Path, name: str) -> None:
    target = folder / name
    try:
        source = path.stat()
    except FileNotFoundError:
        raise _SourceGoneError from None
    make_private_folder(folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        if path.samefile(target) or _equal(path, target, source.st_size):
            return
        target.unlink()  # an older try that did not end, or another content
    except FileNotFoundError:
        pass
    try:
        os.link(path, target)
    except OSError:  # another file system, or one without links
        _copy(path, target)
    _synced(target.parent)


def _copy(path: Path, target: Path) -> None:
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with path.open("rb") as source, part.open("xb") as copy:
            shutil.copyfileobj(source, copy, BLOCK)
            copy.flush()
            os.fsync(copy.fileno())
        if not _equal(path, part, path.stat().st_size):
            raise StoreError(f"{target}: the copy differs from the recording")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _equal(path: Path, other: Path, size: int) -> bool:
    return other.stat().st_size == size and digest_of(path) == digest_of(other)


def digest_of(path: Path, method: str = "sha256") -> str:
    """Return the digest of a file, in hexadecimal. Raises ``OSError``."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(method, usedforsecurity=False)).hexdigest()


def _synced(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _block(path: Path, at: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(at)
        return file.read(size)


def _delete(path: Path, folder: Path) -> None:
    path.unlink(missing_ok=True)
    for parent in path.parents:
        if parent == folder or not parent.is_relative_to(folder):
            return
        try:
            parent.rmdir()
        except OSError:
            return


def _try_out(folder: Path) -> None:
    make_private_folder(folder)
    path = folder / f".gateway-{secrets.token_hex(8)}"
    try:
        path.write_bytes(b"gateway")
        if path.read_bytes() != b"gateway":
            raise StoreError(f"{folder}: what was written is not what is read")
    finally:
        path.unlink(missing_ok=True)
