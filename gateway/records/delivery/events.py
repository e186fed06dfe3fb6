"""Makes the deliveries of calls: of the notes of one call, and of what happens to its record afterwards. Pure."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from gateway.call import notes
from gateway.call.notes import Note
from gateway.call.record import TimedNote
from gateway.records.delivery.targets import Target
from gateway.records.rows import DeliveryRow
from gateway.text import json_text

AFTER_THE_CALL = 1_000_000
"""The place of the first event that is no note of the call: it comes after all of those."""


class Facts(Struct, frozen=True):
    """The body of a delivery in the outbox: the event's time, and its own data."""

    at: datetime
    data: dict[str, Any] = {}


class CallDeliveries:
    """Makes the deliveries of one call for ``targets``; ``started`` is its start, at ``started_at`` of its clock.

    ``text`` returns a message of a provider as it may be sent on.
    """

    def __init__(
        self,
        call_key: str,
        started: datetime,
        started_at: float,
        targets: Sequence[Target],
        text: Callable[[str], str] = str,
    ) -> None:
        self._key = call_key
        self._started, self._started_at = started, started_at
        self._targets, self._text = targets, text
        self._seq = 0

    def add(self, timed: TimedNote) -> list[DeliveryRow]:
        """Return the deliveries of a note; none for most."""
        event = _event(timed.note)
        if event is None:
            return []
        self._seq += 1
        at = self._started + timedelta(seconds=timed.at - self._started_at)
        name, data = event
        if "detail" in data:
            data["detail"] = self._text(data["detail"])
        return _rows(self._targets, self._key, self._seq, name, Facts(at, data))


def interrupted(call_key: str, at: datetime, targets: Sequence[Target]) -> list[DeliveryRow]:
    """Return the deliveries for a call that was found interrupted at ``at``."""
    return _rows(targets, call_key, AFTER_THE_CALL, "call.interrupted", Facts(at))


def recording_stored(call_key: str, at: datetime, targets: Sequence[Target], data: dict[str, Any]) -> list[DeliveryRow]:
    """Return the deliveries for a recording that is stored now; ``data`` has ``url``, ``format`` and ``seconds``."""
    return _rows(targets, call_key, AFTER_THE_CALL + 1, "recording.stored", Facts(at, data))


def message_id(call_key: str, target: str, seq: int, event: str) -> str:
    """Return the id of a message: the same for whoever makes it again, after a crash or from the spool."""
    text = "\n".join((call_key, target, str(seq), event))
    return "msg_" + hashlib.sha256(text.encode()).hexdigest()[:32]


def _rows(targets: Sequence[Target], key: str, seq: int, event: str, facts: Facts) -> list[DeliveryRow]:
    wanted = [target.name for target in targets if event in target.receiver.events]
    if not wanted:
        return []
    body = json_text(facts)
    return [
        DeliveryRow(
            id=message_id(key, target, seq, event),
            call_key=key,
            seq=seq,
            target=target,
            event=event,
            body=body,
            created=facts.at,
        )
        for target in wanted
    ]


def _event(note: Note) -> tuple[str, dict[str, Any]] | None:
    match note:
        case notes.CallStarted():
            return "call.started", {}
        case notes.CallEnded():
            return "call.ended", {}
        case notes.TransferStarted(target=target):
            return "transfer.started", {"target": target}
        case notes.Transferred(target=target):
            return "transfer.completed", {"target": target}
        case notes.TransferFailed(target=target, detail=detail):
            return "transfer.failed", {"target": target, "detail": detail}
        case notes.ToolReturned(tool=tool, outcome=outcome, took_ms=took_ms) if outcome != "ok":
            return "tool.failed", {"tool": tool, "server": "", "outcome": outcome, "took_ms": took_ms}
        case notes.McpReturned(server=server, tool=tool, outcome=outcome, took_ms=took_ms) if outcome != "ok":
            return "tool.failed", {"tool": tool, "server": server, "outcome": outcome, "took_ms": took_ms}
    return None
