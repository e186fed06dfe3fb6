"""Fifty calls beside one that uses two slow tools at once: without and with them in turns, and the ratios."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.result import Result, ToolsUsed

CALLS = 51  # the one that uses tools included
ORDER = (False, True, False, True)
"""``True`` if the tools are used: in turns, so that what else the machine does affects both alike."""
HEADINGS = (
    "tools",
    "caller → Voice Live, ms p50 / p99",
    "Voice Live → caller, ms p50 / p99",
    "late frames, of those heard",
    "lost frames in / out",
    "tool calls done",
    "at once, most / on average",
)
FIGURES: dict[str, Callable[[Result], float]] = {
    "caller → Voice Live, p50": lambda result: result.to_voice.p50,
    "caller → Voice Live, p99": lambda result: result.to_voice.p99,
    "Voice Live → caller, p50": lambda result: result.to_phone.p50,
    "Voice Live → caller, p99": lambda result: result.to_phone.p99,
    "late share": lambda result: result.late_share,
}


@dataclass(frozen=True)
class Ratio:
    """The ratio of two figures; not-a-number where both are 0."""

    used: float
    """Trials with the tools used, over those without."""
    again: float
    """The last trial without them over the first: the difference that the machine makes by itself."""


def ratios(results: Sequence[Result]) -> dict[str, Ratio]:
    """Return the ratio of every figure, by the means of the trials of each kind."""
    used = [result for result in results if _tools(result).are_used]
    without = [result for result in results if not _tools(result).are_used]
    return {
        name: Ratio(
            _over(sum(map(figure, used)) / len(used), sum(map(figure, without)) / len(without)),
            _over(figure(without[-1]), figure(without[0])),
        )
        for name, figure in FIGURES.items()
    }


def _over(above: float, below: float) -> float:
    if below:
        return above / below
    return math.inf if above else math.nan


def table(results: Sequence[Result]) -> str:
    """Return a table with one row per trial."""
    return markdown([HEADINGS, *(_row(result) for result in results)])


def ratio_table(found: dict[str, Ratio]) -> str:
    """Return a table with one row per figure."""
    rows = [(name, _ratio(ratio.used), _ratio(ratio.again)) for name, ratio in found.items()]
    return markdown([("figure", "used / not used", "not used, again / at first"), *rows])


def _row(result: Result) -> tuple[str, ...]:
    tools = _tools(result)
    return (
        "used" if tools.are_used else "not used",
        f"{result.to_voice.p50:.2f} / {result.to_voice.p99:.2f}",
        f"{result.to_phone.p50:.2f} / {result.to_phone.p99:.2f}",
        f"{result.late_frames} of {result.frames_heard}",
        f"{result.frames_lost} / {result.reply_frames_lost}",
        str(tools.outputs),
        f"{tools.most_at_once} / {tools.at_work:.1f}",
    )


def _tools(result: Result) -> ToolsUsed:
    if result.tools is None:
        raise ValueError("a trial of a line that has no tools")
    return result.tools


def _ratio(ratio: float) -> str:
    return "both 0" if math.isnan(ratio) else f"{ratio:.2f}"


def markdown(rows: Sequence[tuple[str, ...]]) -> str:
    """Write a table in Markdown; its first row are the headings."""
    heading, *rest = rows
    return "\n".join("| " + " | ".join(row) + " |" for row in (heading, tuple("---" for _ in heading), *rest))
