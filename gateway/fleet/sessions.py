"""Voice Live sessions of all workers by endpoint: at once, begun in a minute, and the state of each endpoint's circuit.

A session at once is a record in shared memory, as a call's place is: reserved by a webhook, then open. Nothing is
counted apart from the records. Endpoints are known by their names.
"""

import enum
import hashlib
import struct
from collections.abc import Iterator, Sequence

from msgspec import Struct

from gateway.fleet import rates
from gateway.fleet.memory import Memory
from gateway.fleet.rates import Rates

MINUTE_S = 60.0
ENDPOINTS_LIMIT = 32
"""Endpoints of one deployment."""
_CIRCUIT = struct.Struct("8sIdd")
_CIRCUITS = 4 * ENDPOINTS_LIMIT
"""Records of circuits: more than endpoints, because during a restart one by one the old names are still there."""
_RECORD = struct.Struct("BB8s16sd")
_RATES = rates.bytes_for(8 * ENDPOINTS_LIMIT)
_NO_CALL = bytes(16)


class _State(enum.IntEnum):
    """The state of a record."""

    FREE = 0
    RESERVED = 1
    OPEN = 2


class Quota(Struct, frozen=True):
    """The limits of an endpoint; ``None`` for no limit."""

    endpoint: str
    sessions: int | None = None
    """Sessions at once."""
    per_minute: int | None = None
    """New sessions in a minute."""


class CircuitState(Struct, frozen=True):
    """The state of an endpoint's circuit, as workers share it. Times are of the machine's clock."""

    failures: int = 0
    """Failures in a row; 0 for a closed circuit."""
    open_until: float = 0.0
    probe_until: float = 0.0
    """The time until which a probe is under way; 0 without one."""


class Session(Struct, eq=False):
    """A session that is open or about to open."""

    index: int
    endpoint: str


class Usage(Struct, frozen=True):
    """The sessions of an endpoint at present."""

    open: int
    reserved: int
    in_minute: int


def records_for(calls: int) -> int:
    """Return the number of records for so many calls: a call may have two sessions, and some belong to no call."""
    return 2 * calls + 64


def bytes_for(calls: int) -> int:
    """Return how much memory is needed for so many calls."""
    return _CIRCUITS * _CIRCUIT.size + _RATES + records_for(calls) * _RECORD.size


