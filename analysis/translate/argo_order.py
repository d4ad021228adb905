"""What is to be written for Argo Rollouts, and how long it asks."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from analysis.config import CanaryConfig
from analysis.translate.needs import Values

# The last look of the service comes up to three minutes after the planned end; the rest is for
# outages, of which Argo's limit of errors bears five minutes.
AFTER_PLANNED = timedelta(minutes=10)
FIRST_SCRAPES = timedelta(minutes=1)
# Where the shipped manifests expect everything.
SERVICE, PROMETHEUS = "http://serinus.serinus.svc:8080", "http://prometheus.monitoring.svc:9090"
SECRET = "serinus-token"  # noqa: S105 - the name of a Secret


class Template(StrEnum):
    """How the verdict is asked for."""

    POLL = "poll"
    SYNC = "sync"
    KAYENTA = "kayenta"
    JOB = "job"


class Strategy(StrEnum):
    """How the Rollout shifts its traffic."""

    CANARY = "canary"
    BLUEGREEN = "bluegreen"
    EXPERIMENT = "experiment"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgoOrder:
    """What is to be written.

    Attributes:
        config_name: What the service calls the configuration.
        template: How the verdict is asked for.
        strategy: Which Rollout to write beside it; `None` for none.
        url: Where the service is.
        prometheus: Where Prometheus is, for a Job.
        namespace: Of the template; `None` for one of the whole cluster.
        secret: Secret that holds the service's token, under the key `token`.
        image: Image of a Job.
        interval: Distance of two questions.
        values: Values that are known already: `shared`, and by side.
    """

    config_name: str
    template: Template = Template.POLL
    strategy: Strategy | None = Strategy.CANARY
    url: str = SERVICE
    prometheus: str = PROMETHEUS
    namespace: str | None = None
    secret: str = SECRET
    image: str | None = None
    interval: timedelta = timedelta(seconds=30)
    values: Values = field(default_factory=dict)

    def questions(self, config: CanaryConfig) -> int:
        """Give how often is asked, so that the verdict of the planned end is heard."""
        return math.ceil((config.window.planned + AFTER_PLANNED) / self.interval)

    def lasts(self, config: CanaryConfig) -> timedelta:
        """Give how long an analysis may take that nothing ends early."""
        if self.template is Template.POLL:
            return FIRST_SCRAPES + self.questions(config) * self.interval
        return FIRST_SCRAPES + config.window.planned
