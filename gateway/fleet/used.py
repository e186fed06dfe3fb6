"""What may be used once, between all workers: remembered for as long as its user says."""

import hashlib
import struct
import time
from collections.abc import Callable
from typing import Protocol

from gateway.fleet.memory import Memory

_ENTRY = struct.Struct("16sd")
_EMPTY = bytes(16)
_IN_SET = 16
"""Entries among which one key is looked for. Of more keys than that the one that would be forgotten first goes."""
_SETS = 16_384
SIZE = _SETS * _IN_SET * _ENTRY.size
"""Bytes of memory: 262,144 keys, half of which can be remembered without a loss."""


class UsedKeys(Protocol):
    """Remembers keys."""

    def use(self, key: str, life_s: float) -> bool:
        """Remember ``key`` for ``life_s``; ``False`` where it is remembered already."""

    def is_used(self, key: str) -> bool:
        """Return whether ``key`` is remembered."""


class SharedUsedKeys:
    """Keys in memory that all workers share, from ``offset`` on. Times are of the machine's clock, since its start."""

    def __init__(self, memory: Memory, offset: int = 0, now: Callable[[], float] = time.monotonic) -> None:
        self._memory = memory
        self._offset = offset
        self._now = now

    def use(self, key: str, life_s: float) -> bool:
        """Remember ``key`` for ``life_s``; ``False`` where it is remembered already."""
        digest, start = self._place(key)
        now = self._now()
        with self._memory.locked():
            entries = self._entries(start)
            if _knows(entries, digest, now):
                return False
            oldest = min(range(_IN_SET), key=lambda index: entries[index][1])
            _ENTRY.pack_into(self._memory.bytes, start + oldest * _ENTRY.size, digest, now + life_s)
        return True

    def is_used(self, key: str) -> bool:
        """Return whether ``key`` is remembered."""
        digest, start = self._place(key)
        with self._memory.locked():
            return _knows(self._entries(start), digest, self._now())

    def _place(self, key: str) -> tuple[bytes, int]:
        digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=len(_EMPTY)).digest()
        chosen = int.from_bytes(digest[:4]) % _SETS
        return digest, self._offset + chosen * _IN_SET * _ENTRY.size

    def _entries(self, start: int) -> list[tuple[bytes, float]]:
        return list(_ENTRY.iter_unpack(self._memory.bytes[start : start + _IN_SET * _ENTRY.size]))


def _knows(entries: list[tuple[bytes, float]], digest: bytes, now: float) -> bool:
    return any(known == digest and until > now for known, until in entries)
