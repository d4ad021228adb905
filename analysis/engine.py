"""The pipeline: requests, answers, samples, judgments, one verdict. No I/O of its own."""

from __future__ import annotations

import functools
import importlib.metadata
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

import judges
from analysis import scoring
from analysis.config import SIDES, CanaryConfig, Metric
from analysis.config.fields import format_duration
from analysis.config.load import digest
from analysis.planning import Variables, plan, plan_history, unique_requests
from analysis.report import AnalysisReport, MetricReport, Provenance
from analysis.samples import Gathered, gather
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
) -> AnalysisReport:
    """Judge one look at one rollout.

    The same configuration, window, variables and answers give the same report, byte for byte.

    Args:
        config: What to ask and how to judge.
        source: Where the series come from.
        window: The time to judge.
        variables: Values of each side, by side, over those of the configuration.
        progress: Told how many requests have been answered.

    Raises:
        ConfigError: A query cannot be rendered, or both sides ask the same.
        SourceError: No request could be answered.
    """
    asks = (*plan(config, window, variables), *plan_history(config, window, variables))
    answers = source.answer(unique_requests(asks), progress=progress)
    judged = _judge(config, gather(config, window, asks, answers), window)
    return _report(config, window, variables, judged)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Judged:
    """A metric judged, with what it was judged by."""

    gathered: Gathered
    judgment: Judgment

    @property
    def metric(self) -> Metric:
        return self.gathered.metric


def _judge(config: CanaryConfig, gathered: Sequence[Gathered], window: Window) -> list[_Judged]:
    """Judge what can be judged, all metrics together."""
    judged = {one.metric.name: judgment for one in gathered if (judgment := _invalid(one))}
    valid = [one for one in gathered if one.metric.name not in judged]
    samples = [one.sample for one in valid if one.sample is not None]
    found = judges.judge_many(judges_of(config, valid, window), samples)
    judged |= {
        one.metric.name: _with_notes(judgment, one.notes)
        for one, judgment in zip(valid, found, strict=True)
    }
    return [_Judged(gathered=one, judgment=judged[one.metric.name]) for one in gathered]


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
        warnings=_warnings(config, window),
        provenance=provenance_of(config, variables),
    )


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
    )


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
    return Provenance(
        version=_version("serinus"),
        libraries={name: _version(name) for name in ("numpy", "scipy")},
        config_digest=digest(config),
        variables={
            side: {name: str(value) for name, value in sorted(variables.get(side, {}).items())}
            for side in SIDES
        },
    )


@functools.cache  # a tenth of a short analysis otherwise
def _version(library: str) -> str:
    return importlib.metadata.version(library)
