"""Keeps copies of the last good configuration, for a new worker process that finds the files broken."""

import errno
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
import structlog
from msgspec import Struct

from gateway.config.line_file import Stamp, stamp
from gateway.text import json_bytes

log = structlog.get_logger()

DEPLOYMENT = "gateway.yaml"
_ENDING = ".json"


class _Copied(Struct, frozen=True):
    """The versions of a line's files that were copied, and the places of the copies."""

    file: str
    stamps: dict[str, Stamp]
    copies: dict[str, str]
    folder: str


class KeptDeployment:
    """Keeps ``gateway.yaml`` as it was at the start, in a folder that several processes share."""

    def __init__(self, file: Path, folder: Path) -> None:
        """Read the file. Raises ``OSError``."""
        self.folder = folder
        self._file = file
        self._content = file.read_bytes()

    def renew(self) -> bytes:
        """Keep ``gateway.yaml`` as it is now, and return what was kept before. Raises ``OSError``."""
        before = self._content
        self.replace(self._file.read_bytes())
        return before

    def replace(self, content: bytes) -> None:
        """Keep this content. Raises ``OSError``."""
        make_own(self.folder)
        written = self.folder / f"{DEPLOYMENT}.new"
        written.write_bytes(content)
        written.replace(self.folder / DEPLOYMENT)
        self._content = content

    def write(self) -> None:
        """Write the copy if it is missing: a cleaner of temporary files may remove it after days. Raises OSError."""
        make_own(self.folder)
        copy = self.folder / DEPLOYMENT
        if not copy.exists():
            copy.write_bytes(self._content)


def make_own(folder: Path) -> None:
    """Make a folder if it is missing. Raises ``OSError``, also if something of another user has taken its place."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, f"{folder} is no folder of this user")


class KeptLines:
    """Keeps the last good versions of the lines' files, in a folder that several processes share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def files(self) -> list[Path]:
        """Return the lines' files that have copies."""
        return sorted(Path(copied.file) for copied in map(self._read, self._folder.glob(f"*{_ENDING}")) if copied)

    def copies(self, file: Path) -> Mapping[Path, Path]:
        """Return the paths of the copies of a line's file and of the files that it names; empty if there are none."""
        copied = self._read(self._note(file))
        return {Path(one): Path(copy) for one, copy in copied.copies.items()} if copied else {}

    def keep(self, file: Path, stamps: Mapping[Path, Stamp]) -> None:
        """Copy a line's file and the files that it names, unless one of them has changed since ``stamps``."""
        note = self._note(file)
        known = self._read(note)
        seen = {str(one): at for one, at in stamps.items()}
        if known and known.stamps == seen:
            return
        try:
            folder = Path(tempfile.mkdtemp(dir=self._folder))
            copies = {}
            for index, one in enumerate(stamps):
                copy = folder / f"{index}-{one.name}"
                shutil.copyfile(one, copy)
                copies[str(one)] = str(copy)
            if any(stamp(one) != at for one, at in stamps.items()):
                shutil.rmtree(folder, ignore_errors=True)
                return
            written = folder / f"note{_ENDING}"
            written.write_bytes(json_bytes(_Copied(str(file), seen, copies, str(folder))))
            written.replace(note)
        except OSError as error:
            log.warning("line_not_kept", file=str(file), detail=error.strerror or str(error))
            return
        if known:
            shutil.rmtree(known.folder, ignore_errors=True)

    def _note(self, file: Path) -> Path:
        return self._folder / (hashlib.sha256(str(file).encode(errors="surrogateescape")).hexdigest()[:32] + _ENDING)

    @staticmethod
    def _read(note: Path) -> _Copied | None:
        with suppress(OSError):
            return msgspec.json.decode(note.read_bytes(), type=_Copied)
        return None
