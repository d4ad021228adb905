"""A list of deployments, CSV or Parquet, whose series a Prometheus still holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from analysis.config import CanaryConfig
from analysis.past.deployment import Deployment
from analysis.past.tables import read_deployments
from analysis.sources.connect import named_variables, open_source
from analysis.sources.port import MetricSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A Prometheus and what is needed to speak to it, wherever the work runs.

    Attributes:
        config: What describes it.
        url: Its address from the command line; wins over the configuration.
        environment: The values and secrets that its sources name, and no others.
    """

    config: CanaryConfig
    url: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, config: CanaryConfig, url: str | None, environment: Mapping[str, str]) -> Server:
        """Take what the configuration's sources name out of an environment."""
        names = sorted(named_variables(config))
        kept = {name: environment[name] for name in names if name in environment}
        return cls(config=config, url=url, environment=kept)

    def source(self) -> MetricSource:
        """Make the source.

        Raises:
            ConfigError: There is no address, or a variable or file does not exist.
        """
        return open_source(self.config, self.url, self.environment)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedDeployments:
    """A list and the server that is asked.

    Attributes:
        path: The list.
        server: Who has the series.
    """

    path: Path
    server: Server

    @property
    def description(self) -> str:
        """Say where the list is, and who is asked."""
        return f"{self.path}, asked of {self.server.source().description}"

    def listed(self) -> Sequence[Deployment]:
        """Read the list.

        Raises:
            ConfigError: It cannot be read, or says what cannot be meant.
        """
        return read_deployments(self.path)

    def source(self, deployment: Deployment) -> MetricSource:  # noqa: ARG002 - one server has all
        """Connect to the server.

        Raises:
            ConfigError: The server is not fully described.
        """
        return self.server.source()

    def own_config(self, deployment: Deployment) -> None:  # noqa: ARG002 - a list holds none
        """Give nothing: a list keeps no configurations."""
        return

    def config_text(self, deployment: Deployment) -> None:  # noqa: ARG002 - a list holds none
        """Give nothing: a list keeps no configurations."""
        return
