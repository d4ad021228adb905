"""The pipeline: requests, answers, samples, judgments, one verdict. No I/O of its own."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

import judges
from analysis import scoring
from analysis.config import SIDES, CanaryConfig, Metric
from analysis.config.fields import format_duration
from analysis.config.load import digest
from analysis.guards import Finding, Severity
from analysis.limits import Limits, limits_of
from analysis.planning import Variables, plan, plan_history, unique_requests
from analysis.report import AnalysisReport, MetricReport, Provenance
from analysis.retrospect import Trace, retrace, together
from analysis.samples import Gathered, gather, inspect_rollout, weight_of
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
    weight = weight_of(config, variables)
    asks = (*plan(config, window, variables), *plan_history(config, window, variables))
    answers = source.answer(unique_requests(asks), progress=progress)
    gathered = gather(config, window, asks, answers, weight=weight)
    judged = _judge(config, gathered, window, looks_back)
    return _report(config, window, variables, judged)


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


def _judge(
    config: CanaryConfig, gathered: Sequence[Gathered], window: Window, looks_back: int
) -> list[_Judged]:
    """Judge what can be judged, all metrics together."""
    found = {
        one.metric.name: _Judged(gathered=one, judgment=judgment)
        for one in gathered
        if (judgment := _invalid(one))
    }
    valid = [one for one in gathered if one.metric.name not in found]
    samples = [one.sample for one in valid if one.sample is not None]
    rules = judges_of(config, valid, window)
    judgments = judges.judge_many(rules, samples)
    traces = (
        retrace(rules, samples, window.edges, looks_back) if looks_back else [None] * len(rules)
    )
    found |= {
        one.metric.name: _Judged(
            gathered=one,
            judgment=_guarded(_with_notes(judgment, one.notes), one.findings),
            limits=limits_of(rule, judgment),
            trace=trace,
        )
        for one, rule, judgment, trace in zip(valid, rules, judgments, traces, strict=True)
    }
    return [found[one.metric.name] for one in gathered]


def _invalid(one: Gathered) -> Judgment | None:
    """Give the judgment of a metric that has no answer, or whose comparison would be worthless."""
    if one.error:
        reason, text = Reason.SOURCE, f"no answer from the source: {one.error}"
    elif not one.is_valid:
        reason, text = Reason.GUARD, _told(one.findings, Severity.INVALID)
    else:
        return None
    return Judgment(
        kind=one.metric.judge.kind, verdict=Verdict.INCONCLUSIVE, reason=reason, summary=text
    )


def _with_notes(judgment: Judgment, notes: tuple[str, ...]) -> Judgment:
    return replace(judgment, warnings=judgment.warnings + notes) if notes else judgment


def _guarded(judgment: Judgment, findings: Sequence[Finding]) -> Judgment:
    """Withhold a pass that a guard does not believe; a fail stands, as does the evidence for it."""
    against = _told(findings, Severity.WITHHELD)
    if not against or judgment.verdict is Verdict.FAIL:
        return judgment
    return replace(
        judgment,
        verdict=Verdict.INCONCLUSIVE,
        reason=Reason.GUARD,
        summary=f"{against}; what was seen: {judgment.summary}",
    )


def _told(findings: Sequence[Finding], severity: Severity) -> str:
    return "; ".join(one.summary for one in findings if one.severity is severity)


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


def _report(
    config: CanaryConfig, window: Window, variables: Variables, judged: Sequence[_Judged]
) -> AnalysisReport:
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
        findings=inspect_rollout([one.gathered for one in judged], window),
        warnings=_warnings(config, window),
        provenance=provenance_of(config, variables),
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
