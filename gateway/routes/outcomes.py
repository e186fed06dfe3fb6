"""Remembers how calls ended, for whichever worker the provider asks what follows a call's stream."""

import mmap
from hashlib import blake2b
from pathlib import Path

from gateway.call.ending import EndCall, EndReason

SLOTS = 1 << 16
DIGEST_BYTES = 16
SLOT_BYTES = DIGEST_BYTES + 1
_REASONS = tuple(EndReason)


class Outcomes:
    """A table in memory, which the processes that name the same ``file`` share.

    A call's place in it is a hash of its id, and a later call takes the place of an earlier one. A provider asks within
    seconds, so that 65,536 places lose next to none; a call that is not found counts as one that failed.
    """

    def __init__(self, file: Path | None = None) -> None:
        size = SLOTS * SLOT_BYTES
        if file is None:
            self._table = mmap.mmap(-1, size)
            return
        with file.open("a+b") as opened:
            opened.truncate(size)
            self._table = mmap.mmap(opened.fileno(), size)

    def note_end(self, key: tuple[str, str], end: EndCall) -> None:
        """Remember how a call ended; ``key`` is the provider's name and the call's id there."""
        digest, start = _place(key)
        self._table[start : start + SLOT_BYTES] = digest + bytes([_REASONS.index(end.reason)])

    def find(self, key: tuple[str, str]) -> EndReason | None:
        """Return how a call ended; ``None`` for one that runs, or whose process could not say so any more."""
        digest, start = _place(key)
        slot = self._table[start : start + SLOT_BYTES]
        return _REASONS[slot[-1]] if slot[:-1] == digest else None


def _place(key: tuple[str, str]) -> tuple[bytes, int]:
    text = "\n".join(key).encode("utf-8", "surrogateescape")
    digest = blake2b(text, digest_size=DIGEST_BYTES).digest()
    return digest, int.from_bytes(digest[:8]) % SLOTS * SLOT_BYTES
