"""Bare series as an origin of deployments: a list says when and which, a configuration what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from analysis.config import CanaryConfig
from analysis.past.deployment import Deployment
from analysis.past.looks import Schedule
from analysis.past.recording import record
from analysis.past.tables import read_deployments
from analysis.sources.long_table import read_long_table
from analysis.sources.openmetrics import read_openmetrics
from analysis.sources.packed_text import kind_of
from analysis.sources.port import MetricSource
from analysis.sources.recording import Recording
from analysis.sources.saved_answers import read_saved_answers

_READERS: Mapping[str, Callable[[Path], MetricSource]] = {
    ".om": read_openmetrics,
    ".openmetrics": read_openmetrics,
    ".txt": read_openmetrics,
    ".csv": read_long_table,
    ".yaml": read_saved_answers,
    ".yml": read_saved_answers,
}


def is_import(where: str) -> bool:
    """Tell whether a word of the command line names a file of bare series."""
    return not Path(where).is_dir() and kind_of(Path(where)) in _READERS


def open_series(path: Path) -> MetricSource:
    """Read a file of bare series.

    Raises:
        ConfigError: It is a list of answers with faults.
        SourceError: It cannot be read.
    """
    return _READERS[kind_of(path)](path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """Deployments whose series are in a file.

    Attributes:
        path: Their list.
        config: What is asked of the series.
        text: The same, as it was written.
        schedule: Which looks will be made.
        series: The file.
    """

    path: Path
    config: CanaryConfig
    text: str
    schedule: Schedule
    series: MetricSource = field(repr=False)

    @property
    def description(self) -> str:
        """Say where the series are."""
        return self.series.description

    def listed(self) -> Sequence[Deployment]:
        """Read the list.

        Raises:
            ConfigError: It cannot be read, or says what cannot be meant.
        """
        return read_deployments(self.path)

    def source(self, deployment: Deployment) -> Recording:
        """Take the series of one out of the file.

        Raises:
            ConfigError: A query cannot be rendered, or nothing is left after the warm-up.
            SourceError: A query cannot be answered from the file.
        """
        return record(self.config, self.series, deployment, self.schedule)

    def own_config(self, deployment: Deployment) -> CanaryConfig:  # noqa: ARG002 - one for all
        """Give the configuration that asks."""
        return self.config

    def config_text(self, deployment: Deployment) -> str:  # noqa: ARG002 - one for all
        """Give it as it was written."""
        return self.text
