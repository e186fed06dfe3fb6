"""Reads files of the configuration as text: bounded, UTF-8, and never a pipe that would wait for a writer."""

import os
import stat
from pathlib import Path

from gateway.config.reading.position import position_in
from gateway.errors import ConfigError
from gateway.text import UNFIT, described

MAX_BYTES = 1024 * 1024
"""More than a file of configuration or instructions needs; a larger file was named by mistake."""
_MARKS = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
"""Byte order marks, the longer ones first."""
_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_ENDINGS = (".yaml", ".yml")


class UnreadableError(Exception):
    """A file that cannot be read; the message says why."""


class UnreadError(ConfigError):
    """A file that the system could not read, perhaps for a while: no descriptors, a disk or a mount that fails."""


def read_text(file: Path, errors: list[ConfigError]) -> str | None:
    """Return the text of a UTF-8 file, or ``None`` and an entry in ``errors``."""
    try:
        data = read_bytes(file)
    except UnreadableError as error:
        kind = UnreadError if is_of_the_system(error) else ConfigError
        errors.append(kind(f"cannot be read: {error}", file=file))
    except ValueError as error:  # a name that no file can have
        errors.append(ConfigError(f"cannot be read: {error}", file=repr(str(file))))
    else:
        return decoded(data, file, errors)
    return None


def read_bytes(file: Path) -> bytes:
    """Return the content of an ordinary file. Raises UnreadableError; ValueError for a name that no file can have."""
    try:
        require_ordinary(file)
        with open(file, "rb", opener=_without_waiting) as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnreadableError(f"{error.strerror}{_beside(file)}") from None
    if len(data) > MAX_BYTES:
        raise UnreadableError(f"larger than {MAX_BYTES} bytes")
    return data


def is_of_the_system(error: Exception) -> bool:
    """Return ``True`` if an error comes from the system, and not from the kind or content of the file."""
    return isinstance(error.__context__, OSError)


def _without_waiting(name: str, flags: int) -> int:
    """Open a file without blocking: a pipe that has replaced it meanwhile would wait for a writer."""
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


def require_ordinary(file: Path) -> None:
    """Raise UnreadableError for a pipe, a device or a directory, OSError if there is no file."""
    kind = stat.S_IFMT(file.stat().st_mode)
    if kind != stat.S_IFREG:
        raise UnreadableError(f"it is {_KINDS.get(kind, 'no ordinary file')}, expected a file")


def decoded(data: bytes, file: Path, errors: list[ConfigError]) -> str | None:
    """Return the text in ``data``, or ``None`` and an entry in ``errors`` that says what encoding was expected."""
    if encoding := _other_encoding(data):
        message = f"saved as {encoding}, expected UTF-8: save it again with the encoding UTF-8"
        errors.append(ConfigError(message, file=file, line=1, column=1))
        return None
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8")
        at = position_in(before, len(before))
        message = f"not UTF-8: byte 0x{error.object[error.start]:02x}, expected a file saved as UTF-8"
        errors.append(ConfigError(message, file=file, line=at.line, column=at.column))
    return None


def unfit_at(text: str, file: Path, key: str = "") -> ConfigError | None:
    """Return the error of the first character that no call can carry, ``None`` if there is none."""
    found = UNFIT.search(text)
    if found is None:
        return None
    line, column = position_in(text, found.start())
    return ConfigError(f"holds {described(found[0])}, expected text", file=file, line=line, column=column, key=key)


def _other_encoding(data: bytes) -> str:
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return encoding
    start = data[:200]
    return "UTF-16" if start.count(0) > len(start) // 4 else ""


def _beside(file: Path) -> str:
    """Return the file that may be meant if ``file`` is missing: with the other ending, or other capitals."""
    if file.exists():
        return ""
    wanted = {file.name.lower(), *(file.stem.lower() + ending for ending in _ENDINGS if file.suffix in _ENDINGS)}
    try:
        found = sorted(other.name for other in file.parent.iterdir() if other.name.lower() in wanted)
    except OSError:
        return ""
    return f" ({found[0]} is there)" if found else ""
