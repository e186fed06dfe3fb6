"""Keeps the keys that a provider publishes in a file, for a start while they cannot be fetched."""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from gateway.errors import InputError

LIMIT = 1024 * 1024
"""Bytes that are read of a file; a set of keys has a few thousand."""


def read_kept(file: Path) -> bytes:
    """Return the kept document.

    Raises ``OSError`` where it cannot be read (a symbolic link is not followed), ``InputError`` where others than this
    user may have written it: whoever writes keys can sign as the provider.
    """
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as opened:
        status = os.fstat(opened.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{file} is no plain file")
        if status.st_uid not in (os.geteuid(), 0) or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise InputError(f"{file} may be written by others: expected one that this user alone may write")
        return opened.read(LIMIT)


def keep(file: Path, document: bytes) -> None:
    """Replace the file as a whole, for this user alone to read. Raises ``OSError``."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(document)
            opened.flush()
            os.fsync(opened.fileno())
        Path(name).replace(file)  # a reader finds the old document or the new one
    except OSError:
        with suppress(OSError):
            Path(name).unlink()
        raise
