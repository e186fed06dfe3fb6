"""The form of a tape: JSON lines, the first of which is the header. ``docs/first-call.md`` describes it."""

import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from gateway.errors import InputError

FORM = 1
"""The version of the form; a reader refuses a later one."""
KIND_NAMES = (
    *("type", "event", "eventType", "kind", "Kind", "action", "command"),
    *("op", "opcode", "cmd", "method", "messageType", "message_type", "msgType", "msg_type"),
)
"""The members in which peers name the kind of a message: first those that are known, then those that others use."""
LARGEST = 512 * 1024 * 1024
"""Bytes of a file that is read."""


class Header(Struct, frozen=True):
    """The first line."""

    tape: int
    """The version of the form."""
    gateway: str
    started: str
    """UTC, ISO 8601."""
    clock: float
    """The machine's clock at that moment, in seconds: times of records count from it, in every worker."""
    provider: str
    account: str = ""
    """The name under which the gateway serves the provider, where it is another."""
    audio: bool = False
    """``True`` if the sound is on the tape (``--tape-audio``)."""
    api_version: str = ""
    call: str = ""
    """The fake of the call's id."""


class Line(Struct, frozen=True, omit_defaults=True):
    """A record; which members it has depends on ``side`` and ``kind``."""

    t: float
    """Seconds from the header's clock."""
    side: str
    """``webhook``, ``phone``, ``voice``, ``rest`` or ``gateway``."""
    to: str = ""
    """``in`` for what came from a peer, ``out`` for what the gateway sent."""
    kind: str = "message"
    n: int = 0
    """The number of the webhook, the request or the voice connection that the record belongs to."""
    json: Any = None
    """A message of JSON."""
    text: str | None = None
    """Any other message of text."""
    audio: str | None = None
    """A binary message: ``$audio BYTES DB``."""
    head: tuple[int, ...] = ()
    """The bytes before the audio of a binary message, where its wire has such."""
    http: dict[str, Any] | None = None
    """A request, an answer, an upgrade."""
    facts: dict[str, Any] | None = None
    """Anything else."""


class Tape(Struct, frozen=True):
    """A tape that was read; ``lines`` in the order of their times, with their numbers in the file."""

    header: Header
    lines: list[tuple[int, Line]]
    file: str = ""

    def of(self, side: str, to: str = "", kind: str = "") -> list[tuple[int, Line]]:
        """Return the records of a side, of one direction and of one kind if given."""
        return [
            (number, line)
            for number, line in self.lines
            if line.side == side and (not to or line.to == to) and (not kind or line.kind == kind)
        ]


_HEADER = msgspec.json.Decoder(Header)
_LINE = msgspec.json.Decoder(Line)


def read_tape(file: Path) -> Tape:
    """Read a tape. Raises ``InputError`` that names the file, the line and what was expected."""
    raw = read_lines(file)
    if not raw:
        raise InputError(f"{file}: is empty, expected a tape")
    header = _header(file, raw[0])
    lines: list[tuple[int, Line]] = []
    for number, text in enumerate(raw[1:], start=2):
        try:
            lines.append((number, _LINE.decode(text)))
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            if number == len(raw):
                break  # the last line of a gateway that was killed
            raise InputError(f"{file}:{number}: is no record of a tape: {_told(error)}") from None
    lines.sort(key=lambda pair: pair[1].t)
    return Tape(header, lines, str(file))


def read_lines(file: Path) -> list[bytes]:
    """Return the lines of a file that are not empty. Raises ``InputError``."""
    try:
        found = file.stat()
        if not stat.S_ISREG(found.st_mode):
            raise InputError(f"{file}: is no file, expected a tape")
        if found.st_size > LARGEST:
            raise InputError(f"{file}: has {found.st_size} bytes, expected at most {LARGEST}")
        return [line for line in file.read_bytes().split(b"\n") if line.strip()]
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or error}") from None
    except ValueError:  # a NUL in the name
        raise InputError(f"{str(file)!r} is no name of a file, expected a tape") from None


def _header(file: Path, text: bytes) -> Header:
    try:
        header = _HEADER.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InputError(f"{file}:1: is no header of a tape: {_told(error)}") from None
    if header.tape != FORM:
        raise InputError(f"{file}:1: is a tape of form {header.tape}, expected form {FORM}")
    return header


def _told(error: Exception) -> str:
    """Return the reader's complaint, without what stands there."""
    return re.sub(r"'[^']*'|\"[^\"]*\"", "…", str(error))[:120]


def kind_of(message: Any) -> str:
    """Return the type of a JSON message by the member in which providers and the service name it."""
    if not isinstance(message, Mapping):
        return ""
    for name in KIND_NAMES:
        value = message.get(name)
        if isinstance(value, str) and value:
            return value
    return ""
