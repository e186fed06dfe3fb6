"""The files of the lines as they are now: what is wrong in them, and what changed since the console began."""

import difflib
import glob
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from gateway.config import Deployment, Line
from gateway.config.line_file import LineFile, Stamp, stamp
from gateway.errors import ConfigError
from gateway.logs.redaction import Redactor, secrets_in

LONGEST_CHANGE = 200
"""Most lines of a change that are shown."""


class Checked(Protocol):
    """The result of ``gateway check`` of the whole configuration."""

    @property
    def errors(self) -> Sequence[ConfigError]:
        """The mistakes."""

    @property
    def warnings(self) -> Sequence[str]:
        """The warnings, each a sentence."""


Check = Callable[[], Checked]
"""Checks the whole configuration; it reads files."""


class Change(Struct, frozen=True):
    """A line of what changed in a file: ``added``, ``removed``, or the ``place`` of what follows."""

    kind: str
    text: str


class SeenLine(Struct, frozen=True):
    """A line's file. ``line`` is what it says, ``None`` where it cannot be used; then ``errors`` say why."""

    name: str
    file: str
    line: Line | None
    errors: tuple[ConfigError, ...] = ()
    since: datetime | None = None
    """The time at which this version was first seen, where that is after the start of the console."""
    changes: tuple[Change, ...] = ()
    """The difference from the version before."""


class Seen(Struct, frozen=True):
    """All lines, and what is wrong with the configuration as a whole."""

    lines: tuple[SeenLine, ...]
    errors: tuple[ConfigError, ...] = ()
    """Mistakes that are of no line's file."""
    warnings: tuple[str, ...] = ()


class LineFiles:
    """Reads the files of the lines again where they changed. :meth:`look` may be called by several threads."""

    def __init__(self, deployment: Deployment, check: Check | None = None) -> None:
        self._deployment = deployment
        self._check = check
        self._redactor = Redactor(secrets_in(deployment.environ))
        self._looking = threading.Lock()
        self._read: dict[Path, LineFile] = {}
        self._seen: dict[Path, SeenLine] = {}
        self._texts: dict[Path, str] = {}
        self._checked: Checked | None = None
        self._checked_at: Mapping[Path, Stamp] = {}
        self._began = False

    def look(self) -> Seen:
        """Return the lines as their files are now."""
        with self._looking:
            files = sorted(map(Path, glob.glob(self._pattern, recursive=True)))  # noqa: PTH207 -- may be absolute
            for gone in self._read.keys() - set(files):
                del self._read[gone], self._seen[gone]
            for file in files:
                read = self._read.get(file)
                if read is None or any(stamp(path) != then for path, then in read.stamps.items()):
                    self._take(file)
            self._began = True
            return self._result()

    @property
    def _pattern(self) -> str:
        return str(self._deployment.file.parent / self._deployment.lines)

    def _take(self, file: Path) -> None:
        deployment = self._deployment
        read = self._read[file] = LineFile(
            file,
            deployment.voice_live.model,
            deployment.environ,
            folder=deployment.file.parent,
            region=deployment.providers.region,
            trouble=deployment.trouble,
        )
        before, text = self._texts.get(file), _text_of(file)
        since = datetime.now(UTC) if self._began else None
        changes: tuple[Change, ...] = ()
        if read.line is not None:
            self._texts[file] = text
            changes = () if before is None else self._changes(before, text)
        if before is not None and before == text and (known := self._seen.get(file)) is not None:
            since, changes = known.since, known.changes  # mended as it was before
        self._seen[file] = SeenLine(file.stem, str(file), read.line, tuple(read.errors), since, changes)

    def _changes(self, before: str, after: str) -> tuple[Change, ...]:
        kinds = {"+": "added", "-": "removed", "@": "place"}
        lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))[2:]
        shown = [Change(kinds.get(line[:1], ""), self._redactor.text(line)) for line in lines[:LONGEST_CHANGE]]
        return (*shown, Change("place", "…")) if len(lines) > LONGEST_CHANGE else tuple(shown)

    def _result(self) -> Seen:
        """Put what the check of the whole says beside the files that it is about."""
        stamps = {path: then for read in self._read.values() for path, then in read.stamps.items()}
        stamps[self._deployment.file] = stamp(self._deployment.file)
        if self._check is not None and (self._checked is None or stamps != self._checked_at):
            self._checked, self._checked_at = self._check(), stamps
        found = () if self._checked is None else tuple(self._checked.errors)
        lines = []
        for seen in self._seen.values():
            more = [
                error
                for error in found
                if Path(error.file) == Path(seen.file) and str(error) not in map(str, seen.errors)
            ]
            lines.append(SeenLine(seen.name, seen.file, seen.line, (*seen.errors, *more), seen.since, seen.changes))
        files = {Path(seen.file) for seen in self._seen.values()}
        return Seen(
            tuple(sorted(lines, key=lambda line: line.name)),
            tuple(error for error in found if Path(error.file) not in files),
            () if self._checked is None else tuple(map(self._redactor.text, self._checked.warnings)),
        )


def _text_of(file: Path) -> str:
    try:
        return file.read_text("utf-8", errors="replace")
    except OSError:
        return ""
