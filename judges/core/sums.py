"""Two sums compared as a ratio: step by step for their dependence, pod by pod for their spread.

References:
    Mantel & Haenszel (1959), JNCI 22: weights that follow neither side's traffic alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from judges.core import history, pods
from judges.core.comparison import Claim
from judges.core.dependence import LongRuns
from judges.core.evidence import Mask, Weights
from judges.core.history import Memories, Memory
from judges.core.influence import Influence
from judges.core.judgment import Estimate, Interval, Scale
from judges.core.limits import Limit
from judges.core.parameters import Pods
from judges.core.pods import Clusters
from judges.core.sample import Array, Histogram, Ratio, Sample, Side, Values
from judges.core.studentized import MEANS, half_widths, studentize

# A subnormal unit would overflow the quotient; values that small are all zero to any metric.
SMALLEST_UNIT = 1e-300
LARGEST_EXPONENT = 700.0
# A sum smaller than this part of its terms is rounding, not a level.
LEAST_LEVEL = 1e-9
# What counts as a canary that fell to nothing, as a part of the baseline.
LEAST_LEFT = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Terms:
    """The terms whose sums are compared, of one metric.

    Attributes:
        baseline: The baseline's terms, shape (n,), in any unit.
        canary: The canary's, in the same unit.
        levels: Baseline's and canary's level, in the metric's unit.
        clusters: The pods; `None` where they have no say.
        idle: Shares of the baseline's and the canary's sum that no request may have caused.
        memory: The past of the ratio; `None` where there is none.
    """

    baseline: Array
    canary: Array
    levels: tuple[float | None, float | None]
    clusters: Clusters | None = None
    idle: tuple[float, float] = (0.0, 0.0)
    memory: Memory | None = None

    @classmethod
    def of(cls, sample: Sample, mode: Pods) -> Terms:
        """Form the terms of a sample of values, of quotients, or of a histogram's means."""
        baseline, canary = _quotient(sample.baseline), _quotient(sample.canary)
        if isinstance(baseline, Ratio) and isinstance(canary, Ratio):
            terms = _weighted(baseline, canary)
        else:
            (b, c), unit = _in_one_unit(*sample.paired())
            levels = (_level(b.sum(), len(b), unit), _level(c.sum(), len(c), unit))
            terms = cls(baseline=b, canary=c, levels=levels)
        if not pods.are_there(sample):
            return terms
        return replace(terms, clusters=log_clusters(mode, baseline, canary))

    @property
    def n(self) -> int:
        """Steps known on both sides."""
        return len(self.baseline)

    def with_something_left(self) -> Terms:
        """Give a canary that is 0 throughout a millionth of the baseline: nothing has no ratio."""
        if not self.n or self.canary.any() or float(_totals(self.baseline[np.newaxis])[0]) <= 0:
            return self
        left = np.full_like(self.canary, LEAST_LEFT * float(self.baseline.mean()))
        return replace(self, canary=left)

    @property
    def is_positive(self) -> bool:
        """Whether both sums have a level, so that there is a ratio."""
        return all(float(_totals(side[np.newaxis])[0]) > 0 for side in (self.baseline, self.canary))


