"""From answers to samples: what a metric's series come to on the grid.

No verdict is reached here; a comparison that would be worthless says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from analysis import guards, histograms, pairing
from analysis.config import SIDES, CanaryConfig, Metric
from analysis.errors import SourceError
from analysis.expressions import left_of
from analysis.guards import Comparison, Finding, Rollout, Severity, Weight
from analysis.pairing import CounterPair, Roles
from analysis.planning import (
    EVENTS,
    HISTORY,
    WEIGHT,
    Ask,
    Variables,
    asked_from,
    baseline_offset_s,
    compares,
    learns,
    past_of,
    tells_pods,
)
from analysis.report import AskedQuery
from analysis.sides import pod_names
from analysis.sources.port import Answer, Answers, Series
from analysis.weights import observed
from analysis.window import Window
from judges import Sample

Told = tuple[Ask, Answer | SourceError]  # what was asked, and what the source said to it


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gathered:
    """What a metric's queries brought.

    Attributes:
        metric: The metric.
        queries: Its queries, and how each was answered.
        sample: Both sides on the grid; `None` where a query failed.
        pods: Names of the sample's rows, by side.
        notes: Remarks that a reader of the judgment should know.
        findings: What speaks against the comparison.
        comparison: What the guards looked at; `None` where a query failed.
    """

    metric: Metric
    queries: tuple[AskedQuery, ...]
    sample: Sample | None = None
    pods: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    comparison: Comparison | None = None

    @property
    def is_valid(self) -> bool:
        """Whether there is anything to judge."""
        return all(finding.severity is not Severity.INVALID for finding in self.findings)

    @property
    def error(self) -> str | None:
        """What the source said instead of an answer."""
        return next((query.error for query in self.queries if query.failed), None)


def weight_of(config: CanaryConfig, variables: Variables) -> Weight | None:
    """Give the configured part of the canary; `None` where it is observed or nobody said.

    Raises:
        ConfigError: A variable that should hold it has no value, or one that is no weight.
    """
    if config.traffic is None:
        return None
    side = SIDES[1]
    share = config.traffic.share({**config.side_variables(side), **variables.get(side, {})})
    return None if share is None else Weight.constant(share, tolerance=config.traffic.tolerance)


def gather(
    config: CanaryConfig,
    window: Window,
    asks: Sequence[Ask],
    answers: Answers,
    *,
    weight: Weight | None = None,
) -> list[Gathered]:
    """Lay every metric's series on the grid of the window and inspect them.

    Args:
        config: Whose metrics.
        window: The time to judge.
        asks: What was asked, as `planning.plan` and `planning.plan_history` give it.
        answers: What was answered.
        weight: What the requests of both sides are held against, unless an answer tells it.
    """
    if offset_s := baseline_offset_s(config):
        answers = _moved(asks, answers, offset_s)
    by_metric: dict[str, list[Told]] = {metric.name: [] for metric in config.metrics}
    for ask in asks:
        answer = answers[ask.request]
        if ask.role == WEIGHT and config.traffic is not None:
            weight = observed(config.traffic, answer, window)
        else:
            by_metric[ask.metric].append((ask, answer))
    look = _Look(window=window, is_paired=not offset_s, weight=weight)
    gathered = [_gathered(one, by_metric[one.name], look) for one in config.metrics]
    past = past_of(config, window)
    if past is None:
        return gathered
    return [_with_history(one, by_metric[one.metric.name], past) for one in gathered]


def _moved(asks: Sequence[Ask], answers: Answers, offset_s: float) -> Answers:
    """Lay what the baseline answered of an earlier time on the canary's."""
    moved = dict(answers)
    for request in {a.request for a in asks if a.side == SIDES[0] and not a.is_history}:
        answer = answers[request]
        if isinstance(answer, Answer):
            later = (replace(one, times=one.times + offset_s) for one in answer.series)
            moved[request] = replace(answer, series=tuple(later))
    return moved


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Look:
    """What all metrics of a look have in common."""

    window: Window
    is_paired: bool
    weight: Weight | None


