"""The folder of a simulated call, for people and for scripts."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from gateway.audio.wav import write_wav
from gateway.errors import InputError
from gateway.report.actions import Actions
from gateway.report.explanation import Explanation
from gateway.report.turns import Turn
from gateway.sim.caller.call import CallPlan, CallResult
from gateway.sim.caller.timeline import TimelineEvent
from gateway.sim.report.actions import actions
from gateway.sim.report.dialogue import dialogue
from gateway.sim.report.page import render_report
from gateway.text import UNPRINTABLE

__all__ = ["FILES", "TimelineEvent", "folder_name", "write_folder", "write_refused"]

RECORDING = "recording.wav"
"""The gateway's own recording, where there is one; ``call.wav`` is the phone's."""
_OF_ALL = ("call.json", "events.jsonl")
_OF_CALLS = ("call.wav", "report.html", *_OF_ALL)
FILES = (*_OF_CALLS, RECORDING)
"""The files in a folder; a call that never began has two of them."""


FOLDER_MODE, FILE_MODE = 0o700, 0o600
"""A call's folder holds what people said, and their numbers."""


def folder_name(result: CallResult) -> str:
    """Return ``<start>-<call id>``, the start in UTC: folders sort by time."""
    return f"{result.started:%Y%m%dT%H%M%SZ}-{result.call_id}"


def write_folder(
    out: Path,
    result: CallResult,
    *,
    notes: Sequence[TimelineEvent] = (),
    header: Mapping[str, object] | None = None,
    began_at: float | None = None,
    explanation: Explanation | None = None,
) -> Path:
    """Write ``call.wav``, ``call.json``, ``events.jsonl`` and ``report.html`` into ``out``, which is made if need be.

    ``notes`` are the gateway's own account (see :func:`gateway.sim.report.dialogue.dialogue`); kinds that are not known
    are shown as they are. ``header`` may hold ``line`` and ``call_id``, and other fields of ``call.json``. ``began_at``
    is when the call began by the gateway's account, on the clock of the notes, if it is known.
    ``explanation`` says why the call went as it did.
    Raises ``InputError`` where the folder cannot be written.
    """
    header = header or {}
    if began_at is not None:
        header = {**header, "gateway_started_ms": _milliseconds(began_at - result.started_at)}
    notes = sorted(notes, key=lambda note: note.at)
    turns, done = dialogue(result, notes), actions(result, notes)
    try:
        _make(out, _OF_CALLS)
        write_wav(out / "call.wav", result.stereo(), result.audio_format.rate_hz)
        (out / "call.json").write_text(_json(_summary(result, turns, done, notes, header), indent=2) + "\n", "utf-8")
        (out / "events.jsonl").write_text(
            "".join(f"{_json(row)}\n" for row in _events(result, notes, began_at)), "utf-8"
        )
        report = render_report(result, turns, done, notes=notes, header=header, explanation=explanation)
        (out / "report.html").write_text(report, "utf-8")
    except OSError as error:
        raise InputError(f"{out}: the call's folder cannot be written: {error.strerror}") from error
    return out


def write_refused(
    out: Path, plan: CallPlan, started: datetime, *, notes: Sequence[TimelineEvent], header: Mapping[str, object]
) -> None:
    """Write the folder of a call that never began: ``call.json`` and ``events.jsonl`` alone.

    The files of an earlier call in ``out`` are removed. Raises ``InputError`` where the folder cannot be written.
    """
    told = {
        **header,
        "provider": plan.provider,
        "caller": plan.from_,
        "called": plan.to,
        "started": started.isoformat(timespec="milliseconds"),
        "duration_ms": 0,
        "refused": True,
    }
    first = min((note.at for note in notes), default=0.0)
    rows = [
        {"at_ms": round((note.at - first) * 1000, 1), "source": "gateway", "kind": note.kind, **note.fields}
        for note in sorted(notes, key=lambda note: note.at)
    ]
    try:
        _make(out, _OF_ALL)
        (out / "call.json").write_text(_json(told, indent=2) + "\n", "utf-8")
        (out / "events.jsonl").write_text("".join(f"{_json(row)}\n" for row in rows), "utf-8")
    except OSError as error:
        raise InputError(f"{out}: the call's folder cannot be written: {error.strerror}") from error


def _make(out: Path, names: Iterable[str]) -> None:
    """Make the folder with empty files of these names, for the user alone; those of an earlier call go.

    So do links of these names. Folders above it that are missing are made alike, one that is there keeps its mode.
    """
    for folder in (*reversed(out.parents), out):
        if not folder.is_dir():
            folder.mkdir(FOLDER_MODE)
    for name in FILES:
        (out / name).unlink(missing_ok=True)
    for name in names:
        (out / name).touch(FILE_MODE, exist_ok=False)


def _json(value: object, indent: int | None = None) -> str:
    """Return JSON that may be printed as it stands: what would act on a terminal is escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=str)
    return UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _summary(
    result: CallResult,
    turns: Sequence[Turn],
    done: Actions,
    notes: Sequence[TimelineEvent],
    header: Mapping[str, object],
) -> dict[str, object]:
    plan, measures = result.plan, result.measures
    ended = {"by": result.ended_by, "reason": result.end_reason, "close_code": result.close_code}
    told = next((note.fields for note in notes if note.kind == "call_ended"), None)
    return {
        "call_id": result.call_id,
        "stream_id": result.stream_id,
        "provider": plan.provider,
        **header,
        "caller": plan.from_,
        "called": plan.to,
        "url": result.url,
        "audio_format": str(result.audio_format),
        "started": result.started.isoformat(timespec="milliseconds"),
        "duration_ms": result.duration_ms,
        "ended": {**ended, "gateway": dict(told)} if told is not None else ended,
        "continuation": [asdict(step) for step in result.continuation],
        "turns": [asdict(turn) for turn in turns],
        "tools": [asdict(run) for run in done.tools],
        "keys": [asdict(key) for key in done.keys],
        "transfers": [asdict(run) for run in done.transfers],
        "greeting_ms": measures.greeting_ms,
        "answers": [asdict(latency) for latency in measures.latencies],
        "answers_to_keys": [asdict(latency) for latency in measures.keyed],
        "barge_ins": [asdict(barge_in) for barge_in in measures.barge_ins],
        "phone": {**asdict(result.clock), "violations": [asdict(violation) for violation in result.violations]},
    }


def _events(result: CallResult, notes: Iterable[TimelineEvent], began_at: float | None) -> list[dict[str, object]]:
    """Return both accounts in the order of time; ``at_ms`` counts from the start of the stream.

    From the beginning of the gateway's account a note is whole tenths of a millisecond, as in the record of a call.
    """
    told = [("phone", event) for event in result.events] + [("gateway", note) for note in notes]
    told.sort(key=lambda pair: pair[1].at)

    def at_ms(source: str, event: TimelineEvent) -> float:
        if source == "phone" or began_at is None:
            return _milliseconds(event.at - result.started_at)
        return round(_milliseconds(began_at - result.started_at) + _milliseconds(event.at - began_at), 1)

    return [
        {"at_ms": at_ms(source, event), "source": source, "kind": event.kind, **event.fields} for source, event in told
    ]


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)
