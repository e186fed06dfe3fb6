"""Recordings without the columns of an outbox, which they never had use for: what waits is told by the files."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_INDEX = "ix_recordings_state_next_at"


def upgrade() -> None:
    """Drop the columns and their index."""
    op.drop_index(_INDEX, "recordings")
    with op.batch_alter_table("recordings") as table:
        for column in ("attempts", "next_at", "claimed_by", "claimed_until"):
            table.drop_column(column)


def downgrade() -> None:
    """Make them again."""
    with op.batch_alter_table("recordings") as table:
        table.add_column(sa.Column("attempts", sa.Integer(), server_default="0", nullable=False))
        table.add_column(sa.Column("next_at", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("claimed_by", sa.Text(), server_default="", nullable=False))
        table.add_column(sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True))
    op.create_index(_INDEX, "recordings", ["state", "next_at"])