def _gathered(metric: Metric, told: Sequence[Told], look: _Look) -> Gathered:
    queries = tuple(_asked(*one) for one in told)
    if any(query.failed for query in queries):
        return Gathered(metric=metric, queries=queries)
    own = [(ask, answer) for ask, answer in told if not ask.is_history]
    by_side = {side: _series(own, side) for side in SIDES}
    # A baseline of an earlier time was asked for earlier; it has been moved to the canary's.
    since = max(ask.request.start for ask, _ in own)
    sampled = _laid(metric, (by_side[SIDES[0]], by_side[SIDES[1]]), since, look.window)
    comparison = _comparison(metric, own, by_side, sampled, look)
    infos = tuple(f"the source notes: {info}" for info in _said(own, "infos"))
    return Gathered(
        metric=metric,
        queries=queries,
        sample=sampled.sample,
        pods={
            side: pod_names(metric, roles, len(getattr(sampled.sample, side).rows))
            for side, roles in by_side.items()
        },
        notes=sampled.notes + infos,
        findings=guards.inspect(comparison),
        comparison=comparison,
    )


def inspect_rollout(gathered: Sequence[Gathered], window: Window) -> tuple[Finding, ...]:
    """Say what speaks against the comparisons of a rollout as a whole."""
    comparisons = {
        one.metric.name: one.comparison for one in gathered if one.comparison is not None
    }
    return guards.inspect_rollout(
        Rollout(comparisons=comparisons, since=asked_from(window), begin=float(window.edges[0]))
    )


def _with_history(one: Gathered, told: Sequence[Told], past: Window) -> Gathered:
    """Add the baseline's past to a sample; where it cannot be had, a note says why."""
    if one.sample is None or not learns(one.metric):
        return one
    found = _history(one.metric, [own for own in told if own[0].is_history], past)
    if isinstance(found, str):
        return replace(one, notes=(*one.notes, f"judged without window.history: {found}"))
    return replace(one, sample=replace(one.sample, history=found))


def _history(metric: Metric, told: Sequence[Told], past: Window) -> Sample | str | None:
    """Compare two groups of the baseline's pods before the window, or say why that cannot be."""
    if not tells_pods(metric):
        return "the metric has no pods label, by which the baseline could be divided in two"
    if not told:
        return None
    failed = [str(answer) for _, answer in told if isinstance(answer, SourceError)]
    if refused := (*failed, *_said(told, "warnings")):
        return refused[0]
    series = _series(told, SIDES[0])
    roles = {role.removeprefix(HISTORY): found for role, found in series.items()}
    groups = pairing.halves(roles, pod_label=None if metric.query is not None else metric.pods)
    if groups is None:
        return "it shows fewer than two pods of the baseline, to be divided in two groups"
    laid = _laid(metric, groups, told[0][0].request.start, past)
    return laid.edges.summary if laid.edges is not None else laid.sample


def _asked(ask: Ask, answer: Answer | SourceError) -> AskedQuery:
    failed = isinstance(answer, SourceError)
    return AskedQuery(
        side=ask.side,
        role=ask.role,
        kind=str(ask.request.kind),
        query=ask.request.query,
        series=None if isinstance(answer, SourceError) else len(answer.series),
        error=str(answer) if failed else None,
        source=ask.request.source,
    )


def _series(told: Sequence[Told], side: str) -> dict[str, tuple[Series, ...]]:
    return {
        ask.role: answer.series
        for ask, answer in told
        if ask.side == side and isinstance(answer, Answer)
    }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sampled:
    """What came of a metric's series: a sample, remarks on it, and what speaks against it."""

    sample: Sample
    notes: tuple[str, ...] = ()
    edges: Finding | None = None


