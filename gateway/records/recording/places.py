"""The places of recordings: where each is written, and what becomes of it then."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from gateway.call.record import CallIdentity
from gateway.config import Line
from gateway.records.rows import RecordingRow, new_key
from gateway.records.storing.pending import PendingFolder, Place, Waiting


class Places(Protocol):
    """A storage of recordings. ``begin`` and ``ended`` are called in the thread that writes."""

    @property
    def has_room(self) -> bool:
        """``True`` if a call more may be recorded."""

    def begin(self, about: Waiting) -> Place:
        """Return the place of a new recording, which is released once it is written. Raises ``OSError``."""

    def ended(self) -> None:
        """Take what was released from where it waits."""


class FolderAlone:
    """A folder in which recordings stay."""

    has_room = True

    def __init__(self, folder: Path) -> None:
        self._folder = PendingFolder(folder)

    def begin(self, about: Waiting) -> Place:
        """Return the place of a new recording. Raises ``OSError``."""
        return self._folder.begin(about)

    def ended(self) -> None:
        """Do nothing."""


class Keeping:
    """The places of recordings, with the keys of their calls, their rows, and how long they are kept.

    ``key_of`` returns the key of a call, ``put`` takes rows, ``until`` says when a recording that begins is deleted.
    """

    def __init__(
        self,
        places: Places,
        key_of: Callable[[CallIdentity], str] | None = None,
        put: Callable[[RecordingRow], None] = lambda _: None,
        until: Callable[[Line, datetime], datetime | None] = lambda *_: None,
    ) -> None:
        self.places = places
        self._key_of = key_of
        self.put = put
        self._until = until

    def about(self, identity: CallIdentity, line: Line) -> Waiting:
        """Return what is known of the recording of a call that begins."""
        now = datetime.now(UTC)
        key = self._key_of(identity) if self._key_of else new_key(now)
        return Waiting(key, line.name, now, self._until(line, now))
