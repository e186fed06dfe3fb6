"""The caller's audio that waits to be written: the event loop adds, the thread that writes takes.

It lies in one piece of memory, not in an object for each frame: of objects that one thread makes and another one frees
later, the processor has nothing in its cache, and that cost more than all that was done with them.
"""

from array import array
from collections.abc import Sequence
from typing import NamedTuple

FRAME_COST = 16
"""Bytes that a frame needs besides its audio."""


class Frames(NamedTuple):
    """Frames of the caller, in the order of their arrival."""

    at: Sequence[float]
    """The times at which they arrived, in seconds."""
    sizes: Sequence[int]
    """The bytes of each frame."""
    audio: bytearray
    """The audio of all frames, one behind the other."""

    @property
    def cost(self) -> int:
        """The bytes of memory that they need."""
        return len(self.audio) + FRAME_COST * len(self.at)


class Heard:
    """Frames that wait. One is added by three calls of C, ``at`` last, and taken by some more: no lock is needed."""

    __slots__ = ("at", "audio", "sizes")

    def __init__(self) -> None:
        self.at = array("d")
        self.sizes = array("I")
        self.audio = bytearray()

    def take(self) -> Frames:
        """Return the frames that wait, which no longer do."""
        count = len(self.at)
        at, sizes = self.at[:count], self.sizes[:count]
        size = sum(sizes)
        audio = self.audio[:size]
        del self.at[:count], self.sizes[:count], self.audio[:size]
        return Frames(at, sizes, audio)
