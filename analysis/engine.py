"""The pipeline: requests, answers, samples, judgments, one verdict. No I/O of its own."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

import judges
from analysis import guards, pairing, scoring
from analysis.config import SIDES, CanaryConfig, Metric
from analysis.config.fields import format_duration
from analysis.config.load import digest
from analysis.errors import SourceError
from analysis.guards import Comparison, Finding
from analysis.pairing import CounterPair
from analysis.planning import Ask, Variables, compares, plan, unique_requests
from analysis.report import AnalysisReport, AskedQuery, MetricReport, Provenance
from analysis.sources.port import (
    Answer,
    Answers,
    MetricSource,
    Progress,
    Series,
    no_progress,
)
from analysis.window import Window
from judges import Judgment, Reason, Sample, Verdict
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
    asks = plan(config, window, variables)
    answers = source.answer(unique_requests(asks), progress=progress)
    judged = [_judge(config, metric, asks, answers, window) for metric in config.metrics]
    return _report(config, window, variables, judged)


# ---- what the answers say


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Judged:
    """A metric judged, with everything its report shows."""

    metric: Metric
    judgment: Judgment
    findings: tuple[Finding, ...]
    queries: tuple[AskedQuery, ...]
    sample: Sample | None


def _judge(
    config: CanaryConfig, metric: Metric, asks: Sequence[Ask], answers: Answers, window: Window
) -> _Judged:
    own = [ask for ask in asks if ask.metric == metric.name]
    queries = tuple(_asked(ask, answers[ask.request]) for ask in own)
    if errors := [query.error for query in queries if query.error]:
        judgment = _invalid(metric, Reason.SOURCE, f"no answer from the source: {errors[0]}")
        return _Judged(metric=metric, judgment=judgment, findings=(), queries=queries, sample=None)
    sample, notes = _sample(metric, own, answers, window)
    findings = guards.inspect(_comparison(metric, own, answers, sample))
    if findings:
        text = "; ".join(finding.summary for finding in findings)
        judgment = _invalid(metric, Reason.GUARD, text)
    else:
        notes += tuple(f"the source notes: {info}" for info in _said(own, answers, "infos"))
        judgment = _with_notes(_create(config, metric, window).judge(sample), notes)
    return _Judged(
        metric=metric, judgment=judgment, findings=findings, queries=queries, sample=sample
    )


def _asked(ask: Ask, answer: Answer | SourceError) -> AskedQuery:
    failed = isinstance(answer, SourceError)
    return AskedQuery(
        side=ask.side,
        role=ask.role,
        kind=str(ask.request.kind),
        query=ask.request.query,
        series=None if isinstance(answer, SourceError) else len(answer.series),
        error=str(answer) if failed else None,
    )


def _invalid(metric: Metric, reason: Reason, summary: str) -> Judgment:
    return Judgment(
        kind=metric.judge.kind, verdict=Verdict.INCONCLUSIVE, reason=reason, summary=summary
    )


def _with_notes(judgment: Judgment, notes: tuple[str, ...]) -> Judgment:
    return replace(judgment, warnings=judgment.warnings + notes) if notes else judgment


def _create(config: CanaryConfig, metric: Metric, window: Window) -> judges.Judge:
    """Make the metric's judge with its part of the rollout's risk."""
    budget = scoring.budgets(config.metrics, config.scoring)[metric.name] or 1.0
    planned = config.window.planned.total_seconds() - config.window.warmup.total_seconds()
    return metric.judge.create(
        alpha=config.risk.false_fail * budget,
        beta=config.risk.false_pass,
        looks=config.risk.looks.value,
        horizon=max(2, round(planned / window.step_s)),
    )


def _series(own: Sequence[Ask], answers: Answers, side: str) -> dict[str, tuple[Series, ...]]:
    found: dict[str, tuple[Series, ...]] = {}
    for ask in own:
        answer = answers[ask.request]
        if ask.side == side and isinstance(answer, Answer):
            found[ask.role] = answer.series
    return found


def _sample(
    metric: Metric, own: Sequence[Ask], answers: Answers, window: Window
) -> tuple[Sample, tuple[str, ...]]:
    edges = window.edges
    by_side = {side: _series(own, answers, side) for side in SIDES}
    if metric.query is not None:
        sides: list[Side] = [
            pairing.values_on_grid(by_side[side]["query"], edges) for side in SIDES
        ]
        return Sample(baseline=sides[0], canary=sides[1], step_s=window.step_s), ()
    pairs = [
        CounterPair(numerator=n, denominator=d) for n, d in (s.values() for s in by_side.values())
    ]
    begin, since = pairing.first_sample(*pairs), own[0].request.start
    ratios, intervals = zip(
        *(
            pairing.ratio_on_grid(pair, edges, since=since, begin=begin, pod_label=metric.pods)
            for pair in pairs
        ),
        strict=True,
    )
    sample = Sample(baseline=ratios[0], canary=ratios[1], step_s=window.step_s)
    return sample, _counter_notes(pairs, max(intervals), window)


def _counter_notes(
    pairs: Sequence[CounterPair], interval_s: float, window: Window
) -> tuple[str, ...]:
    notes = []
    if not any(pair.numerator for pair in pairs):
        notes.append(
            "the events' selector matched no series on either side: "
            "no event happened, or it is misspelt"
        )
    if interval_s > window.step_s * 1.01:
        notes.append(
            f"the step of {window.step_s:g} s is shorter than the scrape interval of "
            f"{interval_s:g} s; a step of two scrapes reads smoother"
        )
    return tuple(notes)


def _said(own: Sequence[Ask], answers: Answers, what: str) -> tuple[str, ...]:
    """Collect what the source said beside its answers: `warnings` or `infos`, each once."""
    said = (getattr(answers[ask.request], what, ()) for ask in own)
    return tuple(dict.fromkeys(text for texts in said for text in texts))


def _comparison(metric: Metric, own: Sequence[Ask], answers: Answers, sample: Sample) -> Comparison:
    series = {
        side: tuple(one for role in _series(own, answers, side).values() for one in role)
        for side in SIDES
    }
    return Comparison(
        sample=sample,
        baseline=series["baseline"],
        canary=series["canary"],
        warnings=_said(own, answers, "warnings"),
        needs_baseline=compares(metric),
    )


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
        provenance=_provenance(config, variables),
    )


def _metric_report(one: _Judged, score: scoring.Judged, window: Window) -> MetricReport:
    sample = one.sample
    return MetricReport(
        name=one.metric.name,
        group=one.metric.group,
        critical=one.metric.critical,
        muted=one.metric.muted,
        weight=score.weight,
        lost=score.lost,
        judgment=one.judgment,
        findings=one.findings,
        queries=one.queries,
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


def _provenance(config: CanaryConfig, variables: Variables) -> Provenance:
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
