"""The pipeline: requests, answers, samples, judgments, one verdict. No I/O of its own."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

import judges
from analysis import scoring
from analysis.config import SIDES, CanaryConfig, Metric
from analysis.config.fields import format_duration
from analysis.config.load import digest
from analysis.limits import Limits, limits_of
from analysis.planning import Variables, plan, plan_history, unique_requests
from analysis.report import AnalysisReport, MetricReport, Provenance
from analysis.retrospect import Trace, retrace, together
from analysis.samples import Gathered, gather
from analysis.sides import PodSeries, distribution_of, pods_of
from analysis.sources.port import (
    MetricSource,
    Progress,
    no_progress,
)
from analysis.window import Window
from judges import Judgment, Reason, Verdict
from judges.core.sample import Side


def analyze(
    config: CanaryConfig,
    source: MetricSource,
    window: Window,
    variables: Variables,
    *,
    progress: Progress = no_progress,
    looks_back: int = 0,
) -> AnalysisReport:
    """Judge one look at one rollout.

    The same configuration, window, variables and answers give the same report, byte for byte.

    Args:
        config: What to ask and how to judge.
        source: Where the series come from.
        window: The time to judge.
        variables: Values of each side, by side, over those of the configuration.
        progress: Told how many requests have been answered.
        looks_back: At how many earlier looks the evidence is told as well; each costs a judgment of
            every metric.

    Raises:
        ConfigError: A query cannot be rendered, or both sides ask the same.
        SourceError: No request could be answered.
    """
    prepared = prepare(config, source, window, variables, progress=progress)
    return conclude([prepared], looks_back=looks_back)[0]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """A look whose series have been read, ready to be judged.

    Attributes:
        config: How to judge.
        window: The time to judge.
        variables: Values of each side, by side, over those of the configuration.
        gathered: What the queries of each metric brought.
    """

    config: CanaryConfig
    window: Window
    variables: Variables
    gathered: Sequence[Gathered]


def prepare(
    config: CanaryConfig,
    source: MetricSource,
    window: Window,
    variables: Variables,
    *,
    progress: Progress = no_progress,
) -> Prepared:
    """Ask for all that one look needs, and lay it on the grid; the first half of `analyze`.

    Raises:
        ConfigError: A query cannot be rendered, or both sides ask the same.
        SourceError: No request could be answered.
    """
    asks = (*plan(config, window, variables), *plan_history(config, window, variables))
    answers = source.answer(unique_requests(asks), progress=progress)
    gathered = gather(config, window, asks, answers)
    return Prepared(config=config, window=window, variables=variables, gathered=gathered)


def conclude(prepared: Sequence[Prepared], *, looks_back: int = 0) -> list[AnalysisReport]:
    """Judge looks, also of different rollouts, all metrics together; each as if it were alone.

    Args:
        prepared: The looks.
        looks_back: At how many earlier looks the evidence is told as well.
    """
    valid = [[one for one in look.gathered if _invalid(one) is None] for look in prepared]
    rules = [
        judges_of(look.config, own, look.window) for look, own in zip(prepared, valid, strict=True)
    ]
    samples = [[one.sample for one in own if one.sample is not None] for own in valid]
    judgments = iter(judges.judge_many([*chain(*rules)], [*chain(*samples)]))
    reports = []
    for look, own, sample in zip(prepared, rules, samples, strict=True):
        edges = look.window.edges
        traces = retrace(own, sample, edges, looks_back) if looks_back else [None] * len(own)
        reports.append(_report(look, list(_judged(look, own, traces, judgments))))
    return reports


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Judged:
    """A metric judged, with what it was judged by."""

    gathered: Gathered
    judgment: Judgment
    limits: Limits | None = None
    trace: Trace | None = None

    @property
    def metric(self) -> Metric:
        return self.gathered.metric


def _judged(
    look: Prepared,
    rules: Sequence[judges.Judge],
    traces: Sequence[Trace | None],
    judgments: Iterator[Judgment],
) -> Iterator[_Judged]:
    """Give every metric with its judgment, or with why it has none."""
    own = iter(zip(rules, traces, strict=True))
    for one in look.gathered:
        if invalid := _invalid(one):
            yield _Judged(gathered=one, judgment=invalid)
            continue
        (rule, trace), judgment = next(own), next(judgments)
        yield _Judged(
            gathered=one,
            judgment=_with_notes(judgment, one.notes),
            limits=limits_of(rule, judgment),
            trace=trace,
        )


def _invalid(one: Gathered) -> Judgment | None:
    """Give the judgment of a metric that has no answer, or whose comparison would be worthless."""
    if one.error:
        reason, text = Reason.SOURCE, f"no answer from the source: {one.error}"
    elif one.findings:
        reason, text = Reason.GUARD, "; ".join(finding.summary for finding in one.findings)
    else:
        return None
    return Judgment(
        kind=one.metric.judge.kind, verdict=Verdict.INCONCLUSIVE, reason=reason, summary=text
    )


def _with_notes(judgment: Judgment, notes: tuple[str, ...]) -> Judgment:
    return replace(judgment, warnings=judgment.warnings + notes) if notes else judgment


def judges_of(
    config: CanaryConfig, gathered: Sequence[Gathered], window: Window
) -> list[judges.Judge]:
    """Make each metric's judge with its part of the rollout's risk."""
    budgets = scoring.budgets(config.metrics, config.scoring)
    planned = config.window.planned.total_seconds() - config.window.warmup.total_seconds()
    return [
        one.metric.judge.create(
            alpha=config.risk.false_fail * (budgets[one.metric.name] or 1.0),
            beta=config.risk.false_pass,
            looks=config.risk.looks.value,
            horizon=max(2, round(planned / window.step_s)),
        )
        for one in gathered
    ]


def _report(look: Prepared, judged: Sequence[_Judged]) -> AnalysisReport:
    config, window = look.config, look.window
    parts = scoring.weights(config.metrics, config.scoring)
    shares = scoring.budgets(config.metrics, config.scoring)
    scored = [
        scoring.Judged(
            metric=one.metric,
            judgment=one.judgment,
            weight=parts[one.metric.name],
            budget=shares[one.metric.name],
        )
        for one in judged
    ]
    decision = scoring.decide(scored, config.risk, config.scoring)
    return AnalysisReport(
        name=config.name,
        verdict=decision.verdict,
        score=decision.score,
        summary=decision.summary,
        decided_by=decision.decided_by,
        window=window,
        planned_s=config.window.planned.total_seconds(),
        metrics=tuple(
            _metric_report(one, score, window) for one, score in zip(judged, scored, strict=True)
        ),
        groups=decision.groups,
        false_fail=config.risk.false_fail,
        looks=str(config.risk.looks),
        log_e=decision.log_e,
        pass_score=config.scoring.pass_,
        marginal_score=config.scoring.marginal,
        warnings=_warnings(config, window),
        provenance=provenance_of(config, look.variables),
        trace=_trace(judged, shares),
    )


def _trace(judged: Sequence[_Judged], shares: Mapping[str, float]) -> Trace | None:
    """Weigh what the metrics with a say in the verdict showed at earlier looks."""
    traced = [(one.trace, shares[one.metric.name]) for one in judged if one.trace is not None]
    return together([(trace, share) for trace, share in traced if share > 0])


def _metric_report(one: _Judged, score: scoring.Judged, window: Window) -> MetricReport:
    sample = one.gathered.sample
    return MetricReport(
        name=one.metric.name,
        group=one.metric.group,
        critical=one.metric.critical,
        muted=one.metric.muted,
        weight=score.weight,
        lost=score.lost,
        judgment=one.judgment,
        findings=one.gathered.findings,
        queries=one.gathered.queries,
        times=window.edges[1:],
        baseline=sample.baseline.series() if sample else np.empty(0),
        canary=sample.canary.series() if sample else np.empty(0),
        pods={} if sample is None else {s: _pods(getattr(sample, s)) for s in SIDES},
        by_pod=_by_pod(one.gathered),
        distribution=None if sample is None else distribution_of(sample),
        limits=one.limits,
        trace=one.trace,
    )


def _by_pod(gathered: Gathered) -> Mapping[str, PodSeries]:
    if (sample := gathered.sample) is None:
        return {}
    return {side: pods_of(getattr(sample, side), gathered.pods[side]) for side in SIDES}


def _pods(side: Side) -> int:
    return int(np.count_nonzero(np.isfinite(side.rows).any(axis=1)))


def _warnings(config: CanaryConfig, window: Window) -> tuple[str, ...]:
    planned = config.window.planned
    if window.end - window.start > planned.total_seconds() * 1.01:
        length = format_duration(planned)
        return (f"the window is longer than window.planned ({length}); evidence is tuned for that",)
    return ()


def provenance_of(config: CanaryConfig, variables: Variables) -> Provenance:
    """Say what is needed to get the same result again."""
    version = importlib.metadata.version
    return Provenance(
        version=version("serinus"),
        libraries={name: version(name) for name in ("numpy", "scipy")},
        config_digest=digest(config),
        variables={
            side: {name: str(value) for name, value in sorted(variables.get(side, {}).items())}
            for side in SIDES
        },
    )
