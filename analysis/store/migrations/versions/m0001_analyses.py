"""Analyses and the answers they were judged by."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "analyses",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("key", sa.String(512), nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("identity", sa.String(64), nullable=False),
        sa.Column("config", sa.String(256), nullable=False),
        sa.Column("config_text", sa.Text, nullable=False),
        sa.Column("namespace", sa.String(256), nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("warnings", sa.JSON, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("verdict", sa.String(16)),
        sa.Column("score", sa.Float),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("report", sa.JSON),
        sa.Column("looks", sa.Integer, nullable=False),
        sa.Column("due", sa.Float, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("updated", sa.Float, nullable=False),
        sa.Column("leased_by", sa.String(64), nullable=False),
        sa.Column("leased_until", sa.Float, nullable=False),
        sa.UniqueConstraint("key", "generation", name="uq_analyses_key_generation"),
    )
    op.create_index("ix_analyses_status_due", "analyses", ["status", "due"])
    op.create_index("ix_analyses_created", "analyses", ["created"])
    op.create_table(
        "recordings",
        sa.Column("analysis", sa.String(32), primary_key=True),
        sa.Column("packed", sa.LargeBinary, nullable=False),
    )
