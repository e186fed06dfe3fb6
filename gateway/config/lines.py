"""All lines of a deployment, and their files as they change."""

import glob
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from gateway.config.deployment import Deployment
from gateway.config.kept import KeptLines
from gateway.config.line.line import Line
from gateway.config.line_file import LineFile, stamp
from gateway.config.numbers import NumberPlan
from gateway.config.reading.problems import ConfigErrors
from gateway.errors import ConfigError

_ENDINGS = (".yaml", ".yml")
_OTHER_ENDINGS = (*_ENDINGS, ".yaml.txt", ".yml.txt")
"""Endings under which a line's file may have been saved by mistake, in capitals too."""


@dataclass(frozen=True)
class Refused:
    """A mistake that keeps a file from being used. ``generation`` is the refused version, empty if none was read."""

    error: ConfigError
    line: str = ""
    generation: str = ""


@dataclass(frozen=True)
class Update:
    """The changes that one look at the files found."""

    loaded: tuple[Line, ...] = ()
    removed: tuple[Line, ...] = ()
    refused: tuple[Refused, ...] = ()
    """Only mistakes that were not reported before."""

    def pieces(self, size: int) -> Iterator["Update"]:
        """Split into updates of at most ``size`` of each kind, in order; yield none if nothing changed."""
        longest = max(len(self.loaded), len(self.removed), len(self.refused))
        for start in range(0, longest, size):
            part = slice(start, start + size)
            yield Update(self.loaded[part], self.removed[part], self.refused[part])

    @property
    def problems(self) -> list[ConfigError]:
        """The errors of the refused files."""
        return [refused.error for refused in self.refused]


@dataclass
class _Entry:
    """One file: its last reading, its last good version, and the problems already reported."""

    read: LineFile
    good: LineFile | None = None
    reported: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class _Index:
    """The lines in use, replaced as a whole, so that a look-up never sees half of a change."""

    by_name: Mapping[str, Line] = field(default_factory=dict)
    numbers: NumberPlan[Line] = field(default_factory=lambda: NumberPlan(()))


