"""The places for calls, counted together by all workers: reserved by a webhook, taken by a stream.

Each place is a record in shared memory. Nothing is counted apart from the records, so that no count can go wrong.
"""

import enum
import hashlib
import os
import struct
import time
from collections.abc import Callable, Iterator

from msgspec import Struct

from gateway.fleet.memory import Memory

CallKey = tuple[str, str]
"""The provider's name and the id that the call has there: no provider can name another's calls."""

clock = time.monotonic
"""The machine's clock, which is the same in all processes."""

_KEY_BYTES = 16
_LINE_BYTES = 8
_TEXT_BYTES = 512
_UNTIL = struct.Struct("d")
_LENGTH = struct.Struct("H")
_RECORD_BYTES = 1 + 1 + 1 + _KEY_BYTES + 2 * _LINE_BYTES + _UNTIL.size + _TEXT_BYTES
_NO_LINE = bytes(_LINE_BYTES)
_SEPARATOR = "\0"


class _State(enum.IntEnum):
    """The state of a place."""

    FREE = 0
    RESERVED = 1
    TAKEN = 2
    ORPHANED = 3
    """Its worker died in the call, which the provider may go on with in silence."""


class News(enum.IntEnum):
    """The report of a provider on a call, made to a worker that does not have the call."""

    OVER = 1
    TRANSFER_FAILED = 2


class Full(enum.Enum):
    """The reason why there is no place."""

    ALL = enum.auto()
    LINE = enum.auto()
    CALLER = enum.auto()


class Place(Struct, eq=False):
    """A place that a stream holds."""

    index: int
    key: bytes


class KnownCall(Struct, frozen=True):
    """A call as its place knows it; ``line`` is empty until its stream has named it."""

    provider: str = ""
    call_id: str = ""
    line: str = ""


def bytes_for(size: int) -> int:
    """Return how much memory ``size`` places take."""
    return size * _RECORD_BYTES


