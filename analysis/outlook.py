"""Before a rollout: ask the past, and forecast every metric from it. No I/O of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from analysis.config import SIDES, CanaryConfig, Metric
from analysis.config.fields import format_duration, parse_duration
from analysis.engine import judges_of, provenance_of
from analysis.errors import ConfigError
from analysis.forecast import Basis, Forecast, Planned, forecast
from analysis.guards import Finding, Severity
from analysis.planning import Ask, Variables, plan, plan_baseline, unique_requests
from analysis.report import AskedQuery, Provenance
from analysis.samples import Gathered, gather
from analysis.sources.port import Answer, MetricSource, Progress, no_progress
from analysis.window import Window
from judges import Judge

# What programs may rely on; raised when a field changes its meaning or goes away.
SCHEMA = "plan-v1"
# Tells the series of a canary that is the baseline itself from the baseline's.
MARK, EARLIER = "serinus_window", "earlier"
NO_PAST = (
    "the baseline has no data in this window, or in the one before it; check its variables, or "
    "choose a shorter --lookback"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """What is planned, where it differs from the past and the configuration.

    Attributes:
        planned: Length of the whole analysis; the configuration's where `None`.
        share: The canary's part of all requests, a fraction; as in the past where `None`.
        one_side: Whether the past holds the baseline alone: the same queries one window earlier
            then stand for a canary that equals it.
    """

    planned: timedelta | None = None
    share: float | None = None
    one_side: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricOutlook:
    """One metric's forecast, with what was asked for it.

    Attributes:
        name: Its name in the configuration.
        group: Its group in the score.
        critical: Whether a pass needs it.
        muted: Whether it has no say.
        forecast: What is to be expected of it.
        queries: What was asked.
    """

    name: str
    group: str
    critical: bool
    muted: bool
    forecast: Forecast
    queries: tuple[AskedQuery, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is to be expected of a rollout.

    Attributes:
        name: The configuration's name.
        planned_s: Planned length of the whole analysis, seconds.
        warmup_s: What of it is not judged, seconds.
        looks: How often it may be looked.
        window: The past that was asked.
        ahead: What is planned otherwise.
        metrics: Every metric, in the order of the configuration.
        provenance: How to get it again.
    """

    name: str
    planned_s: float
    warmup_s: float
    looks: str
    window: Window
    ahead: Ahead
    metrics: tuple[MetricOutlook, ...]
    provenance: Provenance

    @property
    def deciding(self) -> tuple[MetricOutlook, ...]:
        """The metrics that a pass needs: the critical ones, or all where none is."""
        counted = tuple(metric for metric in self.metrics if not metric.muted)
        return tuple(metric for metric in counted if metric.critical) or counted

    @property
    def short(self) -> tuple[MetricOutlook, ...]:
        """Those of them that the planned window does not suffice for, or may not."""
        return tuple(metric for metric in self.deciding if not metric.forecast.suffices)

    @property
    def suffices(self) -> bool | None:
        """Whether the planned window does for all of them; `None` where the past does not tell."""
        found = [metric.forecast.suffices for metric in self.deciding]
        return None if None in found and False not in found else all(found)

    @property
    def sufficient(self) -> str | None:
        """The window that suffices for all of them; `None` where none does, or it is planned."""
        lengths = [_longer(metric.forecast) for metric in self.short]
        known = [length for length in lengths if length is not None]
        if not known or len(known) < len(lengths):
            return None
        return format_duration(max(known))

    @property
    def source_errors(self) -> tuple[str, ...]:
        """Every distinct reason for which a query had no answer."""
        errors = [query.error for metric in self.metrics for query in metric.queries]
        return tuple(dict.fromkeys(error for error in errors if error is not None))


def _longer(found: Forecast) -> timedelta | None:
    values = [one.value for one in found.remedies if one.change == "window.planned"]
    return parse_duration(values[0]) if values else None


def look_ahead(
    config: CanaryConfig,
    source: MetricSource,
    window: Window,
    variables: Variables,
    ahead: Ahead,
    *,
    progress: Progress = no_progress,
) -> Outlook:
    """Forecast a rollout.

    Args:
        config: What to ask and how to judge.
        source: Where the past is.
        window: The past to learn from.
        variables: Values of each side, by side, over those of the configuration; the canary's
            play no part where the past holds one side.
        ahead: What is planned.
        progress: Told how many requests have been answered.

    Raises:
        ConfigError: A query cannot be rendered, both sides ask the same, or the planned length
            leaves nothing after the warm-up.
        SourceError: No request could be answered.
    """
    meant = _meant(config, ahead)
    ask = _ask_baseline if ahead.one_side else _ask_both
    gathered = ask(config, source, window, variables, progress)
    judges = judges_of(meant, gathered, window)
    planned = _planned(meant, window, ahead)
    return Outlook(
        name=config.name,
        planned_s=meant.window.planned.total_seconds(),
        warmup_s=meant.window.warmup.total_seconds(),
        looks=str(config.risk.looks),
        window=window,
        ahead=ahead,
        metrics=tuple(
            _metric(one, judge, planned) for one, judge in zip(gathered, judges, strict=True)
        ),
        provenance=provenance_of(config, variables),
    )