class Lines:
    """Holds the lines of a deployment, by name and by number; look-ups are in memory, from any thread.

    Raises ConfigErrors at the start if a file is wrong; later :meth:`refresh` follows the files. With ``kept``, copies
    of good files are made there. If there are some already, wrong or missing files do not raise, but are ``refused``.
    """

    def __init__(self, deployment: Deployment, kept: KeptLines | None = None) -> None:
        self._deployment = deployment
        self._kept = kept
        self._entries: dict[Path, _Entry] = {}
        self._index = _Index()
        self._missing = False
        self._overlooked: dict[Path, ConfigError] = {}
        self._refreshing = threading.Lock()
        self.looking_at: Path | None = None
        """The file that the running refresh is checking or reading; it does not change while that hangs."""
        begins_anew = not self._kept_files()
        update = self._refresh()
        self.looking_at = None
        self.refused = tuple(refused for refused in update.refused if refused.error not in self.overlooked)
        """The mistakes at the start, if they did not prevent it."""
        if self.refused and begins_anew:
            raise ConfigErrors([refused.error for refused in self.refused])
        self._keep(update)

    def __iter__(self) -> Iterator[Line]:
        return iter(self._index.by_name.values())

    def __len__(self) -> int:
        return len(self._index.by_name)

    @property
    def overlooked(self) -> list[ConfigError]:
        """Files that look like lines but are not read, because ``lines`` of gateway.yaml does not match their names."""
        return list(self._overlooked.values())

    def by_name(self, name: str) -> Line | None:
        """Return the line whose file has this stem."""
        return self._index.by_name.get(name)

    def for_number(self, number: str, region: str = "") -> Line | None:
        """Return the line that answers a called number, in any spelling, else the one that takes any number.

        ``region`` is the country by whose rules the provider writes numbers.
        """
        return self._index.numbers.find(number, region)

    def folders(self) -> set[Path]:
        """Return the folders in which a change can concern a line. Call it in the thread that refreshes."""
        files = {file for entry in self._entries.values() for file in entry.read.stamps}
        return {self._root(), *(file.parent for file in files)}

    @property
    def is_deep(self) -> bool:
        """``True`` if lines may be in nested folders."""
        return "**" in self._deployment.lines

    def refresh(self) -> Update:
        """Apply new, changed and removed files; without changes it makes only a few ``stat`` calls.

        A file that cannot be used keeps its last good version. If all files are gone at once, every line stays: then
        the directory is missing, which nobody decided. It reads files, so it must not run in the event loop's thread.
        """
        with self._refreshing:
            try:
                update = self._refresh()
                self._keep(update)
            finally:
                self.looking_at = None
            return update

    def _refresh(self) -> Update:
        self.looking_at = self._root()
        names = glob.glob(self._pattern, recursive=True)  # noqa: PTH207 -- may be absolute
        overlooked = self._overlook(set(names))
        files = [Path(name) for name in sorted(names)]
        if files:
            self._missing = False
        else:
            overlooked = (*overlooked, *self._nothing_found())
            files = [] if self._entries else self._kept_files()
        if not files:
            return Update(refused=overlooked)
        changed = [file for file in files if self._is_stale(file)]
        gone = self._entries.keys() - set(files)
        if not changed and not gone:
            return Update(refused=overlooked)
        for file in gone:
            del self._entries[file]
        refused = [file for file, entry in self._entries.items() if entry.read is not entry.good]
        for file in sorted({*changed, *refused}):
            self._read(file)
        problems = self._settle()
        before, self._index = self._index, self._indexed()
        return Update(
            loaded=tuple(line for name, line in self._index.by_name.items() if before.by_name.get(name) is not line),
            removed=tuple(line for name, line in before.by_name.items() if name not in self._index.by_name),
            refused=(*overlooked, *problems),
        )

    @property
    def _pattern(self) -> str:
        return str(self._deployment.file.parent / self._deployment.lines)

    def _root(self) -> Path:
        """Return the folder that holds all lines, directly or deeper: the pattern up to its first wildcard."""
        parts = Path(self._pattern).parts[:-1]
        wild = next((index for index, part in enumerate(parts) if glob.has_magic(part)), None)
        return Path(*parts[:wild])

    def _overlook(self, names: set[str]) -> tuple[Refused, ...]:
        """Find files that were intended as lines but are not read; return those not reported before."""
        pattern = self._pattern
        ending = next((end for end in _ENDINGS if pattern.endswith(f"*{end}")), "")
        if not ending:
            return ()
        others = glob.glob(f"{pattern.removesuffix(ending)}.*", recursive=True)  # noqa: PTH207 -- may be absolute
        new = [name for name in others if name not in names and not name.endswith(ending)]  # one may have come since
        meant = [name for name in new if name.lower().endswith(_OTHER_ENDINGS)]
        message = f"is not read, expected a name that ends with {ending} (lines: {self._deployment.lines})"
        before = self._overlooked
        self._overlooked = {
            file: before.get(file) or ConfigError(message, file=file)
            for file in map(Path, sorted(meant))
            if file != self._deployment.file
        }
        return tuple(Refused(error, file.stem) for file, error in self._overlooked.items() if file not in before)

    def _nothing_found(self) -> list[Refused]:
        if self._missing:
            return []
        self._missing = True
        beside = f", {next(iter(self._overlooked))} does not" if self._overlooked else ""
        message = f"lines: no file matches {self._pattern}{beside}"
        return [Refused(ConfigError(message, file=self._deployment.file, key="lines"))]

    def _is_stale(self, file: Path) -> bool:
        self.looking_at = file
        entry = self._entries.get(file)
        return entry is None or any(stamp(path) != then for path, then in entry.read.stamps.items())

    def _read(self, file: Path) -> None:
        self.looking_at = file
        deployment = self._deployment
        read_file = partial(
            LineFile,
            file,
            deployment.voice_live.model,
            deployment.environ,
            folder=deployment.file.parent,
            region=deployment.providers.region,
            trouble=deployment.trouble,
        )
        read = read_file()
        if (old := self._entries.get(file)) is not None:
            self._entries[file] = _Entry(read, old.good, old.reported)
            return
        copies = self._kept.copies(file) if self._kept and not read.line else {}
        self._entries[file] = _Entry(read, read_file(copies=copies) if copies else None)

    def _keep(self, update: Update) -> None:
        """Copy the files of new good versions, except those that were read from a copy."""
        for line in update.loaded:
            entry = self._entries[line.file]
            if self._kept and entry.read.line is line:
                self._kept.keep(line.file, entry.read.stamps)

    def _kept_files(self) -> list[Path]:
        return self._kept.files() if self._kept else []

    def _settle(self) -> list[Refused]:
        """Adopt each new reading without mistakes or conflicts with another line; return the other problems once."""
        adopted = {file: entry.read if entry.read.line else entry.good for file, entry in self._entries.items()}
        conflicts: dict[Path, list[ConfigError]] = {}
        while found := self._conflicts(adopted):
            for file, errors in found.items():
                conflicts[file] = errors
                adopted[file] = self._entries[file].good if adopted[file] is self._entries[file].read else None
        problems = []
        for file, entry in self._entries.items():
            entry.good = adopted[file]
            errors = [*entry.read.errors, *conflicts.get(file, ())]
            generation = entry.read.generation
            problems += [Refused(error, file.stem, generation) for error in errors if str(error) not in entry.reported]
            entry.reported = {str(error) for error in errors}
        return problems

    def _conflicts(self, adopted: dict[Path, LineFile | None]) -> dict[Path, list[ConfigError]]:
        """Return the readings that claim another line's name or number; a line that had it before keeps it."""
        settled_first = sorted(adopted, key=lambda file: (adopted[file] is not self._entries[file].good, file))
        owners: dict[str, Path] = {}
        found: dict[Path, list[ConfigError]] = {}
        for file in settled_first:
            read = adopted[file]
            if read is None or read.line is None:
                continue
            errors = [
                read.number_error(index, number, owners[number])
                for index, number in enumerate(read.line.settings.numbers)
                if number in owners
            ]
            name = f"line {file.stem}"
            if name in owners:
                errors.append(ConfigError(f"{name} is also the name of {owners[name]}", file=file))
            if errors:
                found[file] = errors
            else:
                owners |= dict.fromkeys((name, *read.line.settings.numbers), file)
        return found

    def _indexed(self) -> _Index:
        good = [entry.good.line for entry in self._entries.values() if entry.good and entry.good.line]
        return _Index(
            {line.name: line for line in sorted(good, key=lambda line: line.name)},
            NumberPlan((number, line, line.settings.region or "") for line in good for number in line.settings.numbers),
        )
