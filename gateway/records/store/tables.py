"""The tables of the records. All times of day are UTC; ``_ms`` are milliseconds since the start of the call.

Each table has a primary key that its rows are written by: a row that is written again replaces itself, so that nothing
is there twice. The newest migration makes the same tables (tests/records/store/migrations).
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    text,
)

from gateway.records import rows


class Utc(TypeDecorator[datetime]):
    """A time of day with its zone, which is UTC; SQLite, which has no zones, keeps it without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time as the database keeps it."""
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _text(name: str, **options: Any) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="", **options)


def _whole(name: str, **options: Any) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default="0", **options)


def _maybe(name: str, kind: Any = Integer) -> Column[Any]:
    return Column(name, kind, nullable=True)


def _key() -> Column[str]:
    """Return the column of the call that a row belongs to.

    It is no foreign key: a row may be written before that of its call is, where a database was away.
    """
    return Column("call_key", Text, primary_key=True)


def _number() -> Column[int]:
    return Column("n", Integer, primary_key=True, autoincrement=False)


def _partial(condition: str, *columns: str) -> Index:
    """Return an index of the rows that meet a condition."""
    return Index(None, *columns, sqlite_where=text(condition), postgresql_where=text(condition))


calls = Table(
    "calls",
    metadata,
    Column("call_key", Text, primary_key=True),  # our own, in the order of time
    _text("call_id"),  # the provider's
    _text("provider"),
    _text("line"),
    _text("generation"),
    _text("caller"),  # as the setting ``numbers`` has it, like called
    _text("called"),
    _text("caller_hash"),  # by which gateway.records.store.number_keys finds numbers that are masked
    _text("called_hash"),
    _text("audio_format"),
    Column("started", Utc, nullable=False),
    _maybe("answered", Utc),
    _maybe("ended", Utc),
    _text("state"),  # running, ended or interrupted
    _text("reason"),
    _text("by"),
    _text("detail"),
    _maybe("duration_s", Float),
    _whole("turns"),
    _text("worker"),  # the process that has the call
    _maybe("heartbeat", Utc),  # of an interrupted call: its process' last sign of life
    _text("session_id"),
    _text("model"),
    _maybe("session_s", Float),
    _maybe("caller_audio_s", Float),
    _maybe("bot_audio_s", Float),
    _text("trace_id"),
    _maybe("cost_nanos", BigInteger),  # billionths of the currency
    _text("currency"),
    _text("cost_note"),
    Index(None, "call_id"),
    Index(None, "started"),
    Index(None, "line", "started"),
    Index(None, "state", "worker"),
    Index(None, "caller_hash"),
    Index(None, "called_hash"),
)

turns = Table(
    "turns",
    metadata,
    _key(),
    _number(),
    _text("who"),  # caller or bot
    _text("item_id"),
    _maybe("started_ms"),
    _maybe("ended_ms"),
    _text("words"),  # of the bot: those that were heard
    _text("unheard"),
    _maybe("latency_ms"),
    _maybe("heard_ms"),
    _maybe("received_ms"),
    Column("interrupted", Boolean, nullable=False, server_default="0"),
    _partial("latency_ms IS NOT NULL", "call_key", "latency_ms"),  # for the figures of answers
)

events = Table(
    "events",
    metadata,
    _key(),
    _number(),
    Column("at_ms", Float, nullable=False, server_default="0"),
    _text("kind"),
    Column("fields", JSON, nullable=False),
    _partial("kind = 'playback_stopped'", "call_key"),  # for the figures of barge-ins
)

tool_calls = Table(
    "tool_calls",
    metadata,
    _key(),
    _number(),
    _text("tool"),
    _text("server"),  # of an MCP tool
    _text("tool_call_id"),  # the model's
    _whole("started_ms"),
    _maybe("ended_ms"),
    _maybe("took_ms"),
    _text("outcome"),  # ok, error, timeout or refused; empty while it runs
)

transfers = Table(
    "transfers",
    metadata,
    _key(),
    _number(),
    _text("target"),
    _text("outcome"),  # started, transferred or failed
    _whole("started_ms"),
    _maybe("ended_ms"),
    _text("detail"),
)

keys = Table(
    "keys",
    metadata,
    _key(),
    _number(),
    _whole("at_ms"),
    _text("digit"),  # never a secret one
)

usage = Table(
    "usage",
    metadata,
    _key(),
    _number(),
    _whole("at_ms"),
    _text("response_id"),
    _text("model"),
    _text("voice"),  # its type
    *(_whole(f"input_{kind}") for kind in ("text", "audio", "image")),
    *(_whole(f"cached_{kind}") for kind in ("text", "audio", "image")),
    *(_whole(f"output_{kind}") for kind in ("text", "audio")),
)

recordings = Table(
    "recordings",
    metadata,
    _key(),
    _text("url"),
    _text("format"),
    _maybe("seconds", Float),
    _text("state"),  # local, uploading, stored, failed or deleted
    _maybe("keep_until", Utc),
    _text("last_error"),
    Index(None, "keep_until"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("call_key", Text, nullable=False),
    _whole("seq"),  # the order within a call and a target
    _text("target"),
    _text("event"),
    _text("body"),
    _maybe("created", Utc),
    Column("state", Text, nullable=False, server_default="waiting"),  # waiting, delivered or dead
    _whole("attempts"),
    _maybe("next_at", Utc),  # at once, if there is none
    _text("claimed_by"),
    _maybe("claimed_until", Utc),
    _text("last_error"),
    Index(None, "state", "next_at"),
    Index(None, "call_key", "target", "seq"),
)

workers = Table(
    "workers",
    metadata,
    Column("worker", Text, primary_key=True),  # made at the start of a process
    _text("host"),
    _whole("pid"),
    Column("started", Utc, nullable=False),
    Column("heartbeat", Utc, nullable=False),
    _whole("beats"),
)

meta = Table(
    "meta",
    metadata,
    Column("name", Text, primary_key=True),
    _text("value"),
    _maybe("until", Utc),  # of a lease
)

audit = Table(
    "audit",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", Utc, nullable=False),
    _text("who"),
    _text("address"),
    _text("act"),
    _text("call"),
    _text("detail"),
    Index(None, "at"),
    Index(None, "call"),
)

OF_A_CALL: tuple[Table, ...] = tuple(table for table in metadata.sorted_tables if "call_key" in table.columns)
"""The tables whose rows belong to a call."""

TABLE_OF: dict[type[rows.Row], Table] = {
    rows.CallRow: calls,
    rows.TurnRow: turns,
    rows.EventRow: events,
    rows.ToolCallRow: tool_calls,
    rows.TransferRow: transfers,
    rows.KeyRow: keys,
    rows.UsageRow: usage,
    rows.RecordingRow: recordings,
    rows.DeliveryRow: deliveries,
}
"""The table of each kind of row."""