def _meant(config: CanaryConfig, ahead: Ahead) -> CanaryConfig:
    """Give the configuration with the length that is planned; its queries stay as they are."""
    if ahead.planned is None:
        return config
    if ahead.planned <= config.window.warmup:
        warmup = format_duration(config.window.warmup)
        raise ConfigError(
            f"must be longer than window.warmup ({warmup}), got {format_duration(ahead.planned)}",
            origin="--planned",
        )
    window = config.window.model_copy(update={"planned": ahead.planned})
    return config.model_copy(update={"window": window})


def _planned(config: CanaryConfig, window: Window, ahead: Ahead) -> Planned:
    warmup_s = config.window.warmup.total_seconds()
    judged_s = config.window.planned.total_seconds() - warmup_s
    return Planned(
        steps=max(2, round(judged_s / window.step_s)),
        warmup_s=warmup_s,
        share=ahead.share,
        one_side=ahead.one_side,
    )


# ---- the past


def _ask_both(
    config: CanaryConfig,
    source: MetricSource,
    window: Window,
    variables: Variables,
    progress: Progress,
) -> list[Gathered]:
    asks = plan(config, window, variables)
    answers = source.answer(unique_requests(asks), progress=progress)
    return gather(config, window, asks, answers)


def _ask_baseline(
    config: CanaryConfig,
    source: MetricSource,
    window: Window,
    variables: Variables,
    progress: Progress,
) -> list[Gathered]:
    """Let the baseline, one window earlier, stand for the canary."""
    shift_s = math.ceil((window.end - window.start) / window.step_s) * window.step_s
    earlier = replace(window, start=window.start - shift_s, end=window.end - shift_s)
    now = plan_baseline(config, window, variables)
    before = plan_baseline(config, earlier, variables)
    answers = source.answer(unique_requests([*now, *before]), progress=progress)
    moved = {ask.request: answers[ask.request] for ask in before}
    later = {
        request: _later(answer, shift_s) if isinstance(answer, Answer) else answer
        for request, answer in moved.items()
    }
    asks: Sequence[Ask] = [*now, *(replace(ask, side=SIDES[1]) for ask in before)]
    return gather(_side_by_side(config), window, asks, {**answers, **later})


def _side_by_side(config: CanaryConfig) -> CanaryConfig:
    """Give a configuration whose baseline is read at the time that was asked for here."""
    window = config.window.model_copy(update={"baseline_offset": None})
    return config.model_copy(update={"window": window})


def _later(answer: Answer, shift_s: float) -> Answer:
    """Move an answer in time, and name its series so that they are not the baseline's own."""
    moved = tuple(
        replace(one, labels={**one.labels, MARK: EARLIER}, times=one.times + shift_s)
        for one in answer.series
    )
    return replace(answer, series=moved)


# ---- the forecast


def forecasts(
    config: CanaryConfig, gathered: Sequence[Gathered], window: Window
) -> dict[str, Forecast]:
    """Forecast every metric of a rollout as configured, by what both sides showed in a window.

    Args:
        config: How to judge, and for how long.
        gathered: What the metrics' queries brought.
        window: When.
    """
    planned = _planned(config, window, Ahead())
    ready = zip(gathered, judges_of(config, gathered, window), strict=True)
    return {one.metric.name: _forecast(one, judge, planned) for one, judge in ready}


def _metric(one: Gathered, judge: Judge, planned: Planned) -> MetricOutlook:
    metric = one.metric
    return MetricOutlook(
        name=metric.name,
        group=metric.group,
        critical=metric.critical,
        muted=metric.muted,
        forecast=_forecast(one, judge, planned),
        queries=one.queries,
    )


def _forecast(one: Gathered, judge: Judge, planned: Planned) -> Forecast:
    if one.error or one.sample is None:
        return _none(one.metric, f"no answer from the source: {one.error}")
    if not one.is_valid:
        worthless = (f for f in one.findings if f.severity is Severity.INVALID)
        texts = [_why_not(finding, planned) for finding in worthless]
        return _none(one.metric, f"the past does not tell: {'; '.join(texts)}")
    found = forecast(judge, one.sample, planned)
    harmless = tuple(finding.summary for finding in one.findings)
    return replace(found, warnings=(*found.warnings, *harmless, *one.notes))


def _why_not(finding: Finding, planned: Planned) -> str:
    if planned.one_side and finding.code == "side_missing":
        return NO_PAST
    return f"{finding.summary}; {finding.remedy}"


def _none(metric: Metric, summary: str) -> Forecast:
    kind = metric.judge.kind
    return Forecast(kind=kind, suffices=None, summary=summary, basis=Basis(steps=0))
