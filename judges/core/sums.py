"""Two sums compared as a ratio: step by step for their dependence, pod by pod for their spread.

References:
    Mantel & Haenszel (1959), JNCI 22: weights that follow neither side's traffic alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from judges.core import pods
from judges.core.dependence import LongRun, long_run
from judges.core.judgment import Estimate, Interval, Scale
from judges.core.limits import Limit
from judges.core.parameters import Pods
from judges.core.pods import Clusters
from judges.core.sample import Array, Ratio, Sample, Side
from judges.core.studentized import MEANS, Studentized, half_width, studentize

# A subnormal unit would overflow the quotient; values that small are all zero to any metric.
SMALLEST_UNIT = 1e-300
LARGEST_EXPONENT = 700.0
# A sum smaller than this part of its terms is rounding, not a level.
LEAST_LEVEL = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sums:
    """The terms whose sums are compared, shape (n,) each, and the levels they stand for.

    Attributes:
        baseline: The baseline's terms, in any unit.
        canary: The canary's, in the same unit.
        levels: Baseline's and canary's level, in the metric's unit.
        clusters: The pods; `None` where they have no say.
    """

    baseline: Array
    canary: Array
    levels: tuple[float | None, float | None]
    clusters: Clusters | None = None

    @classmethod
    def of(cls, sample: Sample, mode: Pods) -> Sums:
        """Form the terms of a sample of values or of quotients."""
        baseline, canary = sample.baseline, sample.canary
        if isinstance(baseline, Ratio) and isinstance(canary, Ratio):
            terms = _weighted(baseline, canary)
        else:
            (b, c), unit = _in_one_unit(*sample.paired())
            levels = (_level(b.sum(), len(b), unit), _level(c.sum(), len(c), unit))
            terms = cls(baseline=b, canary=c, levels=levels)
        return replace(terms, clusters=log_clusters(mode, baseline, canary))

    @property
    def n(self) -> int:
        """Steps known on both sides."""
        return len(self.baseline)

    @property
    def run(self) -> LongRun:
        """What is known of the dependence of the steps."""
        return long_run(self._influence())

    @property
    def is_positive(self) -> bool:
        """Whether both sums have a level, so that there is a ratio."""
        return _total(self.canary) > 0 and _total(self.baseline) > 0

    def since(self, start: int) -> Self:
        """Give the steps from `start` to the end."""
        return replace(self, baseline=self.baseline[start:], canary=self.canary[start:])

    def effect(self) -> float:
        """Give the logarithm of the ratio of the sums; infinite where one is not positive."""
        canary, baseline = _total(self.canary), _total(self.baseline)
        if canary <= 0 or baseline <= 0:
            return math.inf if canary > 0 else -math.inf
        return math.log(canary / baseline)

    def _influence(self) -> Array:
        """Give each step's part in the effect: load that both sides share cancels within it."""
        means = _total(self.canary) / self.n, _total(self.baseline) / self.n
        if min(means) <= 0:
            return self.canary - self.baseline
        return self.canary / means[0] - self.baseline / means[1]

    def beyond(self, limit: Limit, side: int) -> Studentized:
        """Compare the effect with the limit, in standard errors."""
        distance = self.effect() - side * math.log(limit.ratio)
        distance = distance if math.isfinite(distance) else 0.0
        return studentize(self._influence(), distance, trust=MEANS, clusters=self.clusters)

    def estimate(self, level: float) -> Estimate:
        """Give the ratio with its interval."""
        effect = self.effect()
        half = half_width(self.run, self.n, MEANS, level=level, clusters=self.clusters)
        return ratio_estimate(effect, half, level=level, levels=self.levels)


def ratio_estimate(
    effect: float, half: float, *, level: float, levels: tuple[float | None, float | None]
) -> Estimate:
    """Give a logarithm and the reach of its interval as a ratio."""
    bounds = [
        math.exp(bound) if abs(bound) < LARGEST_EXPONENT else None
        for bound in (effect - half, effect + half)
    ]
    return Estimate(
        value=math.exp(effect),
        scale=Scale.RATIO,
        interval=Interval(lower=bounds[0], upper=bounds[1], level=level),
        baseline=levels[0],
        canary=levels[1],
    )


def log_clusters(mode: Pods, baseline: Side, canary: Side) -> Clusters | None:
    """Describe the pods by the logarithms of their levels."""
    levels = _pod_levels(baseline)
    return pods.clusters(mode, np.log(levels), pods.count(canary.rows))


def _pod_levels(side: Side) -> Array:
    """Give the level of each pod that was seen in enough steps, where it is positive."""
    seen = pods.is_known(side.rows)
    # A level that no double can hold, or without any exposure, is left out as unusable.
    with np.errstate(all="ignore"):
        if isinstance(side, Ratio):
            numerator, denominator = side.by_pod()
        else:
            numerator = np.nansum(side.rows, axis=1)
            denominator = np.isfinite(side.rows).sum(axis=1)
        return _usable((numerator / denominator)[seen])


def _usable(levels: Array) -> Array:
    used: Array = levels[np.isfinite(levels) & (levels > 0)]
    return used


def _total(side: Array) -> float:
    """Give the sum, or 0 where it is only the rounding of values that cancel."""
    total = float(side.sum())
    return total if abs(total) > LEAST_LEVEL * float(np.abs(side).sum()) else 0.0


def _weighted(baseline: Ratio, canary: Ratio) -> Sums:
    """Weigh each step by both sides' exposure: x_c N_b / N against x_b N_c / N."""
    (x_b, n_b), (x_c, n_c) = baseline.sums(), canary.sums()
    (n_b, n_c), of_exposure = _in_one_unit(np.nan_to_num(n_b), np.nan_to_num(n_c))
    known = (n_b > 0) & (n_c > 0)
    n_b, n_c = n_b[known], n_c[known]
    (x_b, x_c), of_sums = _in_one_unit(x_b[known], x_c[known])
    total = n_b + n_c
    unit = of_sums / of_exposure
    levels = (_level(x_b.sum(), n_b.sum(), unit), _level(x_c.sum(), n_c.sum(), unit))
    return Sums(baseline=x_b * (n_c / total), canary=x_c * (n_b / total), levels=levels)


def _in_one_unit(first: Array, second: Array) -> tuple[tuple[Array, Array], float]:
    """Express two arrays in their largest value: a ratio is the same, and no sum overflows."""
    unit = max(float(np.abs(side).max(initial=0.0)) for side in (first, second))
    unit = max(unit, SMALLEST_UNIT)
    return (first / unit, second / unit), unit


def _level(total: float, exposure: float, unit: float) -> float | None:
    """Give a mean in the metric's own unit, or `None` where no double can hold it."""
    level = float(total) / float(exposure) * unit if exposure > 0 else 0.0
    return level if math.isfinite(level) else None
