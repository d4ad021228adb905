"""What a worker does with a chunk of deployments: open, judge, write down, and never stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.config import CanaryConfig
from analysis.config.load import digest
from analysis.errors import ConfigError, SerinusError, TooEarlyError
from analysis.past.deployment import Deployment, Deployments
from analysis.past.looks import Case, Schedule, judge_deployments, window_of
from analysis.past.reading import read_once
from analysis.past.rows import Question, Row, code_of, row_of, row_of_error
from analysis.sources.port import MetricSource
from analysis.sources.recording import Recording

NO_CONFIG = "nothing is kept that it was judged with; give --config CONFIG"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Judges chunks of deployments; small to pickle, and the same wherever it runs.

    Attributes:
        deployments: Where they are read.
        schedule: When they are looked at.
        config: How they are judged; `None` for the configuration that is kept with each.
    """

    deployments: Deployments
    schedule: Schedule
    config: CanaryConfig | None = None

    def __call__(self, chunk: Sequence[Deployment]) -> list[Row]:
        """Give the row of each deployment; what fails says why in its own."""
        rows: dict[str, Row] = {}
        cases: list[Case] = []
        for deployment in chunk:
            try:
                cases.append(self._case(deployment))
            except SerinusError as error:
                question = self.question(deployment)
                rows[deployment.id] = row_of_error(question, str(error), code_of(error))
            except Exception as error:  # noqa: BLE001 - one deployment may not stop the others
                rows[deployment.id] = self._bug(deployment, error)
        rows |= self._judged(cases)
        return [rows[deployment.id] for deployment in chunk]

    def keys(self, deployments: Sequence[Deployment]) -> list[str]:
        """Give the key of each deployment's row."""
        return [self.question(deployment).key for deployment in deployments]

    def question(self, deployment: Deployment) -> Question:
        """Say what is asked about a deployment."""
        try:
            config_digest = digest(self.config_of(deployment))
        except SerinusError:
            config_digest = ""
        return Question(deployment=deployment, config_digest=config_digest, schedule=self.schedule)

    def config_of(self, deployment: Deployment) -> CanaryConfig:
        """Give the configuration to judge a deployment with.

        Raises:
            ConfigError: There is none, or what is kept is none.
            SourceError: It cannot be read.
        """
        config = self.config or self.deployments.own_config(deployment)
        if config is None:
            raise ConfigError(NO_CONFIG, origin=deployment.id)
        return config

    def _case(self, deployment: Deployment) -> Case:
        config, source = self.config_of(deployment), self.deployments.source(deployment)
        if self.schedule.every is not None and not isinstance(source, Recording):
            source = _whole(config, source, deployment)
        return Case(deployment=deployment, config=config, source=source)

    def _judged(self, cases: Sequence[Case]) -> dict[str, Row]:
        try:
            outcomes = judge_deployments(cases, self.schedule)
        except Exception as error:  # noqa: BLE001 - a bug of ours: find whose data meet it
            if len(cases) > 1:
                return {name: row for one in cases for name, row in self._judged([one]).items()}
            only = cases[0].deployment
            return {only.id: self._bug(only, error)}
        return {
            case.deployment.id: row_of(self._question(case), outcome)
            for case, outcome in zip(cases, outcomes, strict=True)
        }

    def _question(self, case: Case) -> Question:
        return Question(
            deployment=case.deployment,
            config_digest=digest(case.config),
            schedule=self.schedule,
        )

    def _bug(self, deployment: Deployment, error: Exception) -> Row:
        text = f"a bug in Serinus, please report it: {type(error).__name__}: {error}"
        return row_of_error(self.question(deployment), text, "bug")


def _whole(config: CanaryConfig, server: MetricSource, deployment: Deployment) -> MetricSource:
    last = deployment.end + config.lag
    try:
        window = window_of(deployment, config, last)
    except TooEarlyError:
        return server  # no look will ask for anything
    return read_once(config, server, deployment, window)
