"""All lines of a deployment, and their files as they change."""

import glob
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gateway.config.deployment import Deployment
from gateway.config.line import Line
from gateway.config.line_file import LineFile, stamp
from gateway.config.numbers import NumberPlan
from gateway.config.problems import ConfigErrors
from gateway.errors import ConfigError


@dataclass
class _Entry:
    """One file: what it gave last, the last version that was good, and the problems already told."""

    read: LineFile
    good: LineFile | None = None
    told: set[str] = field(default_factory=set)


class Lines:
    """The lines of a deployment, by name and by number.

    Raises ConfigErrors where a file is wrong; after that, :meth:`refresh` follows the files.
    """

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._entries: dict[Path, _Entry] = {}
        self._by_name: dict[str, Line] = {}
        self._numbers: NumberPlan[Line] = NumberPlan(())
        self._missing = False
        self._refreshing = threading.Lock()
        if errors := self.refresh():
            raise ConfigErrors(errors)

    def __iter__(self) -> Iterator[Line]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def by_name(self, name: str) -> Line | None:
        """The line whose file has this stem."""
        return self._by_name.get(name)

    def for_number(self, number: str, region: str = "") -> Line | None:
        """The line that answers a called number, however it is spelt, else the one that takes any number.

        ``region`` is the country whose habits of writing numbers the provider has.
        """
        return self._numbers.find(number, region)

    def refresh(self) -> list[ConfigError]:
        """Take up files that are new, changed or gone; a few ``stat`` calls where there are none.

        A file that cannot be used keeps its last good version, and where all files are gone at once every line stays:
        that is a directory that is missing, not a decision. Returns problems that were not told before. It reads
        files: not for the event loop's thread.
        """
        with self._refreshing:
            return self._refresh()

    def _refresh(self) -> list[ConfigError]:
        files = self._files()
        if not files:
            return self._nothing_found()
        self._missing = False
        changed = [file for file in files if self._is_stale(file)]
        gone = self._entries.keys() - set(files)
        if not changed and not gone:
            return []
        for file in gone:
            del self._entries[file]
        refused = [file for file, entry in self._entries.items() if entry.read is not entry.good]
        for file in sorted({*changed, *refused}):
            self._read(file)
        problems = self._settle()
        self._index()
        return problems

    def _files(self) -> list[Path]:
        pattern = str(self._deployment.file.parent / self._deployment.lines)
        return [Path(name) for name in sorted(glob.glob(pattern, recursive=True))]  # noqa: PTH207 -- may be absolute

    def _nothing_found(self) -> list[ConfigError]:
        if self._missing:
            return []
        self._missing = True
        pattern = self._deployment.file.parent / self._deployment.lines
        return [ConfigError(f"lines: no file matches {pattern}", file=self._deployment.file, key="lines")]

    def _is_stale(self, file: Path) -> bool:
        entry = self._entries.get(file)
        return entry is None or any(stamp(path) != then for path, then in entry.read.stamps.items())

    def _read(self, file: Path) -> None:
        deployment = self._deployment
        read = LineFile(file, deployment.voice_live.model, deployment.environ, folder=deployment.file.parent)
        old = self._entries.get(file)
        self._entries[file] = _Entry(read, old.good if old else None, old.told if old else set())

    def _settle(self) -> list[ConfigError]:
        """Adopt every new reading that neither is wrong nor claims what another line has; tell the rest once."""
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
            problems += [error for error in errors if str(error) not in entry.told]
            entry.told = {str(error) for error in errors}
        return problems

    def _conflicts(self, adopted: dict[Path, LineFile | None]) -> dict[Path, list[ConfigError]]:
        """Readings that claim a name or number that another line has; a line that had it before keeps it."""
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

    def _index(self) -> None:
        good = [entry.good.line for entry in self._entries.values() if entry.good and entry.good.line]
        self._by_name = {line.name: line for line in sorted(good, key=lambda line: line.name)}
        self._numbers = NumberPlan(
            (number, line, line.settings.region or "") for line in good for number in line.settings.numbers
        )