def _laid(metric: Metric, by_side: tuple[Roles, Roles], since: float, window: Window) -> _Sampled:
    match metric.input_key:
        case "query":
            return _of_values([side["query"] for side in by_side], window)
        case "histogram":
            return _of_buckets([side["buckets"] for side in by_side], since, metric, window)
        case _:
            pairs = [
                CounterPair(numerator=tuple(n), denominator=tuple(d))
                for n, d in (side.values() for side in by_side)
            ]
            return _of_counters(pairs, since, metric, window)


def _of_values(sides: Sequence[Sequence[Series]], window: Window) -> _Sampled:
    baseline, canary = (pairing.values_on_grid(series, window.edges) for series in sides)
    return _Sampled(sample=Sample(baseline=baseline, canary=canary, step_s=window.step_s))


def _of_counters(
    pairs: Sequence[CounterPair], since: float, metric: Metric, window: Window
) -> _Sampled:
    begin = pairing.first_sample(*(pair.series for pair in pairs))
    (baseline, one_s), (canary, other_s) = (
        pairing.ratio_on_grid(pair, window.edges, since=since, begin=begin, pod_label=metric.pods)
        for pair in pairs
    )
    nothing = (
        "the events' selector matched no series on either side: "
        "no event happened, or it is misspelt"
    )
    return _Sampled(
        sample=Sample(baseline=baseline, canary=canary, step_s=window.step_s),
        notes=(
            *(() if metric.counts is None or any(p.numerator for p in pairs) else (nothing,)),
            *_interval_notes(max(one_s, other_s), window),
        ),
    )


def _of_buckets(
    sides: Sequence[Sequence[Series]], since: float, metric: Metric, window: Window
) -> _Sampled:
    paired = histograms.histograms_on_grid(
        (sides[0], sides[1]),
        window.edges,
        since=since,
        begin=pairing.first_sample(*sides),
        pod_label=metric.pods,
    )
    return _Sampled(
        sample=Sample(baseline=paired.baseline, canary=paired.canary, step_s=window.step_s),
        notes=(*paired.warnings, *_interval_notes(paired.interval_s, window)),
        edges=paired.finding,
    )


def _interval_notes(interval_s: float, window: Window) -> Iterator[str]:
    if interval_s > window.step_s * 1.01:
        yield (
            f"the step of {window.step_s:g} s is shorter than the scrape interval of "
            f"{interval_s:g} s; a step of two scrapes reads smoother"
        )


def _said(told: Sequence[Told], what: str) -> tuple[str, ...]:
    """Collect what the source said beside its answers: `warnings` or `infos`, each once."""
    return tuple(dict.fromkeys(text for _, answer in told for text in getattr(answer, what, ())))


def _comparison(
    metric: Metric,
    own: Sequence[Told],
    by_side: Mapping[str, Roles],
    sampled: _Sampled,
    look: _Look,
) -> Comparison:
    baseline, canary = (
        tuple(one for series in by_side[side].values() for one in series) for side in SIDES
    )
    left = [left_of(ask.request.query) for ask, _ in own if ask.role == "query"]
    rates = [one.rate_s for one in left]
    return Comparison(
        sample=sampled.sample,
        baseline=baseline,
        canary=canary,
        warnings=_said(own, "warnings"),
        edges=sampled.edges,
        needs_baseline=compares(metric),
        is_paired=look.is_paired,
        weight=look.weight,
        absent=_absent(own),
        begin=float(look.window.edges[0]),
        shows_series=any(one.metrics for one in left) and len({one.metrics for one in left}) == 1,
        rate_s=None if None in rates else max((one for one in rates if one), default=None),
    )


def _absent(told: Sequence[Told]) -> tuple[tuple[str, str], ...]:
    """Name what found no series; a counter of events need not exist before the first one."""
    return tuple(
        (ask.side, ask.role)
        for ask, answer in told
        if ask.role != EVENTS and isinstance(answer, Answer) and not answer.series
    )
