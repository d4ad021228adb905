"""The charts of a report: what each shows of a metric, for every rendering that can draw."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from analysis import charts
from analysis.charts import Unit
from analysis.charts.gauge import Ends
from analysis.consumers.units import unit_of
from analysis.consumers.words import effect
from analysis.limits import Limits, Range
from analysis.report import AnalysisReport, MetricReport
from analysis.retrospect import Trace
from judges import Scale

Array = NDArray[np.float64]

NEUTRAL = {Scale.RATIO: 1.0, Scale.DIFFERENCE: 0.0, Scale.VALUE: None}
# Fewer pods on both sides than this are no crowd to look into.
LEAST_PODS = 3


def timeline(report: AnalysisReport, metric: MetricReport) -> str:
    """Draw both sides of a metric over time."""
    trace = metric.trace
    return charts.timeline(
        charts.Timeline(
            name=metric.name,
            times=metric.times,
            baseline=metric.baseline,
            canary=metric.canary,
            start=report.window.start,
            judged_from=float(report.window.edges[0]),
            unit=unit_of(metric),
            bounds=_bounds(metric),
            looks=() if trace is None else trace.times.tolist(),
            decided=None if trace is None else decided(trace, metric.limits),
        )
    )


def _bounds(metric: MetricReport) -> list[tuple[float, str]]:
    """Give the fixed bounds of a metric's own level."""
    limits = metric.limits
    if limits is None or not limits.of_level:
        return []
    unit, allowed = unit_of(metric), limits.tolerance
    ends = (("at least", allowed.lower), ("at most", allowed.upper))
    return [(end, f"{words} {charts.level(end, unit)}") for words, end in ends if end is not None]


def decided(trace: Trace, limits: Limits | None) -> float | None:
    """Give the look at which a metric's harm was first shown, epoch seconds; `None` if never."""
    if limits is None or limits.fail_level is None:
        return None
    shown = np.flatnonzero(np.nan_to_num(trace.harm, nan=-math.inf) >= -math.log(limits.fail_level))
    return float(trace.times[shown[0]]) if len(shown) else None


def gauge(metric: MetricReport) -> str:
    """Draw a metric's estimate against its limits; nothing where it has none."""
    shown = _gauge(metric)
    return "" if shown is None else charts.gauge(shown)


def small_gauge(metric: MetricReport) -> str:
    """Draw the same in a line's height."""
    shown = _gauge(metric)
    return "" if shown is None else charts.small_gauge(shown)


def _gauge(metric: MetricReport) -> charts.Gauge | None:
    estimate, limits = metric.judgment.estimate, metric.limits
    if estimate is None or limits is None:
        return None
    is_share = estimate.scale is Scale.VALUE and not limits.of_level
    unit, interval = Unit.PLAIN if is_share else unit_of(metric), estimate.interval
    return charts.Gauge(
        name=metric.name,
        value=estimate.value,
        interval=None if interval is None else (interval.lower, interval.upper),
        neutral=NEUTRAL[estimate.scale],
        tolerance=_ends(limits.tolerance),
        margin=None if limits.margin is None else _ends(limits.margin),
        is_ratio=estimate.scale is Scale.RATIO,
        told=lambda value: effect(value, estimate.scale, unit),
    )


def _ends(allowed: Range) -> Ends:
    return allowed.lower, allowed.upper


def distribution(metric: MetricReport) -> str:
    """Draw what both sides of a histogram observed; nothing of anything else."""
    found, estimate = metric.distribution, metric.judgment.estimate
    if found is None:
        return ""
    unit, marks = unit_of(metric), []
    if estimate is not None and metric.judgment.kind == "quantile_ratio":
        sides = (("sr-baseline", estimate.baseline), ("sr-canary", estimate.canary))
        marks = [(class_, value) for class_, value in sides if value is not None]
    return charts.distributions(
        charts.Distributions(
            name=metric.name,
            edges=found.edges,
            baseline=found.baseline,
            canary=found.canary,
            unit=Unit.SECONDS if unit is Unit.SHARE and _is_seconds(metric) else unit,
            marks=marks,
        )
    )


def _is_seconds(metric: MetricReport) -> bool:
    """Tell whether a share counts observations of seconds."""
    return any("_seconds" in query.query.partition("{")[0] for query in metric.queries)


def pods(metric: MetricReport) -> str:
    """Draw the pods of both sides; nothing where there are too few to look into."""
    sides = [metric.by_pod.get(side) for side in ("baseline", "canary")]
    if any(side is None for side in sides):
        return ""
    baseline, canary = (
        charts.PodLevels(names=side.names, levels=side.levels) for side in sides if side is not None
    )
    if len(baseline.names) + len(canary.names) < LEAST_PODS:
        return ""
    return charts.pods_strip(metric.name, baseline, canary, unit_of(metric))


def evidence(metric: MetricReport) -> str:
    """Draw how evidence about a metric gathered; nothing where earlier looks are not known."""
    trace, limits = metric.trace, metric.limits
    if trace is None or limits is None or limits.fail_level is None or limits.pass_level is None:
        return ""
    return _evidence(metric.name, trace, limits.fail_level, limits.pass_level)


def rollout_evidence(report: AnalysisReport) -> str:
    """Draw how evidence against the whole rollout gathered; nothing where it is not known."""
    if report.trace is None:
        return ""
    return _evidence("the whole rollout", report.trace, report.false_fail, report.false_fail)


def _evidence(name: str, trace: Trace, fail_level: float, pass_level: float) -> str:
    return charts.evidence(
        charts.Gathering(
            name=name,
            times=trace.times,
            harm=trace.harm / -math.log(fail_level),
            safety=trace.safety / -math.log(pass_level),
        )
    )


def sparkline(metric: MetricReport) -> str:
    """Draw the shape of both sides in a line's height."""
    return charts.sparkline(metric.baseline, metric.canary, name=metric.name)
