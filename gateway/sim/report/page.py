"""The report of a simulated call: what the page shows of it."""

from collections.abc import Mapping, Sequence

from gateway.report.actions import Actions
from gateway.report.explanation import Explanation
from gateway.report.heard import Heard
from gateway.report.page import render
from gateway.report.shown import Player, Row, ShownCall
from gateway.report.sound import embedded
from gateway.report.timeline import row_of
from gateway.report.turns import Turn
from gateway.sim.caller.call import CallResult
from gateway.sim.caller.timeline import TimelineEvent
from gateway.sim.report.outcome import Outcome, outcome

_RECORDING = "call.wav"
_TOO_LONG = "The recording is longer than an hour and not part of this page: send call.wav along with it."
_UNTOLD = "The gateway told no words of this call."
_ELSEWHERE = (
    "This call was made to a gateway elsewhere. What was said is known only to it: its own log of the call has the "
    "words. What was heard, and when, is here."
)
_FOOTER = (
    "A simulated call: the caller is a recording, the wire is the provider's. Beside this page: call.wav (caller left, "
    "bot right, each when it was heard), call.json, events.jsonl."
)
EMULATED = "the emulator answers, from a script, without understanding"
"""The emulator's name where it answers, which does not understand: the page has a badge for it."""


def render_report(
    result: CallResult,
    turns: Sequence[Turn],
    done: Actions,
    *,
    notes: Sequence[TimelineEvent],
    header: Mapping[str, object],
    explanation: Explanation | None = None,
) -> str:
    """Return the page as HTML.

    ``header`` may name the ``line``, its ``voice`` and ``model``, a ``call_id`` of the gateway's own, who the call was
    ``answered_by``, and the ``complaints`` about it: a call with any has failed.
    """
    ended, heard = outcome(result, notes), heard_in(result)
    complaints = header.get("complaints")
    return render(
        ShownCall(
            caller=result.plan.from_,
            called=result.plan.to,
            line=str(header.get("line", "")),
            started=result.started,
            outcome=ended.told,
            failures=[str(one) for one in complaints] if isinstance(complaints, list) else ended.failures,
            is_emulated=header.get("answered_by") == EMULATED,
            heard=heard,
            turns=turns,
            done=done,
            words_hint=_UNTOLD if notes else _ELSEWHERE,
            about=[*_about(header, notes), *_technical(result, ended, str(header.get("call_id") or result.call_id))],
            warnings=[(str(violation.code), violation.what) for violation in result.violations],
            rows=_timeline(result, notes),
            player=_player(heard),
            footer=_FOOTER,
            explanation=explanation,
        )
    )


def heard_in(result: CallResult) -> Heard:
    """Return what the phone heard, and the figures that were measured on it."""
    measures = result.measures
    return Heard(
        duration_ms=result.duration_ms,
        stereo=result.stereo(),
        rate_hz=result.audio_format.rate_hz,
        greeting_ms=measures.greeting_ms,
        latencies=measures.latencies,
        keyed=measures.keyed,
        barge_ins=measures.barge_ins,
    )


def _first(notes: Sequence[TimelineEvent], kind: str) -> Mapping[str, object]:
    return next((note.fields for note in notes if note.kind == kind), {})


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


def _technical(result: CallResult, ended: Outcome, call_id: str) -> list[tuple[str, str]]:
    audio, clock = result.audio_format, result.clock
    media, marks = (sum(one.event == event for one in result.messages) for event in ("media", "mark"))
    told = [
        ("Call", call_id),
        ("Stream", result.stream_id),
        ("Connected to", result.url),
        ("Audio format", f"{audio.encoding.value.upper()}, {audio.rate_hz} Hz, 20 ms frames"),
        ("End, as the gateway tells it", ended.gateway),
        ("End, as the phone saw it", ended.phone),
        (
            "The phone's own clock",
            f"{clock.frames} frames, {clock.late_frames} of them late by a frame or more; "
            f"worst {clock.worst_late_ms:.1f} ms",
        ),
        ("From the gateway", f"{media} × media, {marks} × mark, {len(result.clears)} × clear"),
        ("How it was measured", "on the audio as the phone sent and played it, to one frame of 20 ms"),
    ]
    return [(name, value) for name, value in told if value or name != "End, as the gateway tells it"]


def _player(heard: Heard) -> Player:
    """Return the recording itself as a data URL, or the file beside the page."""
    source = embedded(heard)
    return Player(source, _RECORDING) if source else Player(_RECORDING, _RECORDING, _TOO_LONG)


def _timeline(result: CallResult, notes: Sequence[TimelineEvent]) -> list[Row]:
    """Return both accounts in the order of time, without the marks: there is one every few frames."""
    told = [("phone", event) for event in result.events if not event.kind.startswith("mark_")]
    told += [("gateway", note) for note in notes]
    told.sort(key=lambda pair: pair[1].at)
    return [row_of((event.at - result.started_at) * 1000, source, event.kind, event.fields) for source, event in told]
