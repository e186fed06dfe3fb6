"""Voice Live's side of a tape, compared with the SDK's models, the emulator, and what our session asked for."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from gateway.audio.formats import AudioFormat
from gateway.sim.emulator.speaking.deltas import AZURE_DELTAS_MS, OPENAI_DELTAS_MS
from gateway.tape.fakes import is_fake
from gateway.tape.form import Line, Tape
from gateway.tape.levels import SESSION_FORMATS
from gateway.tape.report.finding import Finding
from gateway.tape.report.service_model import is_known, kind_of_event, unknown_members
from gateway.tape.wire_text import audio_size
from gateway.voice.wire import REQUEST_KEY

STARVED_S = 0.2
"""A reply's audio that comes so much later than the phone needs it is heard as a gap."""
OVERLAP_LIMIT_S = 5.0
"""The time in which a turn that was heard beside a response is expected to be answered."""
ORDER: Sequence[tuple[str, str, str]] = (
    ("session.created", "session.updated", ""),
    ("input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped", "item_id"),
    ("input_audio_buffer.speech_stopped", "input_audio_buffer.committed", "item_id"),
    ("input_audio_buffer.committed", "conversation.item.input_audio_transcription.completed", "item_id"),
    ("response.created", "response.output_item.added", "response_id"),
    ("response.output_item.added", "response.content_part.added", "item_id"),
    ("response.content_part.added", "response.audio.delta", "item_id"),
    ("response.audio.delta", "response.audio.done", "item_id"),
    ("response.audio.done", "response.output_item.done", "item_id"),
    ("response.output_item.done", "response.done", "response_id"),
    ("response.created", "response.done", "response_id"),
)
"""Events of which the first comes before the second, for the same id (Voice Live API reference, event sequences)."""
NEEDED = frozenset({"response.audio.delta", "response.output_item.added", "response.audio.done"})
"""Events that never come without the one before them."""


class Said(Struct, frozen=True):
    """An event of the service."""

    number: int
    at: float
    kind: str
    """Voice Live's name, where the service has said the newer one too."""
    event: Mapping[str, Any]
    line: Line

    def id(self, name: str) -> str:
        """Return the id that an event has under this name, or in the object of it."""
        inner = self.event.get({"item_id": "item", "response_id": "response"}.get(name, ""))
        return str(self.event.get(name) or (inner.get("id") if isinstance(inner, Mapping) else "") or "")


def said_by_service(tape: Tape) -> list[Said]:
    """Return the service's events, of all connections."""
    return [
        Said(number, line.t, kind_of_event(line.json), line.json, line)
        for number, line in tape.of("voice", "in", "message")
        if isinstance(line.json, dict)
    ]


def service_findings(tape: Tape) -> Iterator[Finding]:
    """Yield what differs on the service's side."""
    said = said_by_service(tape)
    for number, line in tape.of("voice", "in", "message"):
        if not isinstance(line.json, dict):
            yield Finding("broken_protocol", "voice", "a message that is no JSON object", number, line.t)
    for one in said:
        yield from _shape(one)
        yield from _error(one)
    yield from _connections(tape)
    yield from _order(said)
    yield from _after_the_end(said)
    yield from _echo(tape, said)
    yield from _deltas(said)
    yield from (finding for finding in overlaps(tape) if finding.kind != "overlapped_turn")


def _shape(one: Said) -> Iterator[Finding]:
    if not is_known(one.kind):
        yield Finding("unknown_type", "voice", f"event {one.kind[:80]}", one.number, one.at)
    for path in unknown_members(one.event):
        yield Finding("unknown_member", "voice", f"{one.kind}: {path}", one.number, one.at)


