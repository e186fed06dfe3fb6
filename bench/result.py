"""The results of one trial: what was seen of its calls, and whether any caller would have noticed anything."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bench.conditions import USUAL, Conditions

WELL_P99_MS = 20.0
WELL_LATE_SHARE = 0.001
TRUSTED_LOAD_PERCENT = 90.0
TRUSTED_LATENESS_MS = 5.0
TRUSTED_OTHERS_PERCENT = 5.0


@dataclass(frozen=True)
class Spread:
    """A distribution in milliseconds; not-a-number where nothing was seen."""

    p50: float
    p99: float
    worst: float
    count: int

    @classmethod
    def of(cls, seconds: Iterable[float]) -> "Spread":
        """Compute the distribution of a number of times in seconds."""
        values = sorted(seconds)
        if not values:
            return cls(math.nan, math.nan, math.nan, 0)
        p50, p99, worst = (1000 * values[_rank(values, part)] for part in (0.5, 0.99, 1))
        return cls(p50, p99, worst, len(values))


NONE_SEEN = Spread.of(())


def _rank(values: Sequence[float], part: float) -> int:
    return max(0, math.ceil(part * len(values)) - 1)


@dataclass(frozen=True)
class ToolsUsed:
    """The results for the tools of one call."""

    are_used: bool
    requests: int
    outputs: int
    """The requests whose outcome was reported to the service."""
    most_at_once: int
    at_work: float
    """The number of tools at work, on average over the steady window."""


@dataclass(frozen=True)
class Result:
    """The results of one trial. All figures about frames and replies are of the steady window only."""

    target: str
    calls: int
    window_s: float
    cpu_percent: float
    """The processor time of the whole target, in percent of one core."""
    memory_kb: float
    """The growth of the target's memory since before the first call, per call."""
    to_voice: Spread
    """The time from sending a caller's frame until its append has arrived."""
    to_phone: Spread
    """The time from sending a reply's first delta until its first sound has arrived at the phone."""
    barge_in: Spread
    """The time from the report of speech over a reply to the phone's order to clear."""
    barge_ins_missed: int
    frames_sent: int
    frames_lost: int
    replies: int
    frames_heard: int
    late_frames: int
    """The frames of sound that came to a phone whose buffer had run dry in the middle of a reply."""
    reply_frames_lost: int
    stale_frames: int
    """The frames of an interrupted reply that still came after ``clear``."""
    garbled: int
    calls_failed: int
    sessions_left: int
    load_percent: float
    """The time for which the load was busy, in percent of its core; otherwise it polled for what comes next."""
    load_lateness: Spread
    """The delay with which the phones' frames were sent."""
    load_reading: Spread
    """The duration of a round of the load's loop: what arrived meanwhile was seen that much later at most."""
    others_percent: float
    """The share of the target's core that other programs used."""
    unexpected: dict[str, int] = field(default_factory=dict)
    tools: ToolsUsed | None = None
    refused: int = 0
    """The webhooks without a signature that were sent meanwhile and refused."""
    left_out: int = 0
    """The webhooks of that kind that were not sent, because too many waited for their answer."""
    resident_mb: float = 0.0
    """The resident memory of the target at the end."""
    conditions: Conditions = USUAL
    started_in_s: float = 0.0
    """The time from the start of the target's process until it listened."""
    first_sound: Spread = NONE_SEEN
    """The time from a stream's start to the first sound of the greeting, of all calls."""
    answers: Spread = NONE_SEEN
    """The time from the service's report that the caller's turn is over to the first sound of the answer."""
    jitter: Spread = NONE_SEEN
    """The gaps between messages of paced replies, as their deviation from the duration of the audio in them."""
    stages: dict[str, Spread] = field(default_factory=dict)
    """The stages of ``first_sound``, in their order."""

    @property
    def cpu_percent_per_call(self) -> float:
        """The processor time per call, in percent of one core."""
        return self.cpu_percent / self.calls

    @property
    def worst_p99_ms(self) -> float:
        """The larger p99 of the two directions."""
        return max(self.to_voice.p99, self.to_phone.p99, key=lambda p99: math.inf if math.isnan(p99) else p99)

    @property
    def late_share(self) -> float:
        """The late frames as a share of those heard."""
        return self.late_frames / max(1, self.frames_heard)

    @property
    def is_load_trusted(self) -> bool:
        """True if the load had time to spare, so that the figures are the target's."""
        return self.load_percent < TRUSTED_LOAD_PERCENT and self.load_lateness.p99 < TRUSTED_LATENESS_MS

    @property
    def is_undisturbed(self) -> bool:
        """True if the target had its core to itself."""
        return self.others_percent < TRUSTED_OTHERS_PERCENT

    @property
    def is_well(self) -> bool:
        """True if no caller would have noticed anything."""
        return self.is_well_below(WELL_P99_MS)

    def is_well_below(self, p99_ms: float) -> bool:
        """Return whether no caller would have noticed anything, with both p99 below ``p99_ms``.

        It requires every call up, every barge-in answered, fewer than one frame in a thousand late, none lost, stale
        or damaged.
        """
        wrong = (
            self.calls_failed,
            self.frames_lost,
            self.reply_frames_lost,
            self.stale_frames,
            self.garbled,
            self.barge_ins_missed,
        )
        return self.worst_p99_ms < p99_ms and self.late_share < WELL_LATE_SHARE and not any(wrong)
