"""The memory of all workers as a whole: its parts and their places."""

import struct
from collections.abc import Callable

from gateway.fleet import ends, rates, sessions
from gateway.fleet.ends import Ends
from gateway.fleet.memory import Memory, shared_file
from gateway.fleet.places import Places, bytes_for
from gateway.fleet.rates import Rates
from gateway.fleet.sessions import Sessions
from gateway.fleet.used import SIZE, SharedUsedKeys

WORKERS_LIMIT = 255
_NUMBER = struct.Struct("Q")
_DIED, _LOST, _REPLACED = 0, 1, 2
_BEATS = 3
_USED = (_BEATS + WORKERS_LIMIT + 1) * _NUMBER.size
_WEBHOOKS = _USED + SIZE
_ENDS = _WEBHOOKS + SIZE
_HOURS = _ENDS + ends.SIZE
_COUNTED = 16_384
"""Lines and callers whose calls of an hour are counted."""
_PLACES = _HOURS + rates.bytes_for(_COUNTED)


def board_file(calls: int) -> int:
    """Return the descriptor of a new board for ``calls`` calls at once, which every worker must receive."""
    return shared_file(_size(calls))


def _size(calls: int) -> int:
    return _PLACES + bytes_for(calls) + sessions.bytes_for(calls)


class Board:
    """The memory of the workers, as number ``worker`` sees it; without ``descriptor`` there is one process alone.

    ``now`` replaces the machine's clock.
    """

    def __init__(
        self, calls: int, descriptor: int | None = None, worker: int = 1, now: Callable[[], float] | None = None
    ) -> None:
        memory = Memory(_size(calls), descriptor)
        self._bytes = memory.bytes
        self._worker = worker
        self.used = SharedUsedKeys(memory, _USED, now)
        self.webhooks = SharedUsedKeys(memory, _WEBHOOKS, now)
        """Separate, so that no number of webhooks displaces a used token."""
        self.ends = Ends(memory.bytes, _ENDS)
        self.memory = memory
        self.hours = Rates(memory, _HOURS, _COUNTED, 3600.0)
        """The calls of the last hour, by line and by caller."""
        self.places = Places(memory, _PLACES, calls, worker, now)
        self.sessions = Sessions(memory, _PLACES + bytes_for(calls), calls, worker)

    def beat(self) -> None:
        """Count one more sign of life of this worker."""
        at = _BEATS + self._worker
        self._write(at, self._read(at) + 1)

    def beats(self, worker: int) -> int:
        """Return how many signs of life a worker gave."""
        return self._read(_BEATS + worker)

    def note_death(self, lost: int) -> None:
        """Count a worker that died, and the calls that ended with it; by the supervisor alone."""
        self._write(_DIED, self.died + 1)
        self._write(_LOST, self.lost + lost)

    def note_replacement(self) -> None:
        """Count a worker that was replaced in order; by the supervisor alone."""
        self._write(_REPLACED, self.replaced + 1)

    @property
    def replaced(self) -> int:
        """The number of workers that were replaced in order."""
        return self._read(_REPLACED)

    @property
    def died(self) -> int:
        """The number of workers that have died."""
        return self._read(_DIED)

    @property
    def lost(self) -> int:
        """The number of calls that ended with their worker."""
        return self._read(_LOST)

    def _read(self, number: int) -> int:
        (value,) = _NUMBER.unpack_from(self._bytes, number * _NUMBER.size)
        return int(value)

    def _write(self, number: int, value: int) -> None:
        _NUMBER.pack_into(self._bytes, number * _NUMBER.size, value)