class Sessions:
    """The sessions in ``memory`` from ``offset`` on, for ``calls`` calls, as worker number ``worker`` sees them."""

    def __init__(self, memory: Memory, offset: int, calls: int, worker: int = 1) -> None:
        self._memory = memory
        self._bytes = memory.bytes
        self._worker = worker
        self._circuits = offset
        self._minute = Rates(memory, offset + _CIRCUITS * _CIRCUIT.size, 8 * ENDPOINTS_LIMIT, MINUTE_S)
        self._records = offset + _CIRCUITS * _CIRCUIT.size + _RATES
        self._count = records_for(calls)

    def usage(self, endpoint: str, now: float) -> Usage:
        """Return the sessions of an endpoint, over all workers."""
        with self._memory.locked():
            return self._usage(endpoint, now)

    def has_room(self, quota: Quota, now: float) -> bool:
        """Return whether one more session may be opened."""
        with self._memory.locked():
            return self._has_room(quota, now)

    def reserve(self, call: str, choices: Sequence[Quota], now: float, life_s: float) -> str | None:
        """Keep a session for a call at the first of ``choices`` that has room; return its name, or ``None``."""
        key = _digest(call, 16)
        with self._memory.locked():
            index = next(self._find(_State.RESERVED, key), None)
            if index is not None:
                self._write(index, _State.FREE, _digest("", 8), _NO_CALL, 0.0)
            chosen = next((one for one in choices if self._has_room(one, now)), None)
            free = self._free(now)
            if chosen is None or free is None:
                return None
            self._write(free, _State.RESERVED, _digest(chosen.endpoint, 8), key, now + life_s)
            return chosen.endpoint

    def open(self, call: str, choices: Sequence[Quota], now: float) -> Session | None:
        """Count a session that is opened now at the endpoint that was reserved for ``call``, else at the first choice.

        A reservation is used where its endpoint is among ``choices``, and given back where it is not.
        """
        with self._memory.locked():
            index = self._reserved(call, now)
            if index is not None:
                name = next((one.endpoint for one in choices if _digest(one.endpoint, 8) == self._endpoint(index)), "")
                self._write(index, _State.FREE, _digest("", 8), _NO_CALL, 0.0)
                if name:
                    return self._opened(index, name, now)
            chosen = next((one for one in choices if self._has_room(one, now)), None)
            free = self._free(now)
            if chosen is None or free is None:
                return None
            return self._opened(free, chosen.endpoint, now)

    def begin_again(self, session: Session, now: float) -> None:
        """Count one more connection of a session that is opened: a retry."""
        with self._memory.locked():
            self._minute.note(session.endpoint, now)

    def free(self, session: Session) -> None:
        """Note that a session is over."""
        with self._memory.locked():
            state, owner, endpoint, *_ = self._read(session.index)
            if (state, owner, endpoint) == (_State.OPEN, self._worker, _digest(session.endpoint, 8)):
                self._write(session.index, _State.FREE, _digest("", 8), _NO_CALL, 0.0)

    def cancel(self, call: str, now: float) -> None:
        """Give back what is reserved for a call."""
        with self._memory.locked():
            if (index := self._reserved(call, now)) is not None:
                self._write(index, _State.FREE, _digest("", 8), _NO_CALL, 0.0)

    def orphan(self, worker: int) -> None:
        """Free the sessions of a worker that has died: its connections are closed."""
        with self._memory.locked():
            for index in range(self._count):
                state, owner, *_ = self._read(index)
                if state == _State.OPEN and owner == worker:
                    self._write(index, _State.FREE, _digest("", 8), _NO_CALL, 0.0)

    def circuit(self, endpoint: str) -> CircuitState:
        """Return the state of an endpoint's circuit."""
        at = self._circuit_at(endpoint)
        _, failures, open_until, probe_until = _CIRCUIT.unpack_from(self._bytes, at)
        return CircuitState(failures, open_until, probe_until)

    def set_circuit(self, endpoint: str, state: CircuitState) -> None:
        """Change the state of an endpoint's circuit."""
        with self._memory.locked():
            at = self._circuit_at(endpoint)
            values = (state.failures, state.open_until, state.probe_until)
            _CIRCUIT.pack_into(self._bytes, at, _digest(endpoint, 8), *values)

    def _circuit_at(self, endpoint: str) -> int:
        """Return the place of a circuit: that of its endpoint, else the first that is free; the last if none is."""
        name, empty = _digest(endpoint, 8), bytes(8)
        for at in range(self._circuits, self._circuits + _CIRCUITS * _CIRCUIT.size, _CIRCUIT.size):
            if self._bytes[at : at + 8] in (name, empty):
                return at
        return self._circuits + (_CIRCUITS - 1) * _CIRCUIT.size

    def _opened(self, index: int, endpoint: str, now: float) -> Session:
        self._write(index, _State.OPEN, _digest(endpoint, 8), _NO_CALL, 0.0)
        self._minute.note(endpoint, now)
        return Session(index, endpoint)

    def _has_room(self, quota: Quota, now: float) -> bool:
        if quota.sessions is None and quota.per_minute is None:
            return True
        used = self._usage(quota.endpoint, now)
        is_full = quota.sessions is not None and used.open + used.reserved >= quota.sessions
        too_many = quota.per_minute is not None and used.in_minute + used.reserved >= quota.per_minute
        return not is_full and not too_many

    def _usage(self, endpoint: str, now: float) -> Usage:
        name, opened, reserved = _digest(endpoint, 8), 0, 0
        for index in self._of(name):
            state, _, _, _, until = self._read(index)
            opened += state == _State.OPEN
            reserved += state == _State.RESERVED and until > now
        return Usage(opened, reserved, self._minute.count(endpoint, now))

    def _of(self, name: bytes) -> Iterator[int]:
        """Yield the records of an endpoint; those that are free have another name."""
        at, end = self._records, self._records + self._count * _RECORD.size
        while (at := self._bytes.find(name, at, end)) >= 0:
            index, rest = divmod(at - self._records, _RECORD.size)
            if rest == _NAME_AT:
                yield index
            at += 1

    def _reserved(self, call: str, now: float) -> int | None:
        key = _digest(call, 16)
        return next((i for i in self._find(_State.RESERVED, key) if self._read(i)[4] > now), None) if call else None

    def _find(self, state: _State, key: bytes) -> Iterator[int]:
        at, end = self._records, self._records + self._count * _RECORD.size
        while (at := self._bytes.find(key, at, end)) >= 0:
            index = (at - self._records) // _RECORD.size
            if self._read(index)[0] == state and self._read(index)[3] == key:
                yield index
            at += 1

    def _free(self, now: float) -> int | None:
        for index in range(self._count):
            state, _, _, _, until = self._read(index)
            if state == _State.FREE or (state == _State.RESERVED and until <= now):
                return index
        return None

    def _endpoint(self, index: int) -> bytes:
        return bytes(self._read(index)[2])

    def _read(self, index: int) -> tuple[int, int, bytes, bytes, float]:
        state, owner, endpoint, call, until = _RECORD.unpack_from(self._bytes, self._records + index * _RECORD.size)
        return state, owner, endpoint, call, until

    def _write(self, index: int, state: _State, endpoint: bytes, call: bytes, until: float) -> None:
        at = self._records + index * _RECORD.size
        _RECORD.pack_into(self._bytes, at, state, self._worker, endpoint, call, until)


_NAME_AT = 2
"""Bytes of a record before the endpoint's name."""


def _digest(text: str, size: int) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).digest()
