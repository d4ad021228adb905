"""The pipeline: requests, answers, samples, judgments, one verdict. No I/O of its own."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

import judges
from analysis import scoring
from analysis.config import SIDES, CanaryConfig, Metric
from analysis.config.fields import format_duration
from analysis.config.load import digest
from analysis.guards import Finding, Severity
from analysis.limits import limits_of
from analysis.planning import (
    Variables,
    baseline_offset_s,
    plan_all,
    unique_requests,
)
from analysis.report import AnalysisReport, MetricReport, Provenance, source_errors
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
    prepared = prepare(config, source, window, variables, progress=progress)
    return conclude([prepared])[0].report(looks_back=looks_back)


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
    weight = weight_of(config, variables)
    asks = plan_all(config, window, variables)
    answers = source.answer(unique_requests(asks), progress=progress)
    gathered = gather(config, window, asks, answers, weight=weight)
    return Prepared(config=config, window=window, variables=variables, gathered=gathered)


def conclude(prepared: Sequence[Prepared]) -> list[Concluded]:
    """Judge looks, also of different rollouts, all metrics together; each as if it were alone."""
    valid = [[one for one in look.gathered if _invalid(one) is None] for look in prepared]
    rules = [
        rule
        for look, own in zip(prepared, valid, strict=True)
        for rule in judges_of(look.config, own, look.window)
    ]
    samples = [one.sample for own in valid for one in own if one.sample is not None]
    found = iter(zip(rules, judges.judge_many(rules, samples), strict=True))
    return [_concluded(look, [_judged(one, found) for one in look.gathered]) for look in prepared]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Concluded:
    """A look that was judged; the report is made when somebody wants to read it.

    Attributes:
        look: What was judged.
        judged: Its metrics with their judgments, in the order of the configuration.
        scored: The same as they count.
        decision: What follows.
    """

    look: Prepared
    judged: Sequence[_Judged]
    scored: Sequence[scoring.Judged]
    decision: scoring.Decision

    @property
    def source_errors(self) -> tuple[str, ...]:
        """Every distinct reason for which a query of what is judged had no answer."""
        return source_errors(one.queries for one in self.look.gathered)

    def report(self, *, looks_back: int = 0) -> AnalysisReport:
        """Write the report.

        Args:
            looks_back: At how many earlier looks the evidence is told as well; each costs a
                judgment of every metric.
        """
        look, decision, config = self.look, self.decision, self.look.config
        traces = self._traces(looks_back)
        parts = zip(self.judged, self.scored, traces, strict=True)
        return AnalysisReport(
            name=config.name,
            verdict=decision.verdict,
            score=decision.score,
            summary=decision.summary,
            decided_by=decision.decided_by,
            window=look.window,
            planned_s=config.window.planned.total_seconds(),
            metrics=tuple(_metric_report(*part, look.window) for part in parts),
            groups=decision.groups,
            false_fail=config.risk.false_fail,
            looks=str(config.risk.looks),
            log_e=decision.log_e,
            pass_score=config.scoring.pass_,
            marginal_score=config.scoring.marginal,
            baseline_offset_s=baseline_offset_s(config),
            findings=inspect_rollout(look.gathered, look.window),
            warnings=_warnings(config, look.window),
            provenance=provenance_of(config, look.variables),
            trace=_together(self.scored, traces),
        )

    def _traces(self, count: int) -> list[Trace | None]:
        """Judge every metric at earlier looks; `None` for one that has none."""
        own = [one for one in self.judged if count and one.rule and one.gathered.sample]
        rules = [one.rule for one in own if one.rule]
        samples = [one.gathered.sample for one in own if one.gathered.sample]
        found = iter(retrace(rules, samples, self.look.window.edges, count) if own else ())
        known = {one.metric.name for one in own}
        return [next(found) if one.metric.name in known else None for one in self.judged]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Judged:
    """A metric judged, with what it was judged by; without a rule where it could not be."""

    gathered: Gathered
    judgment: Judgment
    rule: judges.Judge | None = None

    @property
    def metric(self) -> Metric:
        return self.gathered.metric


def _judged(one: Gathered, found: Iterator[tuple[judges.Judge, Judgment]]) -> _Judged:
    """Take the next judgment for a metric, or say why it has none."""
    if invalid := _invalid(one):
        return _Judged(gathered=one, judgment=invalid)
    rule, judgment = next(found)
    judgment = _guarded(_with_notes(judgment, one.notes), one.findings)
    return _Judged(gathered=one, judgment=judgment, rule=rule)


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


def _concluded(look: Prepared, judged: Sequence[_Judged]) -> Concluded:
    config = look.config
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
    return Concluded(look=look, judged=judged, scored=scored, decision=decision)


def _together(scored: Sequence[scoring.Judged], traces: Sequence[Trace | None]) -> Trace | None:
    """Weigh what the metrics with a say in the verdict showed at earlier looks."""
    both = zip(scored, traces, strict=True)
    return together([(trace, one.budget) for one, trace in both if trace and one.budget > 0])


def _metric_report(
    one: _Judged, score: scoring.Judged, trace: Trace | None, window: Window
) -> MetricReport:
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
        limits=limits_of(one.rule, one.judgment) if one.rule else None,
        trace=trace,
    )


def _by_pod(gathered: Gathered) -> Mapping[str, PodSeries]:
    if (sample := gathered.sample) is None:
        return {}
    return {side: pods_of(getattr(sample, side), gathered.pods[side]) for side in SIDES}


def _pods(side: Side) -> int:
    return int(np.count_nonzero(np.isfinite(side.rows).any(axis=1)))


def _warnings(config: CanaryConfig, window: Window) -> tuple[str, ...]:
    planned, offset = config.window.planned, config.window.baseline_offset
    length = format_duration(planned)
    too_long = f"the window is longer than window.planned ({length}); evidence is tuned for that"
    warnings = (too_long,) if window.end - window.start > planned.total_seconds() * 1.01 else ()
    if offset is None:
        return warnings
    unpaired = (
        f"unpaired: the baseline was read {format_duration(offset)} before the canary; whatever "
        f"else changed meanwhile is part of the difference, and no error rate covers it"
    )
    return (unpaired, *warnings)


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


@cache  # it reads a file, and a replay asks for every look
def _version(name: str) -> str:
    return importlib.metadata.version(name)
