"""The report of a call: one self-contained page."""

import base64
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.audio.formats import PCMU
from gateway.audio.resample import resample
from gateway.audio.wav import mulaw_wav_bytes, wav_bytes
from gateway.sim.caller.call import CallResult
from gateway.sim.caller.measures import GOOD_STOP_MS
from gateway.sim.caller.timeline import TimelineEvent
from gateway.sim.report import picture
from gateway.sim.report.actions import Actions, Happening, duration_text
from gateway.sim.report.dialogue import Turn
from gateway.sim.report.outcome import outcome
from gateway.sim.report.scale import scale_of
from gateway.sim.report.transcript import clock_text, transcript
from gateway.text import printable

_EXACT_BYTES = 2_000_000
"""A recording of at most this size is part of the page as it is, a longer one as the µ-law of a phone."""
_EMBEDDED_MS = 600_000
"""A longer one is not embedded: the page would be too large to send. It plays the file beside it, and says so."""
_TIMELINE_ROWS = 500
EMULATED = "the emulator answers, from a script, without understanding"
"""The emulator's name where it answers, which does not understand: the page has a badge for it."""


@dataclass(frozen=True)
class _Row:
    """A line of the timeline."""

    at_ms: int
    source: str
    kind: str
    detail: str


def render_report(
    result: CallResult,
    turns: Sequence[Turn],
    done: Actions,
    *,
    notes: Sequence[TimelineEvent],
    header: Mapping[str, object],
) -> str:
    """Return the page as HTML.

    ``header`` may name the ``line``, its ``voice`` and ``model``, a ``call_id`` of the gateway's own, who the call was
    ``answered_by``, and the ``complaints`` about it: a call with any has failed.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(seconds=_seconds, clock=clock_text)
    rows = _timeline(result, notes)
    measures, ended = result.measures, outcome(result, notes)
    page = environment.get_template("report.html.j2").render(
        result=result,
        plan=result.plan,
        moments=_moments(turns, done),
        words_known=any(turn.text or turn.unheard for turn in turns),
        gateway_told=bool(notes),
        about=_about(header, notes),
        line=str(header.get("line", "")),
        emulated=header.get("answered_by") == EMULATED,
        call_id=str(header.get("call_id") or result.call_id),
        outcome=ended,
        failures=header.get("complaints", ended.failures),
        figures=_figures(result, turns, done),
        pictures=[("wide", picture.draw(result, turns, done)), ("narrow", _narrow(result, turns, done))],
        layout=picture,
        answers=sorted((*measures.latencies, *measures.keyed), key=lambda answer: answer.at_ms),
        answer_scale=scale_of([latency.ms for latency in measures.latencies or measures.keyed]),
        stop_scale=scale_of([one.stopped_after_ms for one in measures.barge_ins if one.stopped_after_ms is not None]),
        audio=_audio(result),
        audio_apart=not _is_embedded(result),
        transcript=transcript(turns, done.happenings),
        rows=rows[:_TIMELINE_ROWS],
        rows_left_out=max(0, len(rows) - _TIMELINE_ROWS),
    )
    return printable(page)


def _first(notes: Sequence[TimelineEvent], kind: str) -> Mapping[str, object]:
    return next((note.fields for note in notes if note.kind == kind), {})


def _narrow(result: CallResult, turns: Sequence[Turn], done: Actions) -> picture.Picture:
    return picture.draw(result, turns, done, picture.NARROW_PX)


def _about(header: Mapping[str, object], notes: Sequence[TimelineEvent]) -> list[tuple[str, str]]:
    """Return what is known of who answered: each with its name."""
    ready, started = (_first(notes, kind) for kind in ("session_ready", "call_started"))
    known = {
        "Line": header.get("line"),
        "Generation of the line": header.get("generation") or started.get("generation"),
        "Answered by": header.get("answered_by"),
        "Model": ready.get("model") or header.get("model"),
        "Voice": header.get("voice"),
        "Voice Live session": ready.get("session_id"),
    }
    return [(name, str(value)) for name, value in known.items() if value]


@dataclass(frozen=True)
class _Moment:
    """An entry of the conversation: something said, or something done."""

    at_ms: int
    turn: Turn | None = None
    act: Happening | None = None


def _moments(turns: Sequence[Turn], done: Actions) -> list[_Moment]:
    """Return both kinds of entries in the order of time."""
    moments = [_Moment(turn.start_ms, turn=turn) for turn in turns]
    moments += [_Moment(act.at_ms, act=act) for act in done.happenings]
    return sorted(moments, key=lambda moment: moment.at_ms)


def _seconds(milliseconds: float) -> str:
    """Write seconds, such as ``2.35 s``."""
    return f"{milliseconds / 1000:.2f} s"


@dataclass(frozen=True)
class _Figure:
    """A number worth a glance; ``small`` is its meaning, ``bad`` where it is bad news."""

    value: str
    name: str
    small: str = ""
    bad: bool = False


def _figures(result: CallResult, turns: Sequence[Turn], done: Actions) -> list[_Figure]:
    answers = [latency.ms for latency in result.measures.latencies]
    barge_ins = result.measures.barge_ins
    stops = [one.stopped_after_ms for one in barge_ins if one.stopped_after_ms is not None]
    callers = sum(turn.speaker == "caller" for turn in turns)
    figures = [_Figure(clock_text(result.duration_ms), "length", f"{callers} caller, {len(turns) - callers} bot turns")]
    if result.measures.greeting_ms is not None:
        figures.append(_Figure(f"{result.measures.greeting_ms} ms", "to the greeting", "from the stream's start"))
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
    if result.violations:
        figures.append(_Figure(str(len(result.violations)), "warnings", "of the phone about the gateway", bad=True))
    return figures


def _times(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"slowest of {count} {what}s"


def _is_embedded(result: CallResult) -> bool:
    """Return whether the recording is in the page itself."""
    return result.audio_format.duration_ms(len(result.caller_audio)) <= _EMBEDDED_MS


def _audio(result: CallResult) -> str:
    """Return the source of the player: the recording itself as a data URI, or the file beside the page."""
    if not _is_embedded(result):
        return "call.wav"
    samples, rate_hz = result.stereo(), result.audio_format.rate_hz
    wav = wav_bytes(samples, rate_hz)
    if len(wav) > _EXACT_BYTES:
        sides = [resample(side, rate_hz, PCMU.rate_hz) for side in samples.T]
        wav = mulaw_wav_bytes(np.stack(sides, axis=1), PCMU.rate_hz)
    return f"data:audio/wav;base64,{base64.b64encode(wav).decode()}"


def _timeline(result: CallResult, notes: Sequence[TimelineEvent]) -> list[_Row]:
    """Return both accounts in the order of time, without the marks: there is one every few frames."""
    told = [("phone", event) for event in result.events if not event.kind.startswith("mark_")]
    told += [("gateway", note) for note in notes]
    told.sort(key=lambda pair: pair[1].at)
    return [
        _Row(round((event.at - result.started_at) * 1000), source, event.kind.replace("_", " "), _detail(event))
        for source, event in told
    ]


def _detail(event: TimelineEvent) -> str:
    return " · ".join(f"{name} {_brief(value)}" for name, value in event.fields.items() if value not in ("", None, []))


def _brief(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
