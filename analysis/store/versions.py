"""The versions of configurations that analyses were begun with: kept for good, they are small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.dialects import postgresql, sqlite

from analysis.store.schema import ANALYSES, VERSIONS

_A, _V = ANALYSES.c, VERSIONS.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a configuration.

    Attributes:
        config: Name of the configuration.
        version: Digest of what it means.
        text: How it was written when it was used first.
        first_used: When the first analysis was begun with it, epoch seconds.
        last_used: When the newest one was.
    """

    config: str
    version: str
    text: str
    first_used: float
    last_used: float


def keep(connection: Connection, version: Version) -> None:
    """Keep a version that is used, within the transaction that begins the analysis."""
    values: dict[str, Any] = {
        "config": version.config,
        "version": version.version,
        "text": version.text,
        "first_used": version.first_used,
        "last_used": version.last_used,
    }
    of = postgresql if connection.dialect.name == "postgresql" else sqlite
    used = of.insert(VERSIONS).values(values)
    again = {"last_used": version.last_used}
    index = ["config", "version"]
    connection.execute(used.on_conflict_do_update(index_elements=index, set_=again))


class VersionStore:
    """The versions kept in one database."""

    def __init__(self, engine: Engine) -> None:
        """Use a database whose tables are up to date."""
        self._engine = engine

    def of(self, config: str, limit: int) -> list[Version]:
        """List the versions of a configuration, the one that was used last first."""
        query = select(VERSIONS).where(_V.config == config)
        newest = query.order_by(_V.last_used.desc(), _V.version).limit(limit)
        with self._engine.connect() as connection:
            return [Version(**row._mapping) for row in connection.execute(newest)]  # noqa: SLF001 - SQLAlchemy's documented name

    def uses(self, config: str, namespaces: Sequence[str] | None) -> dict[str, int]:
        """Count the analyses that are kept here, by the version they were begun with.

        Args:
            config: Name of the configuration.
            namespaces: Whose analyses; `None` for all.
        """
        counted = select(_A.version, func.count()).where(_A.config == config).group_by(_A.version)
        if namespaces is not None:
            counted = counted.where(_A.namespace.in_(namespaces))
        with self._engine.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(counted)}

    def get(self, config: str, version: str) -> Version | None:
        """Find a version."""
        one = select(VERSIONS).where(_V.config == config, _V.version == version)
        with self._engine.connect() as connection:
            row = connection.execute(one).first()
        return None if row is None else Version(**row._mapping)  # noqa: SLF001 - as above
