"""What Kayenta reports of each side, and how it sizes an effect.

Sums run from left to right and means are refined once, as in Kayenta: a ratio that meets its limit
exactly must fall on the same side of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from judges.core.kayenta_shift import Bags

Array = NDArray[np.float64]


class Measure(StrEnum):
    """How an effect is sized."""

    MEAN_RATIO = "mean_ratio"
    CLES = "cles"  # common language effect size: P(canary > baseline), ties counted half

    @property
    def neutral(self) -> float:
        """The size of no effect."""
        return {Measure.MEAN_RATIO: 1.0, Measure.CLES: 0.5}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A side's values after cleaning; `None` where there are none.

    Attributes:
        count: How many.
        minimum: The smallest, in the metric's unit.
        maximum: The largest, in the metric's unit.
        mean: Their mean, in the metric's unit.
        deviation: Their sample standard deviation, in the metric's unit; 0 of a single value.
    """

    count: int
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    deviation: float | None = None


def describe(values: Array) -> Description:
    """Describe a side, shape (n,)."""
    if len(values) == 0:
        return Description(count=0)
    return Description(
        count=len(values),
        minimum=float(values.min()),
        maximum=float(values.max()),
        mean=mean(values),
        deviation=_deviation(values),
    )


def mean(values: Array) -> float:
    """Give the mean of values, shape (n,) with n > 0."""
    first = _sum(values) / len(values)
    return first + _sum(values - first) / len(values)


def _deviation(values: Array) -> float:
    if (n := len(values)) == 1:
        return 0.0
    off = values - mean(values)
    total = _sum(off)
    variance = (_sum(off * off) - total * total / n) / (n - 1)
    return math.sqrt(max(variance, 0.0))


def _sum(values: Array) -> float:
    return float(np.cumsum(values)[-1])


def size(measure: Measure, baseline: Array, canary: Array) -> float | None:
    """Size the effect; `None` where it is undefined."""
    match measure:
        case Measure.MEAN_RATIO:
            return mean_ratio(baseline, canary)
        case Measure.CLES:
            return cles(baseline, canary)


def mean_ratio(baseline: Array, canary: Array) -> float | None:
    """Give the canary's mean over the baseline's; `None` where either is 0."""
    of_baseline, of_canary = mean(baseline), mean(canary)
    if of_baseline == 0 or of_canary == 0:
        return None
    ratio = of_canary / of_baseline
    return None if math.isnan(ratio) else ratio


def cles(baseline: Array, canary: Array) -> float:
    """Give the chance that a canary value exceeds a baseline value, ties counted half.

    References:
        McGraw & Wong (1992), Psychological Bulletin 111.
    """
    n, m = len(baseline), len(canary)
    ranks, _ = Bags.of(baseline, canary).rank_sum()
    return (2 * ranks - m * (m + 1)) / (2 * n * m)
