"""Counts of events in a sliding window, by key, shared by all workers.

The window is divided into slots of equal length. A count covers the slot of the present and the 60 before it: never
less than the whole window, and at most a sixtieth more.
"""

import hashlib
import struct

from gateway.fleet.memory import Memory

SLOTS = 61
"""Slots of a counter: the current one, and the sixty that make up the window."""
_KEY = 16
_HEAD = struct.Struct("16sQ")
_COUNTS = struct.Struct(f"{SLOTS}H")
_ENTRY_BYTES = _HEAD.size + _COUNTS.size
_IN_SET = 8
"""Counters among which one key is looked for. A new key displaces the one that counted longest ago."""
_MOST = 0xFFFF


def bytes_for(counters: int) -> int:
    """Return how much memory so many counters take."""
    return _sets(counters) * _IN_SET * _ENTRY_BYTES


def _sets(counters: int) -> int:
    return max(1, counters // _IN_SET)


class Rates:
    """``counters`` counters in ``memory`` from ``offset`` on, each over a window of ``window_s`` seconds.

    ``now`` is of the machine's clock. The caller holds the lock of the memory where a decision follows from a count.
    """

    def __init__(self, memory: Memory, offset: int, counters: int, window_s: float) -> None:
        self._bytes = memory.bytes
        self._offset = offset
        self._sets = _sets(counters)
        self._slot_s = window_s / (SLOTS - 1)

    def count(self, key: str, now: float) -> int:
        """Return how many events of ``key`` the window has."""
        digest, start = self._place(key)
        at = self._find(digest, start)
        return 0 if at is None else sum(self._counts(at, self._slot(now)))

    def note(self, key: str, now: float) -> None:
        """Count one event of ``key``."""
        slot = self._slot(now)
        digest, start = self._place(key)
        at = self._find(digest, start)
        counts = [0] * SLOTS if at is None else self._counts(at, slot)
        counts[slot % SLOTS] = min(_MOST, counts[slot % SLOTS] + 1)
        at = self._oldest(start) if at is None else at
        _HEAD.pack_into(self._bytes, at, digest, slot)
        _COUNTS.pack_into(self._bytes, at + _HEAD.size, *counts)

    def _slot(self, now: float) -> int:
        return int(now / self._slot_s)

    def _counts(self, at: int, slot: int) -> list[int]:
        """Return the counts by slot, with those that have left the window at 0."""
        _, last = _HEAD.unpack_from(self._bytes, at)
        counts = list(_COUNTS.unpack_from(self._bytes, at + _HEAD.size))
        for passed in range(last + 1, min(slot, last + SLOTS) + 1):
            counts[passed % SLOTS] = 0
        return counts

    def _place(self, key: str) -> tuple[bytes, int]:
        digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=_KEY).digest()
        return digest, self._offset + int.from_bytes(digest[:4]) % self._sets * _IN_SET * _ENTRY_BYTES

    def _entries(self, start: int) -> range:
        return range(start, start + _IN_SET * _ENTRY_BYTES, _ENTRY_BYTES)

    def _find(self, digest: bytes, start: int) -> int | None:
        return next((at for at in self._entries(start) if self._bytes[at : at + _KEY] == digest), None)

    def _oldest(self, start: int) -> int:
        return min(self._entries(start), key=lambda at: int(_HEAD.unpack_from(self._bytes, at)[1]))
