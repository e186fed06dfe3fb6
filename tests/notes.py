"""The notes of a call: each kind with its fields, as the logs, the metrics and a call's folder read them."""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from gateway.call.record import Note

Count = Annotated[int, msgspec.Meta(ge=0)]
Named = Annotated[str, msgspec.Meta(min_length=1)]
Leg = Literal["phone", "voice"]


class HeardFields(msgspec.Struct, forbid_unknown_fields=True):
    """How much of a reply was heard."""

    item_id: Named
    heard_ms: Count
    received_ms: Count


TOOL = {"tool": Named, "call_id": Named}
ENTRY = {"tool": Named, "parameter": Named}
SERVER = {"server": Named, "tool": Named}
HOW = Literal["key", "words", "no answer", "not understood", "not asked", "limit"]
KINDS: Mapping[str, Mapping[str, object]] = {
    "approval_asked": SERVER,
    "approval_given": {**SERVER, "approved": bool, "how": HOW},
    "approval_not_understood": {**SERVER, "asked_again": bool},
    "barge_in": {"replies": list[HeardFields], "response_cancelled": bool},
    "caller_paused": {},
    "caller_said": {"item_id": Named, "text": Named},
    "closed_line": {},
    "digit_pressed": {"digit": Named},
    "digits_entered": {"digits": Named},
    "digits_sent": {},
    "greeting_played": {"item_id": Named},
    "hang_up_cancelled": {},
    "malformed_message": {"leg": Leg, "detail": str},
    "mcp_called": {**SERVER, "item_id": Named},
    "mcp_listed": {"server": str, "outcome": Literal["ok", "error"]},
    "mcp_returned": {**SERVER, "item_id": str, "outcome": Literal["ok", "error", "timeout"], "took_ms": Count},
    "odd_message": {"leg": Leg, "detail": str},
    "reply_heard": {"item_id": Named, "heard_ms": Count, "received_ms": Count},
    "reply_said": {"item_id": Named, "text": str},
    "reply_started": {"item_id": Named, "latency_ms": Count | None},
    "response_cut_short": {"status": Literal["incomplete", "failed", "cancelled", "given_up"], "detail": str},
    "secure_entry_started": ENTRY,
    "secure_entry_ended": {**ENTRY, "outcome": Literal["entered", "nothing", "abandoned"]},
    "service_error": {"code": str, "detail": str},
    "service_warning": {"code": str, "detail": str},
    "session_ready": {"session_id": str, "model": str},
    "silence_prompt": {"count": Annotated[int, msgspec.Meta(ge=1)]},
    "tool_called": TOOL,
    "tool_returned": {**TOOL, "outcome": Literal["ok", "error", "timeout", "refused"], "took_ms": Count},
    "transcription_failed": {"item_id": Named, "code": str, "detail": str},
    "transfer_failed": {"target": Named, "detail": Named},
    "transfer_started": {"target": Named},
    "transferred": {"target": Named},
    "unknown_message": {"leg": Leg, "message_kind": Named},
}
"""The notes of a conversation, each field with its type."""
_SHAPES = {
    kind: msgspec.defstruct(kind, list(fields.items()), forbid_unknown_fields=True) for kind, fields in KINDS.items()
}


def check_note(note: Note) -> None:
    """Fail where a note is of no known kind, lacks a field, has one more, or one with another value than is known."""
    assert note.kind in _SHAPES, f"nobody reads a note of this kind: {note}"
    msgspec.convert(note.fields, _SHAPES[note.kind])
