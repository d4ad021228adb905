"""The tables. A change here needs a step in `migrations/versions/`; a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

# Names of constraints are fixed, so that a migration can drop them on every database.
METADATA = MetaData(naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s"})

ANALYSES = Table(
    "analyses",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("key", String(512), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("identity", String(64), nullable=False),
    Column("config", String(256), nullable=False),
    Column("config_text", Text, nullable=False),
    # Of an analysis that was begun before versions were kept it is empty.
    Column("version", String(64), nullable=False, server_default=""),
    Column("namespace", String(256), nullable=False),
    Column("request", JSON, nullable=False),
    Column("warnings", JSON, nullable=False),
    Column("status", String(16), nullable=False),
    Column("verdict", String(16)),
    Column("score", Float),
    Column("summary", Text, nullable=False),
    Column("report", JSON),
    Column("looks", Integer, nullable=False),
    Column("due", Float, nullable=False),
    Column("created", Float, nullable=False),
    Column("updated", Float, nullable=False),
    Column("leased_by", String(64), nullable=False),
    Column("leased_until", Float, nullable=False),
    UniqueConstraint("key", "generation", name="uq_analyses_key_generation"),
    Index("ix_analyses_status_due", "status", "due"),
    Index("ix_analyses_created", "created"),
)

# Beside the analyses, so that lists of them do not drag the series along.
RECORDINGS = Table(
    "recordings",
    METADATA,
    Column("analysis", String(32), primary_key=True),
    Column("packed", LargeBinary, nullable=False),
)

# Every version of a configuration that an analysis was begun with.
VERSIONS = Table(
    "versions",
    METADATA,
    Column("config", String(256), primary_key=True),
    Column("version", String(64), primary_key=True),
    Column("text", Text, nullable=False),
    Column("first_used", Float, nullable=False),
    Column("last_used", Float, nullable=False),
)

# What callers keep here: canary configs and series in Kayenta's form.
DOCUMENTS = Table(
    "documents",
    METADATA,
    Column("kind", String(32), primary_key=True),
    Column("id", String(128), primary_key=True),
    Column("owner", String(128), nullable=False),
    Column("body", JSON, nullable=False),
    Column("created", Float, nullable=False),
    Column("updated", Float, nullable=False),
)

# What is to be told to others, until it has been. Written with the verdict, in one transaction.
OUTBOX = Table(
    "outbox",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("analysis", String(32), nullable=False),
    Column("target", String(128), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due", Float, nullable=False),
    Column("leased_until", Float, nullable=False),
    Column("created", Float, nullable=False),
    Index("ix_outbox_due", "due"),
)
