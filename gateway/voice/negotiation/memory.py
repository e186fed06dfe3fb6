"""Remembers refusals of the service, so that the next call does not ask again. Pure: time is an argument."""

from collections import OrderedDict
from collections.abc import Sequence

from msgspec import Struct

REMEMBERED_S = 6 * 3600.0
"""The time for which a refusal is remembered; a member or model that was refused may be accepted later."""
TROUBLE_S = 60.0
"""The time for which a model is passed over whose sessions failed for another reason than a refusal."""
LOGGED_EVERY_S = 3600.0
KEYS_LIMIT = 256
"""Keys that are remembered; one more displaces the one that was used longest ago."""


class Key(Struct, frozen=True):
    """The circumstances on which a refusal depends."""

    endpoint: str
    api_version: str
    answering: str
    """The model, or the agent and its project."""
    voice_type: str
    audio_format: str


class _Entry:
    def __init__(self) -> None:
        self.left_out: tuple[str, ...] = ()
        self.until = 0.0
        self.failed_until = 0.0
        self.logged_at: dict[str, float] = {}


class Reduced(Struct, frozen=True):
    """The reductions of the sessions of a key, for display."""

    answering: str
    left_out: tuple[str, ...]
    failed: bool
    """The model is passed over."""


class Memory:
    """Reductions of accepted sessions and models that failed, by key; ``now`` is in seconds on any clock."""

    def __init__(self) -> None:
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()

    def left_out(self, key: Key, now: float) -> Sequence[str]:
        """Return what to leave out from the start."""
        entry = self._entries.get(key)
        return entry.left_out if entry is not None and now < entry.until else ()

    def fails(self, key: Key, now: float) -> bool:
        """Return ``True`` if sessions with this model failed lately."""
        entry = self._entries.get(key)
        return entry is not None and now < entry.failed_until

    def note_accepted(self, key: Key, left_out: Sequence[str], now: float) -> None:
        """Note what had to be left out of an accepted session.

        It is added to what other lines with this key had to leave out; what is known already keeps its end.
        """
        known = self.left_out(key, now)
        new = [name for name in left_out if name not in known]
        if new:
            entry = self._entry(key)
            entry.left_out = (*known, *new)
            entry.until = now + REMEMBERED_S

    def note_failed(self, key: Key, now: float, *, refused: bool) -> None:
        """Note that no session came about with this model."""
        self._entry(key).failed_until = now + (REMEMBERED_S if refused else TROUBLE_S)

    def should_log(self, key: Key, event: str, now: float) -> bool:
        """Return ``True`` once an hour for each key and event of the log."""
        logged_at = self._entry(key).logged_at
        if now - logged_at.get(event, float("-inf")) < LOGGED_EVERY_S:
            return False
        logged_at[event] = now
        return True

    def shown(self, now: float) -> tuple[Reduced, ...]:
        """Return all that is left out at present."""
        return tuple(
            Reduced(key.answering, entry.left_out if now < entry.until else (), now < entry.failed_until)
            for key, entry in self._entries.items()
            if now < max(entry.until if entry.left_out else 0.0, entry.failed_until)
        )

    def _entry(self, key: Key) -> _Entry:
        entry = self._entries.setdefault(key, _Entry())
        self._entries.move_to_end(key)
        while len(self._entries) > KEYS_LIMIT:
            self._entries.popitem(last=False)
        return entry
