"""Replies on their way to the caller's ear, and what has become of them. Pure."""

from dataclasses import dataclass, field
from typing import NamedTuple


class Timing(NamedTuple):
    """The way of a reply, in milliseconds since its first audio came from the service."""

    sent_after_ms: int
    heard_after_ms: int
    late_frames: int


@dataclass(slots=True)
class Reply:
    """One reply on its way to the caller's ear; sizes in bytes, times in seconds."""

    reply_id: str
    received: int = 0
    sent: int = 0
    start: int = 0
    complete: bool = False
    received_at: float = 0.0
    sent_at: float = 0.0
    heard_at: float = 0.0
    """The time at which its beginning is heard: by the clock, until a mark behind it has come back."""
    is_confirmed: bool = False
    late_frames: int = 0

    @property
    def timing(self) -> Timing | None:
        """The way of the reply; ``None`` if nothing of it was sent."""
        if not self.sent:
            return None
        sent_s, heard_s = self.sent_at - self.received_at, self.heard_at - self.received_at
        return Timing(round(max(sent_s, 0.0) * 1000), round(max(heard_s, 0.0) * 1000), self.late_frames)


@dataclass(frozen=True, slots=True)
class HeardReply:
    """The part of a reply that reached the caller: ``heard_ms`` of the ``received_ms`` that the service had delivered.

    ``complete``: the service had nothing more of it to deliver.
    """

    reply_id: str
    heard_ms: int
    received_ms: int
    complete: bool = True
    timing: Timing | None = field(default=None, compare=False)
