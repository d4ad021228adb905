"""Connect to the database and bring its tables up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from analysis.errors import ConfigError
from analysis.plain import encoded

BUSY_S = 30  # how long a writer waits for another one of the same SQLite file
# Any number that no other program uses: replicas that start together migrate one after the other.
_MIGRATION_LOCK = 7_305_116_801
_ORIGIN = "SERINUS_DATABASE_URL"


def _written(value: Any) -> str:  # noqa: ANN401 - plain values
    return encoded(value).decode()


# A report has hundreds of kilobytes, and is written or read at every look and every poll.
_JSON: dict[str, Any] = {
    "json_serializer": _written,
    "json_deserializer": msgspec.json.decode,
}


def open_database(url: str) -> Engine:
    """Open a database, create or migrate its tables.

    Args:
        url: In SQLAlchemy's form: `sqlite:///serinus.db`, `postgresql://user:password@host/name`.

    Raises:
        ConfigError: The address cannot be used, or the database does not answer.
    """
    engine = _engine(url)
    try:
        with engine.begin() as connection:
            _migrate(connection)
    except ConfigError:
        engine.dispose()
        raise
    except SQLAlchemyError as error:
        shown = engine.url.render_as_string(hide_password=True)
        reason = str(error.__cause__ or error).strip().splitlines()[0]
        raise ConfigError(f"cannot use {shown}: {reason}", origin=_ORIGIN) from error
    return engine


def _engine(url: str) -> Engine:
    try:
        address = make_url(url)
        if address.drivername == "postgresql":
            address = address.set(drivername="postgresql+psycopg")
        if address.get_backend_name() == "sqlite":
            return _sqlite(create_engine(address, connect_args={"timeout": BUSY_S}, **_JSON))
        return create_engine(address, pool_pre_ping=True, **_JSON)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        message = f"names no database: {error}; write sqlite:///FILE or postgresql://…"
        raise ConfigError(message, origin=_ORIGIN) from error


def _sqlite(engine: Engine) -> Engine:
    """Let readers read while one writes.

    Every transaction of the store that writes begins with its write, so that it waits its turn.
    """

    @event.listens_for(engine, "connect")
    def prepare(connection, _record) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _migrate(connection: Connection) -> None:
    """Run the steps that are missing, while every other process waits."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
    else:  # at once as a writer: SQLite refuses a reader that turns writer without waiting
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    if not _is_newer(connection, ScriptDirectory.from_config(config)):
        command.upgrade(config, "head")


def _is_newer(connection: Connection, steps: ScriptDirectory) -> bool:
    """Tell whether a later release was here; as steps only add, its tables serve this one too.

    Raises:
        ConfigError: The tables are another program's.
    """
    ours, theirs = steps.get_current_head(), MigrationContext.configure(connection)
    found = theirs.get_current_revision()
    if found is None or any(step.revision == found for step in steps.walk_revisions()):
        return False
    if not found.isdecimal() or int(found) < int(ours or 0):
        message = f"its tables are of version {found[:32]!r}, which is none of Serinus'"
        raise ConfigError(f"{message}; name a database of its own", origin=_ORIGIN)
    return True
