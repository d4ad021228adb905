"""What a report keeps of both sides beside their levels: pods, and what a histogram observed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.config import Metric
from analysis.counters import pod_of
from analysis.pairing import Roles
from analysis.sources.port import Series
from judges import Histogram, Ratio, Sample, Values
from judges.core.sample import Side

Array = NDArray[np.float64]

# Labels that name a pod where the configuration names none.
POD_LABELS = ("pod", "pod_name", "kubernetes_pod_name", "instance")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PodSeries:
    """The pods of one side.

    Attributes:
        names: Name of each pod; empty where nothing names it.
        levels: Its level over the judged steps, in the metric's unit, shape (pods,); NaN where
            unknown.
        series: Its level in each step, shape (pods, steps); NaN where unknown.
    """

    names: tuple[str, ...]
    levels: Array
    series: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Distribution:
    """What both sides of a histogram observed in the judged steps, each of shape (buckets,).

    Attributes:
        edges: Upper bound of each bucket, ascending, the last infinite.
        baseline: The baseline's observations in each bucket, not cumulative.
        canary: The canary's.
    """

    edges: Array
    baseline: Array
    canary: Array


def pod_names(metric: Metric, roles: Roles, rows: int) -> tuple[str, ...]:
    """Name the rows of a side, in the order in which `pairing` and `histograms` lay them.

    Args:
        metric: Whose side.
        roles: The side's series, by what they are for.
        rows: How many there are.
    """
    series = [one for of_role in roles.values() for one in of_role]
    if metric.query is not None:
        names = [_name(one, metric.pods) for one in series]
    else:
        counted = series if metric.histogram is None else [s for s in series if "le" in s.labels]
        names = sorted({pod_of(one, metric.pods) for one in counted})
    return tuple(names) if len(names) == rows else ("",) * rows


def _name(series: Series, label: str | None) -> str:
    """Name the pod of an expression's series; without a label for it, by all of its labels."""
    for known in (label,) if label else POD_LABELS:
        if known in series.labels:
            return series.labels[known]
    labels = sorted((k, v) for k, v in series.labels.items() if k != "__name__")
    return ", ".join(f"{key}={value}" for key, value in labels)


def pods_of(side: Side, names: Sequence[str]) -> PodSeries:
    """Give the pods of a side, with their levels, by name: a server's order means nothing."""
    found = _in_given_order(side, names)
    order = sorted(range(len(found.names)), key=lambda row: found.names[row])
    return PodSeries(
        names=tuple(found.names[row] for row in order),
        levels=found.levels[order],
        series=found.series[order],
    )


def _in_given_order(side: Side, names: Sequence[str]) -> PodSeries:
    match side:
        case Values():
            known = np.isfinite(side.values)
            # Divided before added: levels near the largest double must not overflow.
            counts = np.maximum(known.sum(axis=1, keepdims=True), 1)
            levels = np.where(known, side.values / counts, 0.0).sum(axis=1)
            levels[~known.any(axis=1)] = np.nan
            return PodSeries(names=tuple(names), levels=levels, series=side.values)
        case Histogram():
            return _of_ratio(side.means(), names)
        case Ratio():
            return _of_ratio(side, names)


def _of_ratio(side: Ratio, names: Sequence[str]) -> PodSeries:
    numerator = np.where(np.isnan(side.numerator), 0.0, side.numerator)
    return PodSeries(
        names=tuple(names),
        levels=_quotient(*side.by_pod()),
        series=_quotient(numerator, side.denominator),
    )


def _quotient(numerator: Array, denominator: Array) -> Array:
    quotient = np.full(numerator.shape, np.nan)
    with np.errstate(over="ignore", invalid="ignore"):
        np.divide(numerator, denominator, out=quotient, where=np.nan_to_num(denominator) > 0)
    quotient[~np.isfinite(quotient)] = np.nan
    return quotient


def distribution_of(sample: Sample) -> Distribution | None:
    """Give what both sides of a histogram observed; `None` of anything else."""
    baseline, canary = sample.baseline, sample.canary
    if not (isinstance(baseline, Histogram) and isinstance(canary, Histogram)):
        return None
    return Distribution(
        edges=baseline.edges,
        baseline=np.nansum(baseline.by_step(), axis=0),
        canary=np.nansum(canary.by_step(), axis=0),
    )
