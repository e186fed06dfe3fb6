"""The observations of a simulated phone in a call, each with its time."""

from dataclasses import dataclass
from typing import Literal

from gateway.sim.phone.playout import FRAME_MS, Cleared, Heard


@dataclass(frozen=True)
class Violation:
    """A violation that the provider would warn of: its error ``code`` and ``what`` was wrong, at ``loop.time()``."""

    at: float
    code: int
    what: str


@dataclass(frozen=True)
class Received:
    """A valid order of the gateway, at ``loop.time()``.

    ``position`` is how many bytes of audio came before it on this stream; ``size`` are a media message's own bytes;
    ``name`` is a mark's, or what was to be dialled, or why the call ends; ``cleared`` is the effect of a clear.
    """

    at: float
    event: Literal["media", "mark", "clear", "pause", "resume", "digits", "hang_up", "transfer"]
    position: int
    size: int = 0
    name: str = ""
    cleared: Cleared | None = None


@dataclass(frozen=True)
class Returned:
    """A mark that went back to the gateway, at ``loop.time()``."""

    at: float
    name: str


@dataclass(frozen=True)
class Tick:
    """One frame of the call: its ``number`` from 0, ``at`` (``loop.time()``) and what the caller ``heard`` in it."""

    number: int
    at: float
    heard: Heard


@dataclass
class FrameClock:
    """The punctuality of the simulated phone itself: a frame sent 20 ms or more after its due time is late."""

    frames: int = 0
    late_frames: int = 0
    worst_late_ms: float = 0.0

    def sent(self, late_s: float) -> None:
        """Count a frame, and whether it is late."""
        self.frames += 1
        self.late_frames += late_s >= FRAME_MS / 1000
        self.worst_late_ms = max(self.worst_late_ms, late_s * 1000)
