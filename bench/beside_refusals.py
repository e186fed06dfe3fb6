"""Calls beside webhooks that are refused, in turns without and with them, and the ratio.

``UNPROVEN`` are sent by somebody who has no signature. ``OVERLOAD`` are new calls: each minute six times as many as it
may have at all, and has already.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.beside_tools import markdown
from bench.flood import UNSIGNED, WITHOUT_ROOM, Webhooks
from bench.result import Result


@dataclass(frozen=True)
class Load:
    """The calls and webhooks of the trials; ``most_times`` is the largest ratio of the p99 with and without them."""

    webhooks: Webhooks
    calls: int
    per_s: int
    most_times: float
    most_calls: int = 10_000
    """The gateway's ``limits.calls``."""

    @property
    def order(self) -> tuple[int, ...]:
        """The webhooks a second of each trial: in turns, so that what else the machine does affects both alike."""
        return (0, self.per_s, 0, self.per_s)


UNPROVEN = Load(UNSIGNED, calls=20, per_s=500, most_times=1.5)
OVERLOAD = Load(WITHOUT_ROOM, calls=100, per_s=10, most_times=1.3, most_calls=100)
MOST_MB = 300
HEADINGS = (
    "webhooks refused",
    "left out",
    "caller → Voice Live, ms p50 / p99",
    "Voice Live → caller, ms p50 / p99",
    "late frames, of those heard",
    "CPU, % of a core",
    "resident memory, MB",
)


def table(results: Sequence[Result]) -> str:
    """Return a table with one row per trial."""
    return markdown([HEADINGS, *map(_row, results)])


def verdict(results: Sequence[Result], load: Load = UNPROVEN) -> str:
    """Report what the webhooks did to the calls, against what they may do."""
    quiet = [result.worst_p99_ms for result in results if not result.refused]
    beside = [result.worst_p99_ms for result in results if result.refused]
    times = (sum(beside) / len(beside)) / (sum(quiet) / len(quiet))
    most_mb = max(result.resident_mb for result in results)
    return (
        f"p99 beside refusals over p99 without: {times:.2f} (at most {load.most_times:g}); "
        f"resident memory {most_mb:.0f} MB (at most {MOST_MB})"
    )


def _row(result: Result) -> tuple[str, ...]:
    return (
        str(result.refused),
        str(result.left_out),
        f"{result.to_voice.p50:.2f} / {result.to_voice.p99:.2f}",
        f"{result.to_phone.p50:.2f} / {result.to_phone.p99:.2f}",
        f"{result.late_frames} of {result.frames_heard}",
        f"{result.cpu_percent:.1f}",
        f"{result.resident_mb:.0f}",
    )
