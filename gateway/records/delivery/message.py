"""Writes the message of a delivery, of the record of its call: docs/deliveries.md describes it. Pure."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct

from gateway.config.records.deliver import Included
from gateway.records.delivery.events import Facts
from gateway.records.rows import CallRow, RecordingRow, TurnRow, UsageRow
from gateway.text import json_bytes

VERSION = 1
LONGEST = 256 * 1024
"""Bytes of a message; the oldest turns of a longer transcript are left out."""
OF_AN_END = ("call.ended", "call.interrupted")
"""The events that bring along what a receiver includes."""
_NO_MORE = ("failed", "deleted")
_NANOS = 9
_FIELDS_OF_THE_END = ("answered", "ended", "reason", "by", "detail", "duration_s", "turns", "model")


class CallParts(Struct, frozen=True):
    """The record of a call, as far as messages tell it."""

    call: CallRow
    turns: Sequence[TurnRow] = ()
    usage: Sequence[UsageRow] = ()
    recordings: Sequence[RecordingRow] = ()


def message(event: str, facts: Facts, parts: CallParts, include: Sequence[Included], *, words: bool) -> bytes:
    """Return a message as JSON, no longer than ``LONGEST``; without ``words`` it has no transcript."""
    data: dict[str, Any] = {"call": _call(event, parts.call)}
    if facts.data:
        data["event"] = facts.data
    body = {"type": event, "timestamp": _time(facts.at), "version": VERSION, "data": data}
    if event in OF_AN_END:
        if "usage" in include:
            data["usage"], data["cost"] = _usage(parts), _cost(parts.call)
        if "recording_url" in include:
            recording = next((one for one in parts.recordings if one.state not in _NO_MORE), None)
            data["recording_url"] = recording.url if recording else None
            data["recording_state"] = recording.state if recording else None
        if "transcript" in include and words:
            room = LONGEST - len(json_bytes(body)) - 100  # for the two keys
            data["transcript"], data["transcript_left_out"] = _transcript(parts.turns, room)
    return json_bytes(body)


def _call(event: str, call: CallRow) -> dict[str, Any]:
    started: dict[str, Any] = {
        "key": call.call_key,
        "id": call.call_id,
        "provider": call.provider,
        "line": call.line,
        "generation": call.generation,
        "caller": call.caller,
        "called": call.called,
        "started": _time(call.started),
        "trace_id": call.trace_id,
    }
    if event not in OF_AN_END:
        return started  # so that it is the same whenever it is sent
    end = {name: getattr(call, name) for name in _FIELDS_OF_THE_END}
    return {**started, "state": call.state, **{name: _plain(value) for name, value in end.items()}}


def _transcript(turns: Sequence[TurnRow], room: int) -> tuple[list[dict[str, Any]], int]:
    """Return the newest turns with words for which there is room, and the number of those that are left out."""
    spoken = [turn for turn in sorted(turns, key=lambda turn: (turn.started_ms, turn.n)) if turn.words or turn.unheard]
    newest: list[dict[str, Any]] = []
    for turn in reversed(spoken):
        one = {
            "who": turn.who,
            "started_ms": turn.started_ms,
            "ended_ms": turn.ended_ms,
            "words": turn.words,
            "unheard": turn.unheard,
            "interrupted": turn.interrupted,
        }
        room -= len(json_bytes(one)) + 1
        if room < 0:
            break
        newest.append(one)
    return newest[::-1], len(spoken) - len(newest)


def _usage(parts: CallParts) -> dict[str, Any]:
    """Return the tokens of all responses by kind, and the seconds of session and audio."""
    kinds = [name for name in UsageRow.__struct_fields__ if name.startswith(("input_", "cached_", "output_"))]
    tokens = {kind: sum(getattr(one, kind) for one in parts.usage) for kind in kinds}
    call = parts.call
    return {
        "responses": len(parts.usage),
        "tokens": tokens,
        "session_s": call.session_s,
        "caller_audio_s": call.caller_audio_s,
        "bot_audio_s": call.bot_audio_s,
    }


def _cost(call: CallRow) -> dict[str, Any] | None:
    if call.cost_nanos is None:
        return None
    amount = Decimal(call.cost_nanos).scaleb(-_NANOS)
    return {"amount": f"{amount:f}", "currency": call.currency, "note": call.cost_note}


def _plain(value: Any) -> Any:
    return _time(value) if isinstance(value, datetime) else value


def _time(at: datetime) -> str:
    text: str = msgspec.to_builtins(at)
    return text
