"""From answers to samples: what a metric's series come to on the grid.

No verdict is reached here; a comparison that would be worthless says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis import guards, histograms, pairing
from analysis.config import SIDES, CanaryConfig, Metric
from analysis.errors import SourceError
from analysis.guards import Comparison, Finding
from analysis.pairing import CounterPair
from analysis.planning import Ask, compares
from analysis.report import AskedQuery
from analysis.sources.port import Answer, Answers, Series
from analysis.window import Window
from judges import Sample


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gathered:
    """What a metric's queries brought.

    Attributes:
        metric: The metric.
        queries: Its queries, and how each was answered.
        sample: Both sides on the grid; `None` where a query failed.
        notes: Remarks that a reader of the judgment should know.
        findings: What makes a comparison worthless.
    """

    metric: Metric
    queries: tuple[AskedQuery, ...]
    sample: Sample | None = None
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def error(self) -> str | None:
        """What the source said instead of an answer."""
        return next((query.error for query in self.queries if query.error), None)


def gather(
    config: CanaryConfig, window: Window, asks: Sequence[Ask], answers: Answers
) -> list[Gathered]:
    """Lay every metric's series on the grid of the window and inspect them.

    Args:
        config: Whose metrics.
        window: The time to judge.
        asks: What was asked, as `planning.plan` gives it.
        answers: What was answered.
    """
    by_metric: dict[str, list[Ask]] = {metric.name: [] for metric in config.metrics}
    for ask in asks:
        by_metric[ask.metric].append(ask)
    return [_gathered(metric, by_metric[metric.name], answers, window) for metric in config.metrics]


def _gathered(metric: Metric, own: Sequence[Ask], answers: Answers, window: Window) -> Gathered:
    queries = tuple(_asked(ask, answers[ask.request]) for ask in own)
    if any(query.error for query in queries):
        return Gathered(metric=metric, queries=queries)
    sampled = _sample(metric, own, answers, window)
    infos = tuple(f"the source notes: {info}" for info in _said(own, answers, "infos"))
    return Gathered(
        metric=metric,
        queries=queries,
        sample=sampled.sample,
        notes=sampled.notes + infos,
        findings=guards.inspect(_comparison(metric, own, answers, sampled)),
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


def _series(own: Sequence[Ask], answers: Answers, side: str) -> dict[str, tuple[Series, ...]]:
    found: dict[str, tuple[Series, ...]] = {}
    for ask in own:
        answer = answers[ask.request]
        if ask.side == side and isinstance(answer, Answer):
            found[ask.role] = answer.series
    return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sampled:
    """What came of a metric's series: a sample, remarks on it, and what speaks against it."""

    sample: Sample
    notes: tuple[str, ...] = ()
    edges: Finding | None = None


def _sample(metric: Metric, own: Sequence[Ask], answers: Answers, window: Window) -> _Sampled:
    by_side = [_series(own, answers, side) for side in SIDES]
    since = own[0].request.start
    match metric.input_key:
        case "query":
            return _of_values([side["query"] for side in by_side], window)
        case "histogram":
            return _of_buckets([side["buckets"] for side in by_side], since, metric, window)
        case _:
            pairs = [
                CounterPair(numerator=n, denominator=d) for n, d in (s.values() for s in by_side)
            ]
            return _of_counters(pairs, since, metric, window)


def _of_values(sides: Sequence[tuple[Series, ...]], window: Window) -> _Sampled:
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
            *(() if any(pair.numerator for pair in pairs) else (nothing,)),
            *_interval_notes(max(one_s, other_s), window),
        ),
    )


def _of_buckets(
    sides: Sequence[tuple[Series, ...]], since: float, metric: Metric, window: Window
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


def _said(own: Sequence[Ask], answers: Answers, what: str) -> tuple[str, ...]:
    """Collect what the source said beside its answers: `warnings` or `infos`, each once."""
    said = (getattr(answers[ask.request], what, ()) for ask in own)
    return tuple(dict.fromkeys(text for texts in said for text in texts))


def _comparison(
    metric: Metric, own: Sequence[Ask], answers: Answers, sampled: _Sampled
) -> Comparison:
    series = {
        side: tuple(one for role in _series(own, answers, side).values() for one in role)
        for side in SIDES
    }
    return Comparison(
        sample=sampled.sample,
        baseline=series["baseline"],
        canary=series["canary"],
        warnings=_said(own, answers, "warnings"),
        edges=sampled.edges,
        needs_baseline=compares(metric),
    )
