"""A past deployment, and the port through which past deployments are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from analysis.config import CanaryConfig
from analysis.sources.port import MetricSource


class Truth(StrEnum):
    """What is known, by other means, of a deployment's canary."""

    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One past deployment; small, so that thousands of them travel to workers.

    Attributes:
        id: Its name, unique among those it is listed with.
        start: When its canary began to be observed.
        end: Newest data that belongs to it.
        truth: What is known of its canary; `None` where nothing is.
        fault_start: When a bad canary began to be bad; `None` if not known, or from the start.
        service: What was deployed; empty where nobody said.
        variables: Values of each side, by side.
    """

    id: str
    start: datetime
    end: datetime
    truth: Truth | None = None
    fault_start: datetime | None = None
    service: str = ""
    variables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class Deployments(Protocol):
    """Past deployments of one origin.

    An implementation holds a path or an address and no data, so that it is cheap to pickle: every
    worker opens the source of its own deployments by itself.
    """

    @property
    def description(self) -> str:
        """Say where they are, without secrets."""

    def listed(self) -> Sequence[Deployment]:
        """List them all, in a lasting order.

        Raises:
            ConfigError: The list says what cannot be meant.
            SourceError: There is no such list, or it cannot be read.
        """

    def source(self, deployment: Deployment) -> MetricSource:
        """Open the series of one.

        Raises:
            ConfigError: The source is not fully described.
            SourceError: Its series cannot be read.
        """

    def own_config(self, deployment: Deployment) -> CanaryConfig | None:
        """Give the configuration that is kept with one; `None` where none is.

        Raises:
            ConfigError: What is kept is no configuration any more.
            SourceError: It cannot be read.
        """

    def config_text(self, deployment: Deployment) -> str | None:
        """Give what `own_config` reads, as YAML with its comments; `None` where nothing is kept.

        Raises:
            ConfigError: What is kept is no configuration any more.
            SourceError: It cannot be read.
        """