@dataclass(frozen=True, kw_only=True, eq=False)
class Sums:
    """The terms of many metrics with as many steps: a stretch to compare.

    Attributes:
        baseline: Shape (m, n).
        canary: Shape (m, n).
        clusters: The pods of each metric.
        idle: Shape (m, 2): what of each side's sum no request may have caused.
        memories: The past of each ratio; none at all where nothing is remembered.
    """

    baseline: Array
    canary: Array
    clusters: tuple[Clusters | None, ...]
    idle: Array
    memories: Memories = ()

    @classmethod
    def of(cls, terms: Sequence[Terms]) -> Sums:
        """Put the terms of several metrics side by side."""
        return cls(
            baseline=np.stack([one.baseline for one in terms]),
            canary=np.stack([one.canary for one in terms]),
            clusters=tuple(one.clusters for one in terms),
            idle=np.array([one.idle for one in terms]),
            memories=tuple(one.memory for one in terms),
        )

    @property
    def n(self) -> int:
        """Steps known on both sides."""
        return int(self.canary.shape[1])

    @cached_property
    def runs(self) -> LongRuns:
        """What is known of the dependence of the steps."""
        return history.informed(self.influence.runs, self.n, self.memories)

    @property
    def slow(self) -> Mask:
        """Whether a slow part seems to hide under fast noise, of each metric; shape (m,)."""
        return self.influence.slow

    @property
    def within(self) -> Array:
        """Variance of each effect that the steps show, shape (m,)."""
        return self.runs.variance / self.n

    def part(self, start: int, stop: int) -> Sums:
        """Give the steps from `start` to before `stop`."""
        stretch = np.s_[:, start:stop]
        return replace(self, baseline=self.baseline[stretch], canary=self.canary[stretch])

    @cached_property
    def effects(self) -> Array:
        """The logarithms of the ratios, shape (m,); infinite where a sum is not positive."""
        canary, baseline = _totals(self.canary), _totals(self.baseline)
        known = (canary > 0) & (baseline > 0)
        effects = np.where(canary > 0, np.inf, -np.inf)
        # A difference of logarithms: a quotient of extreme sums would not fit a double.
        np.subtract(
            np.log(np.where(known, canary, 1.0)),
            np.log(np.where(known, baseline, 1.0)),
            out=effects,
            where=known,
        )
        return effects

    @cached_property
    def influence(self) -> Influence:
        """Each step's part in the effects."""
        means = _totals(self.canary) / self.n, _totals(self.baseline) / self.n
        known = (means[0] > 0) & (means[1] > 0)
        canary, baseline = (np.where(known, mean, 1.0)[:, np.newaxis] for mean in means)
        return Influence(canary=self.canary / canary, baseline=self.baseline / baseline)

    def weigh(self, limits: Sequence[Limit], claim: Claim, level: Array) -> Weights:
        """Weigh a claim about each ratio and its limit."""
        bounds = np.log([limit.ratio for limit in limits])
        distance = self.effects - claim.side * bounds + self._allowance(claim.sign)
        distance = np.where(np.isfinite(distance), distance, 0.0)
        found = studentize(distance, self.runs, self.n, trust=MEANS, clusters=self.clusters)
        return found.evidence(claim.sign, alpha=level, horizon=claim.horizon)

    def _allowance(self, sign: int) -> Array:
        """Move each effect against the claim, as far as idle cost could explain it."""
        baseline, canary = self.idle.T
        allowance: Array = np.log1p(-canary) if sign > 0 else -np.log1p(-baseline)
        return allowance

    def estimates(
        self, level: float, levels: Sequence[tuple[float | None, float | None]]
    ) -> list[Estimate]:
        """Give each ratio with its interval."""
        halves = half_widths(self.runs, self.n, MEANS, level=level, clusters=self.clusters)
        return [
            ratio_estimate(float(effect), float(half), level=level, levels=own)
            for effect, half, own in zip(self.effects, halves, levels, strict=True)
        ]


def remembered(past: Sample | None) -> Memory | None:
    """Give the past of a ratio: each step's part in it; `None` without a history."""
    if past is None:
        return None
    terms = Terms.of(past, Pods.IGNORE)
    if not terms.is_positive:
        return Memory.nothing()
    influence = Sums.of([terms]).influence
    return Memory.of(influence.canary[0] - influence.baseline[0])


def ratio_estimate(
    effect: float, half: float, *, level: float, levels: tuple[float | None, float | None]
) -> Estimate:
    """Give a logarithm and the reach of its interval as a ratio."""
    value, lower, upper = (
        math.exp(log) if abs(log) < LARGEST_EXPONENT else None
        for log in (effect, effect - half, effect + half)
    )
    return Estimate(
        value=value,
        scale=Scale.RATIO,
        interval=Interval(lower=lower, upper=upper, level=level),
        baseline=levels[0],
        canary=levels[1],
    )


def log_clusters(mode: Pods, baseline: Side, canary: Side) -> Clusters | None:
    """Describe the pods by the logarithms of their levels."""
    levels = pods.levels(baseline)
    return pods.clusters(mode, np.log(levels[levels > 0]), pods.count(canary.rows))


def _quotient(side: Side) -> Values | Ratio:
    return side.means() if isinstance(side, Histogram) else side


def _totals(side: Array) -> Array:
    """Give the sum of each row, or 0 where it is only the rounding of values that cancel."""
    total = side.sum(axis=1)
    return np.where(np.abs(total) > LEAST_LEVEL * np.abs(side).sum(axis=1), total, 0.0)


def _weighted(baseline: Ratio, canary: Ratio) -> Terms:
    """Weigh each step by both sides' exposure: x_c N_b / N against x_b N_c / N."""
    (x_b, n_b), (x_c, n_c) = baseline.sums(), canary.sums()
    (n_b, n_c), of_exposure = _in_one_unit(np.nan_to_num(n_b), np.nan_to_num(n_c))
    known = (n_b > 0) & (n_c > 0)
    n_b, n_c = n_b[known], n_c[known]
    (x_b, x_c), of_sums = _in_one_unit(x_b[known], x_c[known])
    total = n_b + n_c
    unit = of_sums / of_exposure
    levels = (_level(x_b.sum(), n_b.sum(), unit), _level(x_c.sum(), n_c.sum(), unit))
    return Terms(baseline=x_b * (n_c / total), canary=x_c * (n_b / total), levels=levels)


def _in_one_unit(first: Array, second: Array) -> tuple[tuple[Array, Array], float]:
    """Express two arrays in their largest value: a ratio is the same, and no sum overflows."""
    unit = max(float(np.abs(side).max(initial=0.0)) for side in (first, second))
    unit = max(unit, SMALLEST_UNIT)
    return (first / unit, second / unit), unit


def _level(total: float, exposure: float, unit: float) -> float | None:
    """Give a mean in the metric's own unit, or `None` where no double can hold it."""
    level = float(total) / float(exposure) * unit if exposure > 0 else 0.0
    return level if math.isfinite(level) else None
