"""Before a rollout: does every query find both sides, and will the answers decide anything?

The same requests as a judgment's, looked at by the guards; and where a query found nothing, the
source is asked what there is instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.config import SIDES, CanaryConfig, Metric
from analysis.engine import provenance_of
from analysis.errors import Fault, SourceError
from analysis.forecast import Forecast
from analysis.guards import Comparison, Finding, Severity
from analysis.hints import Guide
from analysis.lint import lint
from analysis.outlook import forecasts
from analysis.planning import (
    EVENTS,
    WEIGHT,
    Ask,
    Variables,
    asked_from,
    plan_all,
    unique_requests,
)
from analysis.report import Provenance
from analysis.samples import Gathered, gather, inspect_rollout, weight_of
from analysis.sources.port import (
    Answers,
    LabelSource,
    MetricSource,
    Progress,
    no_progress,
)
from analysis.window import Window
from judges.core.sample import Side

# What programs may rely on; raised when a field changes its meaning or goes away.
SCHEMA = "check-v1"
# What a server says of a query that it understood and will not answer: the author mends it.
REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query as it was sent, and what came of it.

    Attributes:
        side: `baseline` or `canary`.
        role: What it is for, as in a report.
        kind: `range`, `samples` or `buckets`.
        query: PromQL, rendered.
        series: Number of series in the answer; `None` where there was none.
        points: Number of their values; `None` where there was no answer.
        seconds: How long the source took; `None` where there was no answer.
        error: Why there was no answer.
        is_refused: Whether the source understood the query and will not answer it.
        hints: What the query names that the source has never heard of.
    """

    side: str
    role: str
    kind: str
    query: str
    series: int | None = None
    points: int | None = None
    seconds: float | None = None
    error: str | None = None
    is_refused: bool = False
    hints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen of a side.

    Attributes:
        rows: Number of its pods, or of its series.
        steps: Steps in which it was seen.
        exposure: What it counted in them; `None` where nothing is counted.
    """

    rows: int
    steps: int
    exposure: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One metric.

    Attributes:
        name: Its name in the configuration.
        group: Its group in the score.
        critical: Whether a pass needs it.
        muted: Whether it has no say.
        judge: Kind of its judge.
        why: Why it is this judge, and by what it decides.
        counted: What the sides count; `None` where nothing is counted.
        rows: What the rows of a side are: pods, series; `None` where there is but one.
        sides: What was seen of each, by side; empty where a query had no answer.
        findings: What speaks against the comparison, the gravest first.
        forecast: What it can decide in the planned time; `None` where there is nothing to judge.
        notes: Remarks that a reader of a judgment would get.
        queries: What was asked.
    """

    name: str
    group: str
    critical: bool
    muted: bool
    judge: str
    why: str
    counted: str | None
    rows: str | None
    sides: Mapping[str, Seen]
    findings: tuple[Finding, ...]
    forecast: Forecast | None
    notes: tuple[str, ...]
    queries: tuple[Query, ...]

    @property
    def share(self) -> float | None:
        """The canary's part of what both sides counted, a fraction."""
        parts = [self.sides[side].exposure or 0.0 for side in SIDES if side in self.sides]
        return parts[-1] / sum(parts) if parts and all(parts) else None

    @property
    def is_sound(self) -> bool:
        """Whether it could pass: all queries answered, and no guard against it."""
        failed = any(query.error is not None for query in self.queries)
        return not failed and all(one.severity is Severity.NOTE for one in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """A whole configuration, held against a source.

    Attributes:
        name: The configuration's name.
        source: What was asked, without secrets.
        window: The time that was asked for.
        planned_s: Planned length of the whole analysis, seconds.
        weight: The canary's part of the traffic, as configured or last observed; `None` where
            nobody said.
        traffic: What was asked for the weight, and what came of it; `None` where nothing was.
        warnings: What looks wrong without asking anybody.
        findings: What speaks against the comparisons as a whole.
        metrics: Every metric, in the order of the configuration.
        provenance: How to get it again.
    """

    name: str
    source: str
    window: Window
    planned_s: float
    weight: float | None
    traffic: Query | None
    warnings: tuple[Fault, ...]
    findings: tuple[Finding, ...]
    metrics: tuple[Checked, ...]
    provenance: Provenance

    @property
    def unsound(self) -> tuple[Checked, ...]:
        """The metrics that could not pass as things are."""
        return tuple(metric for metric in self.metrics if not metric.is_sound)

    @property
    def source_errors(self) -> tuple[str, ...]:
        """Every distinct reason for which the source gave no answer, except its refusals."""
        asked = [query for metric in self.metrics for query in metric.queries]
        failed = [query for query in asked if query.error and not query.is_refused]
        return tuple(dict.fromkeys(query.error for query in failed if query.error))


def diagnose(
    config: CanaryConfig,
    source: MetricSource,
    window: Window,
    variables: Variables,
    *,
    labels: Mapping[str, LabelSource] | None = None,
    progress: Progress = no_progress,
) -> Diagnosis:
    """Ask everything that a judgment would ask, and say of each answer what it is good for.

    Args:
        config: What to ask and how to judge.
        source: Where the series are.
        window: The time to ask for.
        variables: Values of each side, by side, over those of the configuration.
        labels: By name of the source, who is asked why a query found nothing.
        progress: Told how many requests have been answered.

    Raises:
        ConfigError: A query cannot be rendered, both sides ask the same, or the weight is none.
        SourceError: No request could be answered.
    """
    asks = plan_all(config, window, variables)
    answers = source.answer(unique_requests(asks), progress=progress)
    gathered = gather(config, window, asks, answers, weight=weight_of(config, variables))
    guides, expected = _guides(labels or {}, window), forecasts(config, gathered, window)
    return Diagnosis(
        name=config.name,
        source=source.description,
        window=window,
        planned_s=config.window.planned.total_seconds(),
        weight=_latest_weight(gathered),
        traffic=_traffic(asks, answers, guides),
        warnings=lint(config),
        findings=inspect_rollout(gathered, window),
        metrics=tuple(
            _checked(one, expected[one.metric.name], _queries(one.metric, asks, answers, guides))
            for one in gathered
        ),
        provenance=provenance_of(config, variables),
    )


def _guides(labels: Mapping[str, LabelSource], window: Window) -> dict[str, Guide]:
    start = asked_from(window)
    return {name: Guide(source=one, start=start, end=window.end) for name, one in labels.items()}


def _latest_weight(gathered: Sequence[Gathered]) -> float | None:
    weights = (one.comparison.weight for one in gathered if one.comparison is not None)
    return next((weight.last for weight in weights if weight is not None), None)


def _traffic(asks: Sequence[Ask], answers: Answers, guides: Mapping[str, Guide]) -> Query | None:
    ask = next((ask for ask in asks if ask.role == WEIGHT), None)
    return None if ask is None else _query(ask, answers, guides.get(ask.request.source))


def _checked(one: Gathered, forecast: Forecast, queries: tuple[Query, ...]) -> Checked:
    metric, comparison = one.metric, one.comparison
    return Checked(
        name=metric.name,
        group=metric.group,
        critical=metric.critical,
        muted=metric.muted,
        judge=metric.judge.kind,
        why=_why(metric),
        counted=None if comparison is None else comparison.counted,
        rows="pods" if metric.pods else "series" if metric.query is not None else None,
        sides={} if comparison is None else _seen(comparison),
        findings=one.findings,
        forecast=forecast if comparison is not None and one.is_valid else None,
        notes=one.notes,
        queries=queries,
    )


def _why(metric: Metric) -> str:
    chosen = "judge" in metric.model_fields_set
    origin = "as configured" if chosen else f"the default for {metric.input_key}"
    given = [f"{name} {_written(value)}" for name, value in metric.judge.parameters.items()]
    return ", ".join([origin, *given])


def _written(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {inner}" for name, inner in value.items()) + "}"
    return str(value)


def _seen(comparison: Comparison) -> dict[str, Seen]:
    sides = zip(SIDES, (comparison.sample.baseline, comparison.sample.canary), strict=True)
    return {name: _side(side, is_counted=comparison.counted is not None) for name, side in sides}


def _side(side: Side, *, is_counted: bool) -> Seen:
    known = np.isfinite(side.rows)
    return Seen(
        rows=int(np.count_nonzero(known.any(axis=1))),
        steps=int(np.count_nonzero(known.any(axis=0))),
        exposure=float(np.nansum(side.rows)) if is_counted else None,
    )


def _queries(
    metric: Metric, asks: Sequence[Ask], answers: Answers, guides: Mapping[str, Guide]
) -> tuple[Query, ...]:
    own = (ask for ask in asks if ask.metric == metric.name)
    return tuple(_query(ask, answers, guides.get(ask.request.source)) for ask in own)


def _query(ask: Ask, answers: Answers, guide: Guide | None) -> Query:
    request, answer = ask.request, answers[ask.request]
    asked = Query(side=ask.side, role=ask.role, kind=str(request.kind), query=request.query)
    if isinstance(answer, SourceError):
        # A whole server that refuses names no query.
        is_refused = answer.code == REFUSED and bool(answer.query)
        return replace(asked, error=str(answer), is_refused=is_refused)
    hints: tuple[str, ...] = ()
    if guide is not None and not answer.series:
        hints = guide.hints(request.query, names_only=ask.role == EVENTS)
    return replace(
        asked,
        series=len(answer.series),
        points=sum(len(one.times) for one in answer.series),
        seconds=answer.seconds,
        hints=hints,
    )
