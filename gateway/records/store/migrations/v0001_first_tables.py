"""The first tables: calls and what belongs to them, the outbox, the workers."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    _calls()
    _turns()
    _events()
    _tool_calls()
    _transfers()
    _keys()
    _usage()
    _recordings()
    _deliveries()
    _workers()
    _meta()


def downgrade() -> None:
    """Drop the tables, with what is in them."""
    tables = "meta workers deliveries recordings usage keys transfers tool_calls events turns calls"
    for table in tables.split():
        op.drop_table(table)


def _calls() -> None:
    op.create_table(
        "calls",
        sa.Column("call_key", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), server_default="", nullable=False),
        sa.Column("provider", sa.Text(), server_default="", nullable=False),
        sa.Column("line", sa.Text(), server_default="", nullable=False),
        sa.Column("generation", sa.Text(), server_default="", nullable=False),
        sa.Column("caller", sa.Text(), server_default="", nullable=False),
        sa.Column("called", sa.Text(), server_default="", nullable=False),
        sa.Column("caller_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("called_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("audio_format", sa.Text(), server_default="", nullable=False),
        sa.Column("started", _TIME, nullable=False),
        sa.Column("answered", _TIME, nullable=True),
        sa.Column("ended", _TIME, nullable=True),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("by", sa.Text(), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("duration_s", sa.Float(), nullable=True),
        sa.Column("turns", sa.Integer(), server_default="0", nullable=False),
        sa.Column("worker", sa.Text(), server_default="", nullable=False),
        sa.Column("heartbeat", _TIME, nullable=True),
        sa.Column("session_id", sa.Text(), server_default="", nullable=False),
        sa.Column("model", sa.Text(), server_default="", nullable=False),
        sa.Column("session_s", sa.Float(), nullable=True),
        sa.Column("caller_audio_s", sa.Float(), nullable=True),
        sa.Column("bot_audio_s", sa.Float(), nullable=True),
        sa.Column("trace_id", sa.Text(), server_default="", nullable=False),
        sa.Column("cost_nanos", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), server_default="", nullable=False),
        sa.Column("cost_note", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("call_key", name="pk_calls"),
    )
    op.create_index("ix_calls_call_id", "calls", ["call_id"])
    op.create_index("ix_calls_called_hash", "calls", ["called_hash"])
    op.create_index("ix_calls_caller_hash", "calls", ["caller_hash"])
    op.create_index("ix_calls_line_started", "calls", ["line", "started"])
    op.create_index("ix_calls_started", "calls", ["started"])
    op.create_index("ix_calls_state_worker", "calls", ["state", "worker"])


def _turns() -> None:
    op.create_table(
        "turns",
        sa.Column("call_key", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("who", sa.Text(), server_default="", nullable=False),
        sa.Column("item_id", sa.Text(), server_default="", nullable=False),
        sa.Column("started_ms", sa.Integer(), nullable=True),
        sa.Column("ended_ms", sa.Integer(), nullable=True),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("unheard", sa.Text(), server_default="", nullable=False),
        sa.Column("latency_ms", sa.Integer(), nullable=True),
        sa.Column("heard_ms", sa.Integer(), nullable=True),
        sa.Column("received_ms", sa.Integer(), nullable=True),
        sa.Column("interrupted", sa.Boolean(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("call_key", "n", name="pk_turns"),
    )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("call_key", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.Float(), server_default="0", nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("call_key", "n", name="pk_events"),
    )


def _tool_calls() -> None:
    op.create_table(
        "tool_calls",
        sa.Column("call_key", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tool", sa.Text(), server_default="", nullable=False),
        sa.Column("server", sa.Text(), server_default="", nullable=False),
        sa.Column("tool_call_id", sa.Text(), server_default="", nullable=False),
        sa.Column("started_ms", sa.Integer(), server_default="0", nullable=False),
        sa.Column("ended_ms", sa.Integer(), nullable=True),
        sa.Column("took_ms", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("call_key", "n", name="pk_tool_calls"),
    )


def _transfers() -> None:
    op.create_table(
        "transfers",
        sa.Column("call_key", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("target", sa.Text(), server_default="", nullable=False),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.Column("started_ms", sa.Integer(), server_default="0", nullable=False),
        sa.Column("ended_ms", sa.Integer(), nullable=True),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("call_key", "n", name="pk_transfers"),
    )


def _keys() -> None:
    op.create_table(
        "keys",
        sa.Column("call_key", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.Integer(), server_default="0", nullable=False),
        sa.Column("digit", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("call_key", "n", name="pk_keys"),
    )


def _usage() -> None:
    op.create_table(
        "usage",
        sa.Column("call_key", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.Integer(), server_default="0", nullable=False),
        sa.Column("response_id", sa.Text(), server_default="", nullable=False),
        sa.Column("model", sa.Text(), server_default="", nullable=False),
        sa.Column("voice", sa.Text(), server_default="", nullable=False),
        sa.Column("input_text", sa.Integer(), server_default="0", nullable=False),
        sa.Column("input_audio", sa.Integer(), server_default="0", nullable=False),
        sa.Column("input_image", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cached_text", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cached_audio", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cached_image", sa.Integer(), server_default="0", nullable=False),
        sa.Column("output_text", sa.Integer(), server_default="0", nullable=False),
        sa.Column("output_audio", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("call_key", "n", name="pk_usage"),
    )


def _recordings() -> None:
    op.create_table(
        "recordings",
        sa.Column("call_key", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), server_default="", nullable=False),
        sa.Column("format", sa.Text(), server_default="", nullable=False),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("keep_until", _TIME, nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", _TIME, nullable=True),
        sa.Column("last_error", sa.Text(), server_default="", nullable=False),
        sa.Column("claimed_by", sa.Text(), server_default="", nullable=False),
        sa.Column("claimed_until", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("call_key", name="pk_recordings"),
    )
    op.create_index("ix_recordings_keep_until", "recordings", ["keep_until"])
    op.create_index("ix_recordings_state_next_at", "recordings", ["state", "next_at"])


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("call_key", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), server_default="0", nullable=False),
        sa.Column("target", sa.Text(), server_default="", nullable=False),
        sa.Column("event", sa.Text(), server_default="", nullable=False),
        sa.Column("body", sa.Text(), server_default="", nullable=False),
        sa.Column("created", _TIME, nullable=True),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", _TIME, nullable=True),
        sa.Column("claimed_by", sa.Text(), server_default="", nullable=False),
        sa.Column("claimed_until", _TIME, nullable=True),
        sa.Column("last_error", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_call_key_target_seq", "deliveries", ["call_key", "target", "seq"])
    op.create_index("ix_deliveries_state_next_at", "deliveries", ["state", "next_at"])


def _workers() -> None:
    op.create_table(
        "workers",
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), server_default="", nullable=False),
        sa.Column("pid", sa.Integer(), server_default="0", nullable=False),
        sa.Column("started", _TIME, nullable=False),
        sa.Column("heartbeat", _TIME, nullable=False),
        sa.Column("beats", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("worker", name="pk_workers"),
    )


def _meta() -> None:
    op.create_table(
        "meta",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), server_default="", nullable=False),
        sa.Column("until", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_meta"),
    )