class Places:
    """``size`` places in ``memory`` from ``offset`` on, as worker number ``worker`` sees them."""

    def __init__(
        self, memory: Memory, offset: int, size: int, worker: int = 1, now: Callable[[], float] | None = None
    ) -> None:
        self._memory = memory
        self._bytes = memory.bytes
        self.size = size
        self._worker = worker
        self._now = now or clock
        self._owners = offset
        self._states = self._owners + size
        self._news = self._states + size
        self._keys = self._news + size
        self._lines = self._keys + size * _KEY_BYTES
        self._callers = self._lines + size * _LINE_BYTES
        self._until = self._callers + size * _LINE_BYTES
        self._texts = self._until + size * _UNTIL.size

    def is_full(self) -> bool:
        """Return whether no place is left."""
        with self._memory.locked():
            return self._find_free() is None

    def in_use(self) -> int:
        """Return how many places are not free."""
        with self._memory.locked():
            now = self._now()
            states = self._bytes[self._states : self._news]
            expired = sum(self._until_of(index) <= now for index in self._each(_State.RESERVED))
            return self.size - states.count(_State.FREE) - expired

    def reserve(
        self,
        call: CallKey,
        line: str,
        line_limit: int | None,
        life_s: float,
        caller: str = "",
        caller_limit: int | None = None,
    ) -> Full | None:
        """Keep a place for the stream of a call that is answered now; return why there is none.

        ``caller_limit`` is for the calls of ``caller`` on this line; an empty caller has none.
        """
        key, line_key, until = _call_key(call), _line_key(line), self._now() + life_s
        caller_key = _caller_key(line, caller)
        with self._memory.locked():
            index = self._find_reserved(key)
            if index is None:
                index = self._find_free()
                if index is None:
                    return Full.ALL
                if self._is_full(self._lines, line_key, line_limit):
                    return Full.LINE
                if caller and self._is_full(self._callers, caller_key, caller_limit):
                    return Full.CALLER
            self._write(index, _State.RESERVED, key, line_key, until, (*call, line))
            self._write_caller(index, caller_key)
        return None

    def take(self, call: CallKey | None = None, *, reserved_only: bool = False) -> Place | None:
        """Take the place that was reserved for ``call``, else any that is free; ``None`` where there is none."""
        with self._memory.locked():
            index = None if call is None else self._find_reserved(_call_key(call))
            if index is None and not reserved_only:
                index = self._find_free()
                if index is not None:
                    self._write(index, _State.FREE, os.urandom(_KEY_BYTES), _NO_LINE, 0.0, call or ())
            if index is None:
                return None
            self._bytes[self._owners + index] = self._worker
            self._bytes[self._states + index] = _State.TAKEN
            return Place(index, self._key_of(index))

    def name(
        self,
        place: Place,
        call: CallKey,
        line: str,
        line_limit: int | None,
        caller: str = "",
        caller_limit: int | None = None,
    ) -> Full | None:
        """Note whose place it is; return why it is taken back, where the place was not reserved for the line."""
        line_key, caller_key = _line_key(line), _caller_key(line, caller)
        with self._memory.locked():
            if self._line_of(place.index) == line_key:
                caller_key = self._cell(self._callers, place.index)
            elif self._is_full(self._lines, line_key, line_limit):
                return Full.LINE
            elif caller and self._is_full(self._callers, caller_key, caller_limit):
                return Full.CALLER
            if self._is_held(place):
                place.key = _call_key(call)
                self._write(place.index, _State.TAKEN, place.key, line_key, 0.0, (*call, line))
                self._write_caller(place.index, caller_key)
        return None

    def is_reserved_for(self, place: Place, line: str) -> bool:
        """Return whether a place was reserved for a call of ``line``, and not taken by a stream alone."""
        with self._memory.locked():
            return self._line_of(place.index) == _line_key(line)

    def free(self, place: Place) -> None:
        """Free a place that a stream held."""
        with self._memory.locked():
            if self._is_held(place):
                self._clear(place.index)

    def cancel(self, call: CallKey) -> KnownCall | None:
        """Free what is reserved for ``call``; return the facts that were known of it."""
        with self._memory.locked():
            index = self._find_reserved(_call_key(call))
            if index is None:
                return None
            known = self._known(index)
            self._clear(index)
            return known

    def report(self, call: CallKey, news: News) -> bool:
        """Pass on a report on a call; return ``False`` where no worker has the call."""
        with self._memory.locked():
            index = next(self._find_key(_call_key(call), _State.TAKEN), None)
            if index is not None:
                self._bytes[self._news + index] = news
            return index is not None

    def take_news(self) -> list[tuple[CallKey, News]]:
        """Return the reports that other workers received on this one's calls, each once."""
        if not any(self._bytes.find(bytes([news]), self._news, self._keys) >= 0 for news in News):
            return []
        with self._memory.locked():
            reports = []
            for index in self._each(_State.TAKEN, self._worker):
                if news := self._bytes[self._news + index]:
                    self._bytes[self._news + index] = 0
                    known = self._known(index)
                    reports.append(((known.provider, known.call_id), News(news)))
            return reports

    def reserved(self) -> list[KnownCall]:
        """Return the calls whose streams this worker has promised a place to, and that have not come."""
        now = self._now()
        with self._memory.locked():
            return [self._known(i) for i in self._each(_State.RESERVED, self._worker) if self._until_of(i) > now]

    def orphan(self, worker: int) -> list[KnownCall]:
        """Free the places of a dead worker, and return its calls; a living worker goes on with each."""
        with self._memory.locked():
            calls = []
            for index in list(self._each(_State.TAKEN, worker)):
                if (known := self._known(index)).call_id:
                    calls.append(known)
                    self._bytes[self._states + index] = _State.ORPHANED
                else:
                    self._clear(index)
            return calls

    def adopt(self) -> list[KnownCall]:
        """Return the calls of workers that have died, and free their places: no other worker gets them too."""
        if self._bytes.find(bytes([_State.ORPHANED]), self._states, self._news) < 0:
            return []
        with self._memory.locked():
            found = list(self._each(_State.ORPHANED))
            calls = [self._known(index) for index in found]
            for index in found:
                self._clear(index)
            return calls

    def _find_free(self) -> int | None:
        at = self._bytes.find(bytes([_State.FREE]), self._states, self._news)
        if at >= 0:
            return at - self._states
        now = self._now()
        return next((index for index in self._each(_State.RESERVED) if self._until_of(index) <= now), None)

    def _find_reserved(self, key: bytes) -> int | None:
        now = self._now()
        return next((i for i in self._find_key(key, _State.RESERVED) if self._until_of(i) > now), None)

    def _find_key(self, key: bytes, state: _State) -> Iterator[int]:
        at = self._keys
        while (at := self._bytes.find(key, at, self._lines)) >= 0:
            index, rest = divmod(at - self._keys, _KEY_BYTES)
            if not rest and self._bytes[self._states + index] == state:
                yield index
            at += 1

    def _each(self, state: _State, worker: int | None = None) -> Iterator[int]:
        at = self._states
        while (at := self._bytes.find(bytes([state]), at, self._news)) >= 0:
            index = at - self._states
            if worker is None or self._bytes[self._owners + index] == worker:
                yield index
            at += 1

    def _is_full(self, column: int, key: bytes, limit: int | None) -> bool:
        """Return whether ``limit`` places have ``key`` in a column of lines or callers."""
        if limit is None:
            return False
        now = self._now()
        expired = sum(self._until_of(i) <= now and self._cell(column, i) == key for i in self._each(_State.RESERVED))
        return self._bytes[column : column + self.size * _LINE_BYTES].count(key) - expired >= limit

    def _is_held(self, place: Place) -> bool:
        index = place.index
        return (
            self._bytes[self._owners + index] == self._worker
            and self._bytes[self._states + index] == _State.TAKEN
            and self._key_of(index) == place.key
        )

    def _write(self, index: int, state: _State, key: bytes, line: bytes, until: float, texts: tuple[str, ...]) -> None:
        at = self._keys + index * _KEY_BYTES
        self._bytes[at : at + _KEY_BYTES] = key
        at = self._lines + index * _LINE_BYTES
        self._bytes[at : at + _LINE_BYTES] = line
        self._write_caller(index, _NO_LINE)
        _UNTIL.pack_into(self._bytes, self._until + index * _UNTIL.size, until)
        text = _SEPARATOR.join(texts).encode("utf-8", "surrogatepass")[: _TEXT_BYTES - _LENGTH.size]
        at = self._texts + index * _TEXT_BYTES
        _LENGTH.pack_into(self._bytes, at, len(text))
        at += _LENGTH.size
        self._bytes[at : at + len(text)] = text
        self._bytes[self._owners + index] = self._worker
        self._bytes[self._news + index] = 0
        self._bytes[self._states + index] = state

    def _clear(self, index: int) -> None:
        self._write(index, _State.FREE, bytes(_KEY_BYTES), _NO_LINE, 0.0, ())

    def _known(self, index: int) -> KnownCall:
        at = self._texts + index * _TEXT_BYTES
        (length,) = _LENGTH.unpack_from(self._bytes, at)
        at += _LENGTH.size
        return KnownCall(*self._bytes[at : at + length].decode("utf-8", "replace").split(_SEPARATOR)[:3])

    def _key_of(self, index: int) -> bytes:
        at = self._keys + index * _KEY_BYTES
        return self._bytes[at : at + _KEY_BYTES]

    def _line_of(self, index: int) -> bytes:
        return self._cell(self._lines, index)

    def _cell(self, column: int, index: int) -> bytes:
        at = column + index * _LINE_BYTES
        return self._bytes[at : at + _LINE_BYTES]

    def _write_caller(self, index: int, caller: bytes) -> None:
        at = self._callers + index * _LINE_BYTES
        self._bytes[at : at + _LINE_BYTES] = caller

    def _until_of(self, index: int) -> float:
        (until,) = _UNTIL.unpack_from(self._bytes, self._until + index * _UNTIL.size)
        return float(until)


def _call_key(call: CallKey) -> bytes:
    text = _SEPARATOR.join(call).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=_KEY_BYTES).digest()


def _line_key(line: str) -> bytes:
    return hashlib.blake2b(line.encode("utf-8", "surrogatepass"), digest_size=_LINE_BYTES).digest()


def _caller_key(line: str, caller: str) -> bytes:
    return _line_key(_SEPARATOR.join((line, caller))) if caller else _NO_LINE
