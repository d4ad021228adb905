"""Mean ratio: has the mean (per request, per step) changed by more than the tolerance?"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from judges.core import parameters, settlement
from judges.core.comparison import Comparison, too_few
from judges.core.dependence import LongRun, long_run
from judges.core.judgment import Estimate, Interval, Judgment, Reason, Scale, Verdict
from judges.core.limits import Limit
from judges.core.parameters import Direction, Looks
from judges.core.sample import Array, Ratio, Sample, Values
from judges.core.studentized import MEANS, Studentized, critical, studentize

# A subnormal unit would overflow the quotient; values that small are all zero to any metric.
SMALLEST_UNIT = 1e-300
LARGEST_EXPONENT = 700.0
# A sum smaller than this part of its terms is rounding, not a level.
LEAST_LEVEL = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanRatio:
    """Compare two means as a ratio of sums, robust against autocorrelation.

    Of `sums` (seconds over requests) it compares the mean per request; of a gauge the mean of the
    steps. Both sides of a step get the same weight, so traffic that shifts between them does not
    pass for an effect.

    Attributes:
        tolerance: Harm beyond which, once shown, the canary fails.
        margin: Harm that must be excluded for a pass.
        direction: Which change is harm.
        alpha: Error rate of a fail.
        beta: Error rate of a pass.
        looks: Whether the judge may be asked again as data arrive.
        horizon: Planned steps of the whole analysis.
        confidence: Two-sided level of the interval shown.
        min_samples: Steps below which nothing is decided.

    References:
        Mantel & Haenszel (1959), JNCI 22: weights that follow neither side's traffic alone.
        Lazarus et al. (2018), JBES 36: the long-run variance.
    """

    kind: ClassVar[str] = "mean_ratio"
    accepts: ClassVar[tuple[type[Any], ...]] = (Values, Ratio)

    tolerance: Limit = parameters.tolerance("5%")
    margin: Limit | None = parameters.margin()
    direction: Direction = parameters.direction()
    alpha: float = parameters.alpha()
    beta: float = parameters.beta()
    looks: Looks = parameters.looks()
    horizon: int = parameters.horizon()
    confidence: float = parameters.confidence()
    min_samples: int = parameters.min_samples()

    def __post_init__(self) -> None:
        """Refuse limits that contradict each other or that a ratio cannot express."""
        settlement.check_margin(self.kind, self.tolerance, self.margin)
        settlement.check_ratio_only(self.kind, self.tolerance, self.margin)

    @property
    def pass_margin(self) -> Limit:
        """The harm that must be excluded for a pass."""
        return self.margin if self.margin is not None else self.tolerance.doubled()

    def judge(self, sample: Sample, /) -> Judgment:
        """Compare the two sides; `INCONCLUSIVE` when the data cannot tell.

        Args:
            sample: Sums or values of both sides; only steps known on both are used.
        """
        terms = _terms(sample)
        if terms.n < self.min_samples:
            return too_few(self.kind, terms.n, self.min_samples)
        if not (_total(terms.canary) > 0 and _total(terms.baseline) > 0):
            return self._no_ratio(terms)
        return Comparison(
            rule=self,
            whole=terms,
            estimate=terms.estimate(self.confidence),
            step_s=sample.step_s,
        ).judgment()

    def _no_ratio(self, terms: _Terms) -> Judgment:
        """Judge sums without a positive level: a ratio of them means nothing."""
        same = bool(np.array_equal(terms.baseline, terms.canary))
        return Judgment(
            kind=self.kind,
            verdict=Verdict.PASS if same else Verdict.INCONCLUSIVE,
            reason=Reason.STEADY_WITHIN_TOLERANCE if same else Reason.NOT_COMPARABLE,
            summary="both sides are 0 at every step"
            if same
            else "a side's sum is not above 0, so there is no ratio to judge; "
            "mann_whitney with an absolute tolerance can judge differences",
            n=terms.n,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Terms:
    """The terms whose sums are compared, shape (n,) each, and the levels they stand for."""

    baseline: Array
    canary: Array
    levels: tuple[float | None, float | None]

    @property
    def n(self) -> int:
        return len(self.baseline)

    @property
    def run(self) -> LongRun:
        return long_run(self._influence())

    def since(self, start: int) -> Self:
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
        return studentize(self._influence(), distance, trust=MEANS)

    def estimate(self, level: float) -> Estimate:
        """Give the ratio with its interval."""
        effect, run = self.effect(), self.run
        t = critical(run, MEANS, level=level)
        half = t * math.sqrt(run.variance / self.n) if t is not None else math.inf
        bounds = [
            math.exp(bound) if abs(bound) < LARGEST_EXPONENT else None
            for bound in (effect - half, effect + half)
        ]
        return Estimate(
            value=math.exp(effect),
            scale=Scale.RATIO,
            interval=Interval(lower=bounds[0], upper=bounds[1], level=level),
            baseline=self.levels[0],
            canary=self.levels[1],
        )


def _total(side: Array) -> float:
    """Give the sum, or 0 where it is only the rounding of values that cancel."""
    total = float(side.sum())
    return total if abs(total) > LEAST_LEVEL * float(np.abs(side).sum()) else 0.0


def _terms(sample: Sample) -> _Terms:
    baseline, canary = sample.baseline, sample.canary
    if isinstance(baseline, Ratio) and isinstance(canary, Ratio):
        return _weighted(baseline, canary)
    (b, c), unit = _in_one_unit(*sample.paired())
    levels = (_level(b.sum(), len(b), unit), _level(c.sum(), len(c), unit))
    return _Terms(baseline=b, canary=c, levels=levels)


def _weighted(baseline: Ratio, canary: Ratio) -> _Terms:
    """Weigh each step by both sides' exposure: x_c N_b / N against x_b N_c / N."""
    (x_b, n_b), (x_c, n_c) = baseline.sums(), canary.sums()
    (n_b, n_c), of_exposure = _in_one_unit(np.nan_to_num(n_b), np.nan_to_num(n_c))
    known = (n_b > 0) & (n_c > 0)
    n_b, n_c = n_b[known], n_c[known]
    (x_b, x_c), of_sums = _in_one_unit(x_b[known], x_c[known])
    total = n_b + n_c
    unit = of_sums / of_exposure
    levels = (_level(x_b.sum(), n_b.sum(), unit), _level(x_c.sum(), n_c.sum(), unit))
    return _Terms(baseline=x_b * (n_c / total), canary=x_c * (n_b / total), levels=levels)


def _in_one_unit(first: Array, second: Array) -> tuple[tuple[Array, Array], float]:
    """Express two arrays in their largest value: a ratio is the same, and no sum overflows."""
    unit = max(float(np.abs(side).max(initial=0.0)) for side in (first, second))
    unit = max(unit, SMALLEST_UNIT)
    return (first / unit, second / unit), unit


def _level(total: float, exposure: float, unit: float) -> float | None:
    """Give a mean in the metric's own unit, or `None` where no double can hold it."""
    level = float(total) / float(exposure) * unit if exposure > 0 else 0.0
    return level if math.isfinite(level) else None
