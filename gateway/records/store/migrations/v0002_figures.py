"""Indexes for the figures of answers and barge-ins, which the console shows by day."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_OF_ANSWERS, _OF_STOPS = sa.text("latency_ms IS NOT NULL"), sa.text("kind = 'playback_stopped'")


def upgrade() -> None:
    """Make the indexes."""
    op.create_index(
        "ix_turns_call_key_latency_ms",
        "turns",
        ["call_key", "latency_ms"],
        sqlite_where=_OF_ANSWERS,
        postgresql_where=_OF_ANSWERS,
    )
    op.create_index("ix_events_call_key", "events", ["call_key"], sqlite_where=_OF_STOPS, postgresql_where=_OF_STOPS)


def downgrade() -> None:
    """Drop the indexes."""
    op.drop_index("ix_events_call_key", "events")
    op.drop_index("ix_turns_call_key_latency_ms", "turns")
