"""The values of the templates of a call, for the report and for the console. Pure."""

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gateway.report import picture
from gateway.report.actions import Happening, duration_text
from gateway.report.scale import scale_of
from gateway.report.shown import ShownCall
from gateway.report.transcript import clock_text, transcript
from gateway.report.turns import GOOD_STOP_MS, Turn

TIMELINE_ROWS = 500
_SAME_MS = 500
"""Moments less than this apart are one to whoever listens."""


def view(call: ShownCall) -> dict[str, Any]:
    """Return the values by the names that the templates in ``parts/`` have for them."""
    heard, turns, done = call.heard, call.turns, call.done
    return {
        "call": call,
        "heard": heard,
        "explanation": call.explanation,
        "sounds": bool(call.player.source),
        "moments": _moments(call),
        "marked": [asdict(one) for one in marked(call)],
        "words_known": any(turn.text or turn.unheard for turn in turns),
        "figures": _figures(call),
        "pictures": [
            ("wide", picture.draw(heard, turns, done)),
            ("narrow", picture.draw(heard, turns, done, picture.NARROW_PX)),
        ],
        "layout": picture,
        "answers": sorted((*heard.latencies, *heard.keyed), key=lambda answer: answer.at_ms),
        "answer_scale": scale_of([latency.ms for latency in heard.latencies or heard.keyed]),
        "stop_scale": scale_of([one.stopped_after_ms for one in heard.barge_ins if one.stopped_after_ms is not None]),
        "transcript": transcript(turns, done.happenings),
        "rows": call.rows[:TIMELINE_ROWS],
        "rows_left_out": max(0, len(call.rows) - TIMELINE_ROWS),
    }


def _seconds(milliseconds: float) -> str:
    """Write seconds, such as ``2.35 s``."""
    return f"{milliseconds / 1000:.2f} s"


FILTERS: Mapping[str, Callable[[float], str]] = {"seconds": _seconds, "clock": clock_text}
"""The filters of the templates in ``parts/``, by their names."""


@dataclass(frozen=True)
class _Moment:
    """An entry of the conversation: something said, or something done."""

    at_ms: int
    turn: Turn | None = None
    act: Happening | None = None


def _moments(call: ShownCall) -> list[_Moment]:
    """Return both kinds of entries in the order of time."""
    moments = [_Moment(turn.start_ms, turn=turn) for turn in call.turns]
    moments += [_Moment(act.at_ms, act=act) for act in call.done.happenings]
    return sorted(moments, key=lambda moment: moment.at_ms)


@dataclass(frozen=True)
class Marked:
    """A moment to which the player jumps, in seconds of the call."""

    at: float
    what: str


def marked(call: ShownCall) -> list[Marked]:
    """Return interruptions and problems in the order of time; of those at one moment, the first that is found."""
    found: list[Marked] = []
    for at_ms, what in sorted(_problems(call), key=lambda problem: problem[0]):
        if not found or at_ms - found[-1].at * 1000 >= _SAME_MS:
            found.append(Marked(at_ms / 1000, what))
    return found


def _problems(call: ShownCall) -> Iterator[tuple[int, str]]:
    for cut in call.heard.barge_ins:
        late = "not stopped" if cut.stopped_after_ms is None else "stopped late"
        yield cut.at_ms, "interruption" if cut.good else late
    yield from ((turn.end_ms, "interruption") for turn in call.turns if turn.interrupted)
    yield from ((act.at_ms, f"{act.who} failed") for act in call.done.happenings if act.failed)
    if call.explanation:
        yield from ((one.start_ms, "silence") for one in call.explanation.silences if one.whose != "caller")
        for finding in call.explanation.findings:
            yield from ((at_ms, finding.title) for at_ms in finding.at_ms)


@dataclass(frozen=True)
class _Figure:
    """A number worth a glance; ``small`` is its meaning, ``bad`` where it is bad news."""

    value: str
    name: str
    small: str = ""
    bad: bool = False


def _figures(call: ShownCall) -> list[_Figure]:
    heard, turns, done = call.heard, call.turns, call.done
    answers = [latency.ms for latency in heard.latencies]
    barge_ins = heard.barge_ins
    stops = [one.stopped_after_ms for one in barge_ins if one.stopped_after_ms is not None]
    callers = sum(turn.speaker == "caller" for turn in turns)
    figures = [_Figure(clock_text(heard.duration_ms), "length", f"{callers} caller, {len(turns) - callers} bot turns")]
    if heard.greeting_ms is not None:
        figures.append(_Figure(f"{heard.greeting_ms} ms", "to the greeting", "from the stream's start"))
    if answers:
        figures.append(
            _Figure(f"{statistics.median(answers):.0f} ms", "to answer", f"median; slowest {max(answers)} ms")
        )
    if stops:
        slow = max(stops) > GOOD_STOP_MS
        figures.append(_Figure(f"{max(stops)} ms", "to fall silent", _times(len(stops), "barge-in"), slow))
    if len(stops) < len(barge_ins):
        missed = str(len(barge_ins) - len(stops))
        figures.append(_Figure(missed, "not stopped", "the bot spoke on over the caller", bad=True))
    if done.tools:
        took = [run.took_ms for run in done.tools if run.took_ms is not None]
        slowest = f"slowest {duration_text(max(took))}" if took else "none returned"
        figures.append(_Figure(str(len(done.tools)), "tool run" if len(done.tools) == 1 else "tool runs", slowest))
    figures += _warned(call.warnings)
    return figures


def _warned(warnings: Sequence[tuple[str, str]]) -> list[_Figure]:
    return [_Figure(str(len(warnings)), "warnings", "of the phone about the gateway", bad=True)] if warnings else []


def _times(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"slowest of {count} {what}s"
