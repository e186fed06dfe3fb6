"""Twenty calls beside five hundred webhooks a second that are refused: without and with them, and the ratio."""

from collections.abc import Sequence

from bench.beside_tools import markdown
from bench.trial import Result

CALLS = 20
PER_S = 500
ORDER = (0, PER_S, 0, PER_S)
"""The webhooks a second of each trial: in turns, so that what else the machine does affects both alike."""
MOST_TIMES = 1.5
"""The largest ratio of the p99 of the other trials to that of the quiet ones."""
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


def verdict(results: Sequence[Result]) -> str:
    """Report what the webhooks did to the calls, against what they may do."""
    quiet = [result.worst_p99_ms for result in results if not result.refused]
    beside = [result.worst_p99_ms for result in results if result.refused]
    times = (sum(beside) / len(beside)) / (sum(quiet) / len(quiet))
    most_mb = max(result.resident_mb for result in results)
    return (
        f"p99 beside refusals over p99 without: {times:.2f} (at most {MOST_TIMES:g}); "
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
