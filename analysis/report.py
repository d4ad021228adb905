"""The result of an analysis: one object that every rendering reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analysis.guards import Finding
from analysis.limits import Limits
from analysis.planning import HISTORY
from analysis.retrospect import Trace
from analysis.scoring import Group
from analysis.sides import Distribution, PodSeries
from analysis.window import Window
from judges import Judgment, Verdict

# What programs may rely on; raised when a field changes its meaning or goes away.
SCHEMA = "v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedQuery:
    """A query as it was sent.

    Attributes:
        side: `baseline` or `canary`.
        role: What it is for: `query`, `events`, `total`, `numerator`, `denominator`, `buckets`;
            `history_query` and the like of the past before the window.
        kind: `range`, `samples` or `buckets`.
        query: PromQL, rendered.
        series: Number of series in the answer; `None` where there was none.
        error: Why there was no answer.
        source: Name of the source that was asked; empty where there is but one.
    """

    side: str
    role: str
    kind: str
    query: str
    series: int | None
    error: str | None = None
    source: str = ""

    @property
    def failed(self) -> bool:
        """Whether something to be judged has no answer; the past can be done without."""
        return self.error is not None and not self.role.startswith(HISTORY)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MetricReport:
    """One metric of an analysis.

    Attributes:
        name: Its name in the configuration.
        group: Its group in the score.
        critical: Whether a pass needs it.
        muted: Whether it has no say.
        weight: Its part of the score, a fraction.
        lost: Points it cost the score.
        judgment: What its judge said.
        findings: What speaks against the comparison, the gravest first.
        queries: What was asked.
        times: Ends of the judged steps, epoch seconds, shape (steps,).
        baseline: The baseline's level in each step, NaN where unknown, shape (steps,).
        canary: The canary's.
        pods: Number of pods seen on each side, by side.
        by_pod: The pods themselves, by side.
        distribution: What a histogram observed; `None` of anything else.
        limits: What the estimate is held against; `None` where there is none.
        trace: Evidence at earlier looks; `None` where it was not asked for, or does not gather.
    """

    name: str
    group: str
    critical: bool
    muted: bool
    weight: float
    lost: float
    judgment: Judgment
    findings: tuple[Finding, ...] = ()
    queries: tuple[AskedQuery, ...] = ()
    times: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    baseline: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    canary: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    pods: Mapping[str, int] = field(default_factory=dict)
    by_pod: Mapping[str, PodSeries] = field(default_factory=dict)
    distribution: Distribution | None = None
    limits: Limits | None = None
    trace: Trace | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What is needed to get the same result again.

    Attributes:
        version: Version of Serinus.
        libraries: Versions of the libraries that compute.
        config_digest: SHA-256 of the configuration's meaning.
        variables: Values of each side, by side; no secrets are among them.
    """

    version: str
    libraries: Mapping[str, str]
    config_digest: str
    variables: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AnalysisReport:
    """The result of one look at one rollout.

    Attributes:
        name: The configuration's name.
        verdict: Pass, fail or inconclusive.
        score: 0 to 100.
        summary: One sentence that says why.
        decided_by: Names of the metrics that decided.
        window: The time that was judged.
        planned_s: Planned length of the whole analysis, seconds.
        metrics: Every metric, in the order of the configuration.
        groups: Every group.
        false_fail: The rollout's budget of false fails.
        looks: `anytime` or `fixed`.
        log_e: Evidence of harm of the whole rollout.
        baseline_offset_s: By how many seconds the baseline was read earlier; 0 side by side.
        warnings: What a reader should know.
        provenance: How to get it again.
        trace: Evidence of harm of the whole rollout at earlier looks; `None` where it was not asked
            for, or does not gather.
        findings: What speaks against the rollout's comparisons as a whole.
    """

    name: str
    verdict: Verdict
    score: float
    summary: str
    decided_by: tuple[str, ...]
    window: Window
    planned_s: float
    metrics: tuple[MetricReport, ...]
    groups: tuple[Group, ...]
    false_fail: float
    looks: str
    log_e: float | None
    pass_score: float
    marginal_score: float
    warnings: tuple[str, ...]
    provenance: Provenance
    findings: tuple[Finding, ...] = ()
    trace: Trace | None = None
    baseline_offset_s: float = 0.0

    @property
    def source_errors(self) -> tuple[str, ...]:
        """Every distinct reason for which a query of what is judged had no answer."""
        return source_errors(metric.queries for metric in self.metrics)


def source_errors(queries: Iterable[Sequence[AskedQuery]]) -> tuple[str, ...]:
    """Give every distinct reason for which a query of what is judged had no answer."""
    failed = [query for of_metric in queries for query in of_metric if query.failed]
    return tuple(dict.fromkeys(query.error for query in failed if query.error is not None))
