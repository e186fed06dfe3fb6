"""The whole report of a tape, and how it is told to people."""

from collections.abc import Iterator
from statistics import median
from typing import Any

from gateway.tape.form import Tape, kind_of
from gateway.tape.report.finding import Finding, Report, gathered
from gateway.tape.report.http import http_findings
from gateway.tape.report.phone import phone_findings
from gateway.tape.report.service import (
    Said,
    expected_deltas,
    output_format,
    overlaps,
    replies,
    said_by_service,
    service_findings,
)

TITLES = {
    "lost": "not on the tape",
    "refused": "refused",
    "error": "errors, word for word",
    "http_status": "requests that failed",
    "closed": "connections that ended out of order",
    "no_stream": "the media stream",
    "broken_protocol": "against the protocol",
    "unknown_type": "unknown messages",
    "unknown_member": "unknown members",
    "absent_member": "members that did not come",
    "odd_message": "members of another kind",
    "order": "order",
    "echo": "settings that are not as asked for",
    "delta_size": "sizes of the bot's audio",
    "frame_size": "sizes of the caller's audio",
    "gap": "gaps",
    "mark": "marks",
    "mark_after_clear": "marks after a clear",
    "unanswered_turn": "turns that nobody answered",
    "answered_twice": "turns that were answered twice",
}
"""The kinds of findings, in the order in which they are told."""


def report(tape: Tape) -> Report:
    """Return what a tape shows."""
    found = [*_lost(tape), *http_findings(tape), *phone_findings(tape), *service_findings(tape)]
    return Report(_facts(tape), gathered(found))


def told(report: Report) -> Iterator[str]:
    """Yield the lines of a report for people."""
    for name, value in report.facts.items():
        yield f"{name.replace('_', ' ')}: {_value(value)}"
    yield ""
    if not report.findings:
        yield "nothing differs from what the documents and the emulator say"
    for kind, title in TITLES.items():
        of_kind = [one for one in report.findings if one.kind == kind]
        if of_kind:
            yield f"{title}:"
            yield from (f"  {_told(one)}" for one in of_kind)


def _told(one: Finding) -> str:
    times = f" ({one.count} times)" if one.count > 1 else ""
    where = f" [line {one.line}, {one.at_s:.2f} s]" if one.line else ""
    words = f": {one.verbatim}" if one.verbatim else ""
    return f"{one.side}: {one.detail}{times}{where}{words}"


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)


def _lost(tape: Tape) -> Iterator[Finding]:
    for number, line in tape.of("gateway", kind="lost"):
        facts = line.facts or {}
        of = ", ".join(f"{count} {what}" for what, count in (facts.get("of") or {}).items())
        yield Finding("lost", "gateway", f"{facts.get('count')} records were lost: {of}", number, line.t)


def _facts(tape: Tape) -> dict[str, Any]:
    said = said_by_service(tape)
    started = next((line.facts or {} for _, line in tape.of("gateway", kind="started")), {})
    notes = [line.facts or {} for _, line in tape.of("gateway", kind="note")]
    end = next((note for note in notes if note.get("kind") == "call_ended"), {})
    return {
        "provider": tape.header.provider,
        "gateway": tape.header.gateway,
        "api_version": tape.header.api_version,
        "duration_s": round(tape.lines[-1][1].t, 1) if tape.lines else 0.0,
        "caller_audio": started.get("audio_format", "unknown"),
        "bot_audio": str(output_format(said) or "unknown"),
        "end": f"{end.get('reason', 'not on the tape')}" + (f" by {end['by']}" if end.get("by") else ""),
        "session_ready_ms": _between(tape, said, "session.updated"),
        "first_audio_ms": _between(tape, said, "response.audio.delta"),
        "delta_sizes_ms": _sizes(said),
        "delta_sizes_assumed_ms": list(expected_deltas(said)),
        "overlapped_turns": [one.detail.rpartition(" by ")[2] for one in overlaps(tape)],
        "messages": [f"{count} {name}" for name, count in _counts(tape).items()],
    }


def _between(tape: Tape, said: list[Said], kind: str) -> float | str:
    """Return the milliseconds from the first try to connect to the first event of a kind."""
    opened = next((line.t for _, line in tape.of("voice", "out", "open")), None)
    came = next((one.at for one in said if one.kind == kind), None)
    return round((came - opened) * 1000) if opened is not None and came is not None else "never"


def _sizes(said: list[Said]) -> list[str]:
    audio_format = output_format(said)
    sizes = [size for deltas in replies(said).values() for _, size in deltas]
    if audio_format is None or not sizes:
        return []
    of = audio_format.duration_ms
    return [f"{len(sizes)} deltas of {of(min(sizes)):g} to {of(max(sizes)):g}", f"median {of(int(median(sizes))):g}"]


def _counts(tape: Tape) -> dict[str, int]:
    counts: dict[str, int] = {}
    for _, line in tape.lines:
        if line.kind == "message":
            kind = "audio" if line.audio else kind_of(line.json) or (line.text or "").partition(" ")[0] or "start"
            name = f"{line.side} {line.to} {kind}"
            counts[name] = counts.get(name, 0) + 1
    return counts