def _error(one: Said) -> Iterator[Finding]:
    """Yield what the service says is wrong, word for word."""
    response = one.event.get("response")
    details = response.get("status_details") if isinstance(response, Mapping) else None
    match one.kind:
        case "error" | "warning" | "conversation.item.input_audio_transcription.failed":
            error = one.event.get("error") or one.event.get("warning") or {}
            error = error if isinstance(error, Mapping) else {}
            told = ", ".join(f"{name} {error[name]}" for name in ("type", "code", "param") if error.get(name))
            words = str(error.get("message") or "")
            yield Finding("error", "voice", f"{one.kind}: {told or 'no code'}", one.number, one.at, verbatim=words)
        case "response.done" if isinstance(response, Mapping) and response.get("status") in ("failed", "incomplete"):
            inner = details if isinstance(details, Mapping) else {}
            error = inner.get("error") if isinstance(inner.get("error"), Mapping) else {}
            words = str((error or {}).get("message") or inner.get("reason") or "")
            told = f"response {response['status']}: {(error or {}).get('code') or inner.get('reason') or 'no reason'}"
            yield Finding("error", "voice", told, one.number, one.at, verbatim=words)


def _connections(tape: Tape) -> Iterator[Finding]:
    for number, line in tape.of("voice", "in", "refused"):
        words = str((line.facts or {}).get("error", ""))
        yield Finding("refused", "voice", "the connection was refused or failed", number, line.t, verbatim=words)
    closed_by_us = {line.n for _, line in tape.of("voice", "out", "close")}
    for number, line in tape.of("voice", "in", "closed"):
        if line.n not in closed_by_us:
            facts = line.facts or {}
            told = f"the service closed the connection with {facts.get('code')}"
            words = str(facts.get("failure") or facts.get("reason") or "")
            yield Finding("closed", "voice", told, number, line.t, verbatim=words)


def _order(said: Sequence[Said]) -> Iterator[Finding]:
    for earlier, later, name in ORDER:
        first: dict[str, int] = {}
        for at, one in enumerate(said):
            if one.kind == earlier:
                first.setdefault(one.id(name) if name else "", at)
        for at, one in enumerate(said):
            if one.kind != later:
                continue
            came = first.get(one.id(name) if name else "")
            if came is None and later in NEEDED:
                yield Finding("order", "voice", f"{later} without {earlier}", one.number, one.at)
            elif came is not None and came > at:
                yield Finding("order", "voice", f"{later} before {earlier}", one.number, one.at)
    if said and said[0].kind != "session.created":
        told = f"the first event is {said[0].kind}, expected session.created"
        yield Finding("order", "voice", told, said[0].number, said[0].at)


def _after_the_end(said: Sequence[Said]) -> Iterator[Finding]:
    ended: set[str] = set()
    for one in said:
        response_id = one.id("response_id")
        if one.kind == "response.done":
            if response_id in ended:
                yield Finding("order", "voice", "response.done twice", one.number, one.at)
            ended.add(response_id)
        elif response_id in ended and one.kind.startswith("response.") and "mcp" not in one.kind:
            yield Finding("order", "voice", f"{one.kind} after response.done", one.number, one.at)


def _echo(tape: Tape, said: Sequence[Said]) -> Iterator[Finding]:
    """Compare the last settings that were asked for with what the service says is in force."""
    asked: Mapping[str, Any] = {}
    for _, line in tape.of("voice", "out", "message"):
        if isinstance(line.json, dict) and line.json.get("type") == "session.update":
            asked = line.json.get("session") or {}
    echoed = next((one for one in reversed(said) if one.kind == "session.updated"), None)
    session = echoed.event.get("session") if echoed is not None else None
    if echoed is None or not isinstance(session, Mapping):
        return
    for name, value in asked.items():
        for path, wanted, got in _different(value, session.get(name), name):
            told = f"{path}: asked for {_shown(wanted)}, echoed {_shown(got)}"
            yield Finding("echo", "voice", told, echoed.number, echoed.at)


