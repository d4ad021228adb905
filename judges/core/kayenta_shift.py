"""Kayenta's Mann-Whitney: the shift between two bags of values, and the bounds around it.

The rank sum of the canary, moved back by a trial shift, is a step function that falls as the shift
grows. The shift and its bounds are where its normal deviate crosses 0 and the quantiles of the
confidence level. They are searched for with a tolerance that is absolute and coarse, and labels
depend on where the search stops; so the search is reproduced, not only what it looks for.

References:
    Bauer (1972), JASA 67: confidence bounds by inverting the rank sum test.
    Brent (1973), Algorithms for Minimization Without Derivatives, chapter 4: the root finder.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Lower normal quantile of each two-sided level, to the last digit that Kayenta's library gives;
# other libraries differ there, and a step function may cross in between.
QUANTILES: Mapping[float, float] = MappingProxyType(
    {0.95: -1.959963984540054, 0.98: -2.326347874040841}
)
# How near a root the search stops, in the metric's unit whatever its size: Kayenta is blind to
# shifts below this.
ROOT_TOLERANCE = 1e-4
MOST_STEPS = 1001
EPSILON = 2.220446049250313e-16
# Interpolation must stay within this part of the bracket, else it is halved (Brent's choice).
WITHIN = 0.75


class TiedError(Exception):
    """Every value is tied at a trial shift, so the rank sum has no variance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How far the canary lies above the baseline, in the metric's unit.

    Attributes:
        estimate: The shift.
        lower: Lower bound; the three are searched for independently, so where values are nearer to
            each other than the search's tolerance it may exceed the upper bound.
        upper: Upper bound.
    """

    estimate: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bags:
    """Both sides' values, each in ascending order; shapes (n,) and (m,), neither empty."""

    baseline: Array
    canary: Array

    @classmethod
    def of(cls, baseline: Array, canary: Array) -> Bags:
        """Sort both sides once, so that many shifts can be tried."""
        return cls(baseline=np.sort(baseline), canary=np.sort(canary))

    def rank_sum(self, shift: float = 0.0) -> tuple[float, float]:
        """Rank all values together, the canary's moved back by `shift`.

        Returns:
            The sum of the canary's ranks, ties sharing theirs, and the sum of t³ - t over the
            groups of t tied values.
        """
        moved = self.canary - shift
        moved[np.isnan(moved)] = np.inf  # infinity less infinity ranks last
        # Both parts are in order already, so a stable sort only merges them.
        pooled = np.sort(np.concatenate((moved, self.baseline)), kind="stable")
        below = np.searchsorted(pooled, moved, side="left")
        up_to = np.searchsorted(pooled, moved, side="right")
        starts = np.flatnonzero(np.concatenate(([True], pooled[1:] != pooled[:-1])))
        sizes = np.diff(np.append(starts, len(pooled))).astype(np.float64)
        total = (int(below.sum()) + int(up_to.sum()) + len(moved)) / 2
        return total, float((sizes**3 - sizes).sum())

    def deviate(self, shift: float) -> float:
        """Give the normal deviate of the rank sum, corrected for ties and continuity.

        Raises:
            TiedError: All values are tied.
        """
        n, m = len(self.baseline), len(self.canary)
        total, ties = self.rank_sum(shift)
        excess = total - m * (m + 1) / 2 - m * n / 2
        variance = (m * n / 12) * ((m + n + 1) - ties / ((m + n) * (m + n - 1)))
        if not variance > 0:
            raise TiedError
        continuity = math.copysign(0.5, excess) if excess else 0.0
        return (excess - continuity) / math.sqrt(variance)

    def ends(self) -> tuple[float, float]:
        """Give the smallest and the largest difference between a canary and a baseline value."""
        lowest = float(self.canary[0]) - float(self.baseline[-1])
        return lowest, float(self.canary[-1]) - float(self.baseline[0])


def shift_between(baseline: Array, canary: Array, *, confidence: float) -> Shift:
    """Find the canary's shift with its bounds.

    Args:
        baseline: Shape (n,), not empty.
        canary: Shape (m,), not empty.
        confidence: Two-sided level of the bounds, one of `QUANTILES`.

    Raises:
        TiedError: All values are tied at some trial shift.
    """
    bags, z = Bags.of(baseline, canary), QUANTILES[confidence]
    return Shift(
        lower=_bound(bags, -z),
        upper=_bound(bags, z),
        estimate=find_root(bags.deviate, *bags.ends()),
    )


def _bound(bags: Bags, quantile: float) -> float:
    """Find where the deviate falls to `quantile`; an end where it never does."""
    low, high = bags.ends()

    def excess(shift: float) -> float:
        return bags.deviate(shift) - quantile

    if excess(low) <= 0:
        return low
    return high if excess(high) >= 0 else find_root(excess, low, high)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Point:
    x: float
    y: float


def find_root(f: Callable[[float], float], low: float, high: float) -> float:
    """Find a root by Brent's method; without a change of sign, whatever the search ends at."""

    def at(x: float) -> _Point:
        return _Point(x=x, y=f(x))

    a = c = at(low)
    b = at(high)
    if a.y == 0:
        return a.x
    for _ in range(MOST_STEPS):
        last = b.x - a.x
        if abs(c.y) < abs(b.y):
            a, b, c = b, c, b
        tolerance = 2 * EPSILON * abs(b.x) + ROOT_TOLERANCE / 2
        if abs(c.x - b.x) / 2 <= tolerance or b.y == 0:
            return b.x
        step = _step(a, b, c, last=last, tolerance=tolerance)
        a, b = b, at(b.x + step)
        if b.y * c.y > 0:
            c = a
    return b.x


def _step(a: _Point, b: _Point, c: _Point, *, last: float, tolerance: float) -> float:
    """Step from b towards the root: by interpolation or to the middle, at least the tolerance."""
    step = (c.x - b.x) / 2
    if abs(last) >= tolerance and abs(a.y) > abs(b.y):
        found = _interpolate(a, b, c, last=last, tolerance=tolerance)
        step = step if found is None else found
    if abs(step) < tolerance:
        return tolerance if step > 0 else -tolerance
    return step


def _interpolate(a: _Point, b: _Point, c: _Point, *, last: float, tolerance: float) -> float | None:
    """Step from b by the secant or the inverse parabola; `None` where that would not converge."""
    gap = c.x - b.x
    if a.x == c.x:
        slope = b.y / a.y
        p, q = gap * slope, 1 - slope
    else:
        of_a, of_b, slope = a.y / c.y, b.y / c.y, b.y / a.y
        p = slope * (gap * of_a * (of_a - of_b) - (b.x - a.x) * (of_b - 1))
        q = (of_a - 1) * (of_b - 1) * (slope - 1)
    p, q = (p, -q) if p > 0 else (-p, q)
    fits = p < WITHIN * gap * q - abs(tolerance * q) / 2 and p < abs(last * q / 2)
    return p / q if fits else None
