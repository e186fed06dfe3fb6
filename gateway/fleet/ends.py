"""The ends of calls, shared by all workers: a table with one byte for each of many calls."""

import mmap
from hashlib import blake2b

SLOTS = 1 << 16
DIGEST_BYTES = 16
SLOT_BYTES = DIGEST_BYTES + 1
SIZE = SLOTS * SLOT_BYTES
"""Bytes of memory of the table, one for each remembered call."""


class Ends:
    """The table in ``memory`` from ``offset`` on.

    A call's place in it is a hash of its id, and a later call takes the place of an earlier one.
    """

    def __init__(self, memory: mmap.mmap, offset: int = 0) -> None:
        self._memory = memory
        self._offset = offset

    def note(self, key: tuple[str, str], end: int) -> None:
        """Remember the end of a call; ``key`` is the provider's name and the call's id there."""
        digest, start = self._place(key)
        self._memory[start : start + SLOT_BYTES] = digest + bytes([end])

    def find(self, key: tuple[str, str]) -> int | None:
        """Return the end that was noted of a call; ``None`` for an unknown one."""
        digest, start = self._place(key)
        slot = self._memory[start : start + SLOT_BYTES]
        return slot[-1] if slot[:-1] == digest else None

    def _place(self, key: tuple[str, str]) -> tuple[bytes, int]:
        text = "\n".join(key).encode("utf-8", "surrogatepass")
        digest = blake2b(text, digest_size=DIGEST_BYTES).digest()
        return digest, self._offset + int.from_bytes(digest[:8]) % SLOTS * SLOT_BYTES
