"""What a service has judged: its analyses, with the series that the last look was judged by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from analysis.config import SIDES, CanaryConfig, parse_config
from analysis.config.load import dumped
from analysis.errors import ConfigError, SourceError
from analysis.past.deployment import Deployment
from analysis.sources import recording as recordings
from analysis.sources.port import MetricSource
from analysis.window import parse_instant

if TYPE_CHECKING:
    from analysis.store import AnalysisStore, Record

PREFIXES = ("sqlite:", "postgresql")
MISSING = "the service's store needs SQLAlchemy; install it with: pip install 'serinus[server]'"
_PAGE = 50  # with their reports, of which one takes megabytes as values


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDeployments:
    """The ended analyses of a service's database that were judged by something.

    Each ends where its last look ended: later series are not kept.

    Attributes:
        url: The database, in SQLAlchemy's form; it may hold a password.
    """

    url: str = field(repr=False)

    @property
    def description(self) -> str:
        """Say what they are; the address may hold a password."""
        return "analyses of the service's store"

    def listed(self) -> Sequence[Deployment]:
        """List them, oldest first.

        Raises:
            ConfigError: The database cannot be used, or SQLAlchemy is not installed.
        """
        found = [_deployment(record) for record in self._records()]
        return sorted(found, key=lambda one: one.id)

    def _records(self) -> Iterator[Record]:
        """Give what has a report, page by page."""
        from analysis.store import Filter

        store, before = _store(self.url), None
        while page := store.find(Filter(status="completed", before=before), _PAGE, reports=True):
            yield from (record for record in page if record.report is not None)
            before = page[-1].id

    def source(self, deployment: Deployment) -> MetricSource:
        """Read the series of one.

        Raises:
            SourceError: They have been removed, or are damaged.
        """
        packed = _store(self.url).recording(deployment.id)
        if packed is None:
            message = f"the series of analysis {deployment.id} have been removed from the store"
            raise SourceError(message, code="not_recorded")
        return recordings.unpack(packed)

    def own_config(self, deployment: Deployment) -> CanaryConfig | None:
        """Give the configuration that the service judged it with.

        Raises:
            ConfigError: It is no configuration any more.
        """
        record = _store(self.url).get(deployment.id, report=False)
        if record is None:
            return None
        config = _parsed(record.config_text)
        planned_s = record.request.get("planned_s")
        return config if planned_s is None else config.lasting(timedelta(seconds=planned_s))

    def config_text(self, deployment: Deployment) -> str | None:
        """Give that configuration as it was written, or as YAML where the request changed it.

        Raises:
            ConfigError: It is no configuration any more.
        """
        record, config = (
            _store(self.url).get(deployment.id, report=False),
            self.own_config(deployment),
        )
        if record is None or config is None:
            return None
        as_written = _parsed(record.config_text) == config
        return record.config_text if as_written else dumped(config)


def _deployment(record: Record) -> Deployment:
    window = (record.report or {})["window"]
    return Deployment(
        id=record.id,
        start=parse_instant(window["start"]),
        end=parse_instant(window["end"]),
        service=record.config,
        variables={side: dict(record.request[side]) for side in SIDES},
    )


@lru_cache(maxsize=4)
def _store(url: str) -> AnalysisStore:
    """Open a database once in each process."""
    try:
        from analysis.store import AnalysisStore, open_database
    except ImportError as error:
        raise ConfigError(MISSING) from error
    return AnalysisStore(open_database(url))


@lru_cache(maxsize=32)
def _parsed(text: str) -> CanaryConfig:
    return parse_config(text, origin="configuration of the analysis")
