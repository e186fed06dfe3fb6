"""The rows of a call's record: one struct for each table, with the names of its columns. Pure.

Times in ``…_ms`` are milliseconds since the start of the call's stream; others are points of time, in UTC. A row that
comes again with the same ``call_key`` and ``n`` replaces the one before.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from msgspec import Struct

CallState = Literal["running", "ended", "interrupted"]


class CallRow(Struct, frozen=True, kw_only=True):
    """The call itself; comes again whenever one of its values changes."""

    call_key: str
    """Our own id, of which there is one for each stream."""
    call_id: str
    """The provider's id; a provider that reconnects has several streams of one id."""
    provider: str
    line: str
    generation: str = ""
    caller: str = ""
    called: str = ""
    caller_hash: str = ""
    called_hash: str = ""
    audio_format: str = ""
    started: datetime
    answered: datetime | None = None
    """The time at which Voice Live was ready to answer."""
    ended: datetime | None = None
    state: CallState = "running"
    reason: str = ""
    by: str = ""
    detail: str = ""
    duration_s: float | None = None
    turns: int = 0
    """Replies that the bot began."""
    worker: str = ""
    heartbeat: datetime | None = None
    """The time at which the writer last said that the call goes on."""
    session_id: str = ""
    model: str = ""
    """The model of the session that was used last, as the service names it."""
    session_s: float | None = None
    """Seconds in which there was a session."""
    caller_audio_s: float | None = None
    """Seconds of audio that came from the phone."""
    bot_audio_s: float | None = None
    """Seconds of the bot's replies, heard or not."""
    trace_id: str = ""
    cost_nanos: int | None = None
    """The cost in billionths of ``currency``; ``None`` where it is not known, for the reason in ``cost_note``."""
    currency: str = ""
    cost_note: str = ""
    """The parts of the cost that are not known, and why."""


class TurnRow(Struct, frozen=True, kw_only=True):
    """A turn of the caller, or a reply of the bot; comes again as more of it is known."""

    call_key: str
    n: int
    who: Literal["caller", "bot"]
    item_id: str
    started_ms: int
    ended_ms: int | None = None
    words: str = ""
    """The caller's words, or the words of the bot that the caller heard."""
    unheard: str = ""
    """The words of the bot that were generated and not heard, or not known to be heard."""
    latency_ms: int | None = None
    heard_ms: int | None = None
    received_ms: int | None = None
    interrupted: bool = False


class EventRow(Struct, frozen=True, kw_only=True):
    """A note of the call, as a line of ``events.jsonl`` has it."""

    call_key: str
    n: int
    at_ms: float
    kind: str
    fields: Mapping[str, object]


class ToolCallRow(Struct, frozen=True, kw_only=True):
    """A run of a function, or of a tool of an MCP server; comes again when it has returned."""

    call_key: str
    n: int
    tool: str
    server: str = ""
    """The label of the MCP server; empty for a function of the line."""
    tool_call_id: str = ""
    """The model's id of the call, or the id of its item."""
    started_ms: int
    ended_ms: int | None = None
    took_ms: int | None = None
    outcome: str = ""
    """``ok``, ``error``, ``timeout`` or ``refused``; empty while it runs, or if the call ended before."""


class TransferRow(Struct, frozen=True, kw_only=True):
    """A transfer to a target of the line; comes again when the provider has taken or refused it."""

    call_key: str
    n: int
    target: str
    outcome: Literal["started", "transferred", "failed"]
    started_ms: int
    ended_ms: int | None = None
    detail: str = ""


class KeyRow(Struct, frozen=True, kw_only=True):
    """A key that the caller pressed, never one of a secret entry."""

    call_key: str
    n: int
    at_ms: int
    digit: str


class UsageRow(Struct, frozen=True, kw_only=True):
    """The tokens of one response, by kind; those from the cache are part of those of their kind."""

    call_key: str
    n: int
    at_ms: int
    response_id: str
    model: str
    voice: str = ""
    """The type of the voice, such as ``openai`` or ``azure-standard``."""
    input_text: int = 0
    input_audio: int = 0
    input_image: int = 0
    cached_text: int = 0
    cached_audio: int = 0
    cached_image: int = 0
    output_text: int = 0
    output_audio: int = 0


class RecordingRow(Struct, frozen=True, kw_only=True):
    """A recording of the call."""

    call_key: str
    url: str
    format: str = ""
    seconds: float | None = None
    state: Literal["local", "uploading", "stored", "failed", "deleted"] = "local"
    keep_until: datetime | None = None


class DeliveryRow(Struct, frozen=True, kw_only=True):
    """An event for a receiver, in the outbox, which keeps in further columns what becomes of it."""

    id: str
    """The id of the message; the same event for the same receiver always has the same."""
    call_key: str
    seq: int
    """The place among the events of the call."""
    target: str
    """The name of the receiver; that of a line's own receiver stands behind the name of the line and a slash."""
    event: str
    body: str
    """The event's own data, as JSON; what the record has of the call is added when the event is sent."""
    created: datetime
    """The time from which its tries are counted."""


Row = CallRow | TurnRow | EventRow | ToolCallRow | TransferRow | KeyRow | UsageRow | RecordingRow | DeliveryRow


def new_key(now: datetime, chance: int | None = None) -> str:
    """Return a new ``call_key``: a UUID of version 7 (RFC 9562, 5.7), so that keys sort by the start of their call.

    ``chance`` are its random bits; drawn where it is ``None``.
    """
    random = secrets.randbits(74) if chance is None else chance
    milliseconds = int(now.timestamp() * 1000) & ((1 << 48) - 1)
    value = milliseconds << 80 | 0x7 << 76 | (random >> 62 & 0xFFF) << 64 | 0b10 << 62 | random & ((1 << 62) - 1)
    text = f"{value:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