def _different(wanted: Any, got: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield members that were asked for and are echoed otherwise. What the service adds is no difference."""
    if isinstance(wanted, Mapping) and isinstance(got, Mapping):
        for name, value in wanted.items():
            yield from _different(value, got.get(name), f"{path}.{name}")
    elif isinstance(wanted, list) and isinstance(got, list):
        if len(wanted) != len(got) or (wanted != got and sorted(map(str, wanted)) != sorted(map(str, got))):
            yield path, f"{len(wanted)} values", f"{len(got)} values"
    elif wanted != got and not (wanted is None and not got):
        yield path, wanted, got


def _shown(value: Any) -> str:
    return "a text" if isinstance(value, str) and is_fake(value) else str(value)[:60]


def output_format(said: Sequence[Said]) -> AudioFormat | None:
    """Return the format of the bot's audio that the service has told last."""
    for one in reversed(said):
        session = one.event.get("session")
        if one.kind == "session.updated" and isinstance(session, Mapping):
            return SESSION_FORMATS.get(str(session.get("output_audio_format")))
    return None


def expected_deltas(said: Sequence[Said]) -> tuple[int, ...]:
    """Return the lengths of deltas that are assumed for the session's voice, in milliseconds."""
    for one in reversed(said):
        session = one.event.get("session")
        if isinstance(session, Mapping) and isinstance(voice := session.get("voice"), Mapping):
            return OPENAI_DELTAS_MS if voice.get("type") == "openai" else AZURE_DELTAS_MS
    return AZURE_DELTAS_MS


def replies(said: Sequence[Said]) -> dict[str, list[tuple[Said, int]]]:
    """Return the audio deltas of each reply, with their bytes."""
    found: dict[str, list[tuple[Said, int]]] = {}
    for one in said:
        if one.kind == "response.audio.delta":
            found.setdefault(one.id("item_id"), []).append((one, audio_size(one.line)))
    return found


def _deltas(said: Sequence[Said]) -> Iterator[Finding]:
    audio_format, sizes_ms = output_format(said), expected_deltas(said)
    if audio_format is None:
        return
    for deltas in replies(said).values():
        came_ms = 0.0
        first = deltas[0][0]
        for at, (one, size) in enumerate(deltas):
            expected = audio_format.bytes_for(sizes_ms[min(at, len(sizes_ms) - 1)])
            is_last = at == len(deltas) - 1
            if size != expected and not (is_last and size < expected):
                told = f"delta {at + 1} of a reply has {size} bytes ({audio_format.duration_ms(size):g} ms)"
                yield Finding("delta_size", "voice", f"{told}, expected {expected}", one.number, one.at)
            late_s = one.at - first.at - came_ms / 1000
            if at and late_s > STARVED_S:
                told = f"a reply's audio came {round(late_s * 1000)} ms later than the phone needed it"
                yield Finding("gap", "voice", told, one.number, one.at)
            came_ms += audio_format.duration_ms(size)


def overlaps(tape: Tape) -> Iterator[Finding]:
    """Yield, for each turn that was heard beside a running response, who answered it."""
    said = said_by_service(tape)
    running: set[str] = set()
    for at, one in enumerate(said):
        if one.kind == "response.created":
            running.add(one.id("response_id"))
        elif one.kind == "response.done":
            running.discard(one.id("response_id"))
        elif one.kind == "input_audio_buffer.committed" and running:
            yield _answered(one, said[at + 1 :])


def _answered(turn: Said, later: Sequence[Said]) -> Finding:
    by: list[str] = []
    for one in later:
        if one.kind == "input_audio_buffer.committed" or one.at > turn.at + OVERLAP_LIMIT_S:
            break
        if one.kind == "response.created":
            response = one.event.get("response")
            metadata = response.get("metadata") if isinstance(response, Mapping) else None
            by.append("the gateway" if isinstance(metadata, Mapping) and REQUEST_KEY in metadata else "the service")
    who = "nobody" if not by else " and ".join(dict.fromkeys(by))
    kind = "unanswered_turn" if not by else "answered_twice" if len(set(by)) > 1 else "overlapped_turn"
    return Finding(kind, "voice", f"a turn heard beside a response was answered by {who}", turn.number, turn.at)
