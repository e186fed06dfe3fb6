"""Keys that may be used once, shared by all workers: remembered for as long as their user says."""

import hashlib
import struct
import time
from collections.abc import Callable
from typing import Protocol

from gateway.fleet.memory import Memory

clock = time.monotonic
"""The machine's clock, which is the same in all processes."""

_ENTRY = struct.Struct("16sd")
_EMPTY = bytes(16)
_IN_SET = 16
"""Entries among which one key is looked for. Where there are more keys, the one that expires first is dropped."""
_SETS = 16_384
SIZE = _SETS * _IN_SET * _ENTRY.size
"""Bytes of memory: 262,144 keys, half of which can be kept without a loss."""


class UsedKeys(Protocol):
    """Remembers the keys that were used, so that each is used once."""

    def use(self, key: str, life_s: float) -> bool:
        """Remember ``key`` for ``life_s``; ``False`` where it is remembered already."""

    def is_used(self, key: str) -> bool:
        """Return whether ``key`` is remembered."""


class SharedUsedKeys:
    """Keys in memory that all workers share, from ``offset`` on. Times are of the machine's clock, since its start."""

    def __init__(self, memory: Memory, offset: int = 0, now: Callable[[], float] | None = None) -> None:
        self._memory = memory
        self._offset = offset
        self._now = now or clock

    def use(self, key: str, life_s: float) -> bool:
        """Remember ``key`` for ``life_s``; ``False`` where it is remembered already."""
        with self._memory.locked():
            if self._left_s(key) > 0:
                return False
            self._remember(key, life_s)
        return True

    def use_for(self, key: str, purpose: str, life_s: float) -> bool:
        """Remember ``key`` and its ``purpose`` for ``life_s``; ``False`` where it is remembered with another one."""
        with self._memory.locked():
            if self._left_s(key) > 0:
                return self._left_s(purpose) > 0
            self._remember(key, life_s)
            self._remember(purpose, life_s)
        return True

    def remember(self, key: str, life_s: float) -> None:
        """Remember ``key`` for ``life_s`` from now on, whether it was used or not."""
        with self._memory.locked():
            self._remember(key, life_s)

    def is_used(self, key: str) -> bool:
        """Return whether ``key`` is remembered."""
        return self.left_s(key) > 0

    def left_s(self, key: str) -> float:
        """Return for how many more seconds ``key`` is remembered; 0 where it is not."""
        with self._memory.locked():
            return self._left_s(key)

    def _left_s(self, key: str) -> float:
        digest, start = self._place(key)
        until = max((until for known, until in self._entries(start) if known == digest), default=0.0)
        return max(until - self._now(), 0.0)

    def _remember(self, key: str, life_s: float) -> None:
        digest, start = self._place(key)
        entries = self._entries(start)
        known = next((index for index in range(_IN_SET) if entries[index][0] == digest), None)
        index = min(range(_IN_SET), key=lambda index: entries[index][1]) if known is None else known
        _ENTRY.pack_into(self._memory.bytes, start + index * _ENTRY.size, digest, self._now() + life_s)

    def _place(self, key: str) -> tuple[bytes, int]:
        digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=len(_EMPTY)).digest()
        chosen = int.from_bytes(digest[:4]) % _SETS
        return digest, self._offset + chosen * _IN_SET * _ENTRY.size

    def _entries(self, start: int) -> list[tuple[bytes, float]]:
        return list(_ENTRY.iter_unpack(self._memory.bytes[start : start + _IN_SET * _ENTRY.size]))
