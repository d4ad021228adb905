"""What a worker does with a chunk: every variant at every deployment, each series read once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from analysis.config import CanaryConfig, Metric
from analysis.engine import Prepared, prepare
from analysis.errors import SerinusError
from analysis.past.deployment import Deployment, Deployments, Truth
from analysis.past.looks import Case, Schedule, judge_deployments, window_of
from analysis.past.tuning.harm import Harm, harmed, shortened
from analysis.planning import Variables
from analysis.sources.port import MetricSource
from analysis.window import Window
from judges import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What became of one deployment under every variant.

    Attributes:
        deployment: Which; a harmed copy is bad.
        harm: What was put into it; `None` for the deployment itself.
        verdicts: Under each variant; `None` where it could not be judged.
        decided_s: Seconds from the start until the verdict fell, under each variant.
        by: Names of the metrics that decided, under each variant.
    """

    deployment: Deployment
    harm: Harm | None
    verdicts: tuple[Verdict | None, ...]
    decided_s: tuple[float, ...]
    by: tuple[tuple[str, ...], ...]

    @property
    def original(self) -> str:
        """The name of the deployment that was there; that of a copy says what was put in."""
        name = self.deployment.id
        return name if self.harm is None else name.removesuffix(f", {self.harm}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """Judges chunks of deployments by every variant; small to pickle.

    Attributes:
        deployments: Where they are read.
        schedule: When they are looked at.
        configs: Each variant's configuration.
        harms: What is put into copies of deployments that are not known to be bad.
    """

    deployments: Deployments
    schedule: Schedule
    configs: tuple[CanaryConfig, ...]
    harms: tuple[Harm, ...] = ()

    def __call__(self, chunk: Sequence[Deployment]) -> list[Trial]:
        """Give the trial of each deployment and of its harmed copies."""
        return [trial for one in chunk for trial in self._of(one)]

    def _of(self, one: Deployment) -> list[Trial]:
        try:
            source = self.deployments.source(one)
        except SerinusError:
            return [self.unread(one)]
        reader = _Reader(deployment=one)
        wanted: list[Harm | None] = [None]
        if one.truth is not Truth.BAD:
            wanted += self.harms
        return [self._judged(one, harm, source, reader) for harm in wanted]

    def _watched(self, one: Deployment, config: CanaryConfig) -> Deployment:
        """End a deployment where a variant that plans less would have ended it."""
        planned = config.window.planned
        if planned >= self.configs[0].window.planned:
            return one
        return replace(one, end=min(one.end, one.start + planned))

    def unread(self, one: Deployment) -> Trial:
        """Stand for a deployment whose series cannot be read."""
        nothing = len(self.configs)
        return Trial(
            deployment=one,
            harm=None,
            verdicts=(None,) * nothing,
            decided_s=(0.0,) * nothing,
            by=((),) * nothing,
        )

    def _judged(
        self, one: Deployment, harm: Harm | None, source: MetricSource, reader: _Reader
    ) -> Trial:
        shown = one if harm is None else replace(one, id=f"{one.id}, {harm}", truth=Truth.BAD)
        cases = [
            Case(deployment=self._watched(one, config), config=config, source=source)
            for config in self.configs
        ]
        outcomes = judge_deployments(cases, self.schedule, prepare=reader.with_harm(harm))
        reports = [outcome.report for outcome in outcomes]
        return Trial(
            deployment=shown,
            harm=harm,
            verdicts=tuple(report.verdict if report else None for report in reports),
            decided_s=tuple((out.decided_at - one.start).total_seconds() for out in outcomes),
            by=tuple(report.decided_by if report else () for report in reports),
        )


# What a question to the source depends on, besides the source.
_Asked = tuple[Window, str]


@dataclass(slots=True, kw_only=True)
class _Reader:
    """Reads each look of a deployment once, whichever variant asks for it."""

    deployment: Deployment
    _read: dict[_Asked, Prepared | SerinusError] = field(default_factory=dict)
    _harm: Harm | None = None

    def with_harm(self, harm: Harm | None) -> _Reader:
        """Read the same, with harm in it."""
        return replace(self, _harm=harm)

    def __call__(
        self, config: CanaryConfig, source: MetricSource, window: Window, variables: Variables
    ) -> Prepared:
        """Give a look as a variant sees it; errors as `prepare` raises them."""
        found = self._once(config, source, window, variables)
        if self._harm is not None:
            last = window_of(self.deployment, config, self.deployment.end + config.lag)
            whole = harmed(
                self._once(config, source, last, variables), self._harm, self.deployment.id
            )
            found = shortened(found, whole, self._harm)
        return _as_seen(found, config)

    def _once(
        self, config: CanaryConfig, source: MetricSource, window: Window, variables: Variables
    ) -> Prepared:
        asked = (window, str(config.window))
        if asked not in self._read:
            try:
                self._read[asked] = prepare(config, source, window, variables)
            except SerinusError as error:
                self._read[asked] = error
        found = self._read[asked]
        if isinstance(found, SerinusError):
            raise found
        return found


def _as_seen(read: Prepared, config: CanaryConfig) -> Prepared:
    """Give what was read under one variant to another: they differ in how they judge alone."""
    by_name: Mapping[str, Metric] = {metric.name: metric for metric in config.metrics}
    gathered = [replace(one, metric=by_name[one.metric.name]) for one in read.gathered]
    return replace(read, config=config, gathered=gathered)
