"""A stored call: its record as it is read, from the database or from the folder of a simulated call. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from gateway.records.pricing import decimal_text
from gateway.records.rows import (
    CallRow,
    DeliveryRow,
    EventRow,
    KeyRow,
    RecordingRow,
    Row,
    ToolCallRow,
    TransferRow,
    TurnRow,
    UsageRow,
)

R = TypeVar("R", bound=Row)


class StoredCall(Struct, frozen=True, kw_only=True):
    """The whole record of one call. Each list is in the order of time."""

    call: CallRow
    turns: tuple[TurnRow, ...] = ()
    events: tuple[EventRow, ...] = ()
    tools: tuple[ToolCallRow, ...] = ()
    transfers: tuple[TransferRow, ...] = ()
    keys: tuple[KeyRow, ...] = ()
    usage: tuple[UsageRow, ...] = ()
    recordings: tuple[RecordingRow, ...] = ()
    deliveries: tuple[DeliveryRow, ...] = ()


def stored_call(rows: Iterable[Row]) -> StoredCall:
    """Return the call of these rows; of a row that comes several times, the last one counts.

    Raises ``ValueError`` without a row of the call itself.
    """
    call: CallRow | None = None
    kept: dict[tuple[type[Row], Any], Row] = {}
    for row in rows:
        if isinstance(row, CallRow):
            call = row
        else:
            kept[type(row), _number(row)] = row
    if call is None:
        raise ValueError("no row of a call")
    return StoredCall(
        call=call,
        turns=tuple(sorted(_of(kept, TurnRow), key=lambda turn: (turn.started_ms, turn.n))),
        events=tuple(sorted(_of(kept, EventRow), key=lambda event: event.n)),
        tools=tuple(sorted(_of(kept, ToolCallRow), key=lambda tool: tool.n)),
        transfers=tuple(sorted(_of(kept, TransferRow), key=lambda transfer: transfer.n)),
        keys=tuple(sorted(_of(kept, KeyRow), key=lambda key: key.n)),
        usage=tuple(sorted(_of(kept, UsageRow), key=lambda usage: usage.n)),
        recordings=tuple(_of(kept, RecordingRow)),
        deliveries=tuple(sorted(_of(kept, DeliveryRow), key=lambda delivery: (delivery.target, delivery.seq))),
    )


def _number(row: Row) -> Any:
    match row:
        case RecordingRow():
            return row.url
        case DeliveryRow():
            return row.id
        case CallRow():
            return 0
        case _:
            return row.n


def _of(kept: Mapping[Any, Row], kind: type[R]) -> Iterator[R]:
    return (row for row in kept.values() if isinstance(row, kind))


def document(stored: StoredCall) -> dict[str, Any]:
    """Return a call as ``call.json`` has it (docs/records.md): plain values, times of day in UTC."""
    call = stored.call
    return {
        "call_key": call.call_key,
        **summary(call),
        "session_id": call.session_id,
        "session_s": call.session_s,
        "caller_audio_s": call.caller_audio_s,
        "bot_audio_s": call.bot_audio_s,
        "worker": call.worker,
        "trace_id": call.trace_id,
        "turns": [turn_document(turn) for turn in stored.turns],
        "tools": [
            {
                "name": tool.tool,
                "outcome": tool.outcome or None,
                "took_ms": tool.took_ms,
                "at_ms": tool.started_ms,
                "server": tool.server,
            }
            for tool in stored.tools
        ],
        "keys": [{"at_ms": key.at_ms, "digit": key.digit or None} for key in stored.keys],
        "transfers": [
            {"target": one.target, "outcome": one.outcome, "at_ms": one.started_ms, "detail": one.detail}
            for one in stored.transfers
        ],
        "usage": [_without_key(row) for row in stored.usage],
        "recordings": [_without_key(row) for row in stored.recordings],
    }


def summary(call: CallRow) -> dict[str, Any]:
    """Return what a list shows of a call."""
    return {
        "call_id": call.call_id,
        "line": call.line,
        "generation": call.generation,
        "provider": call.provider,
        "caller": call.caller,
        "called": call.called,
        "audio_format": call.audio_format,
        "started": instant(call.started),
        "answered": instant(call.answered),
        "finished": instant(call.ended),
        "duration_ms": None if call.duration_s is None else round(call.duration_s * 1000),
        "state": call.state,
        "ended": {"by": call.by, "reason": call.reason, "detail": call.detail} if call.reason else None,
        "replies": call.turns,
        "model": call.model,
        "cost": None if call.cost_nanos is None else decimal_text(call.cost_nanos),
        "currency": call.currency,
        "cost_note": call.cost_note,
    }


def turn_document(turn: TurnRow) -> dict[str, Any]:
    """Return a turn as ``call.json`` has it."""
    return {
        "speaker": turn.who,
        "start_ms": turn.started_ms,
        "end_ms": turn.ended_ms,
        "text": turn.words,
        "item_id": turn.item_id,
        "unheard": turn.unheard,
        "heard_ms": turn.heard_ms,
        "generated_ms": turn.received_ms,
        "interrupted": turn.interrupted,
        "answered_after_ms": turn.latency_ms,
    }


def event_document(event: EventRow) -> dict[str, Any]:
    """Return an event as a line of ``events.jsonl`` has it."""
    return {"at_ms": event.at_ms, "source": "gateway", "kind": event.kind, **event.fields}


def instant(time: datetime | None) -> str | None:
    """Return a time of day as JSON has it, to a millisecond, in UTC."""
    return None if time is None else time.astimezone(UTC).isoformat(timespec="milliseconds")


def _without_key(row: Row) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(row)
    return {name: value for name, value in plain.items() if name not in ("call_key", "n")}
