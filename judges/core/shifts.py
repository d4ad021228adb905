"""Hodges-Lehmann estimates of a shift, and confidence intervals by inverting a test.

References:
    Hodges & Lehmann (1963), Annals of Mathematical Statistics 34: median of the differences (two
    samples) and of the Walsh averages (one sample).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from judges.core.ranks import TIE, RankMethod

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

# So many sums are formed and selected from (0.1 MB); of more, most are only counted. Measured at 60
# to 4320 steps: half or twice as many take as long.
SUMS_AT_ONCE = 16_384
# The interval is shown with three digits; a thousandth of its half-width is enough.
_BOUND_PRECISION = 1e-3
_MOST_TRIALS = 40


def hodges_lehmann(method: RankMethod, baseline: Array, canary: Array) -> float:
    """Estimate how far the canary lies above the baseline, both of shape (n,).

    Returns:
        The median difference of all pairs (placements), or the median of the Walsh averages of the
        paired differences (signed ranks).
    """
    sums = _walsh if method is RankMethod.SIGNED_RANKS else _differences
    return _middle(sums(baseline, canary))


def difference(baseline: Array, canary: Array, rank: int) -> float:
    """Give the `rank`-th smallest (from 0) of the differences of all pairs."""
    return _select(_differences(baseline, canary), rank, rank)


def _differences(baseline: Array, canary: Array) -> _Sums:
    first = np.zeros(len(canary), dtype=np.intp)
    return _Sums(x=np.sort(canary), y=np.sort(-baseline), first=first)


def _walsh(baseline: Array, canary: Array) -> _Sums:
    half = np.sort((canary - baseline) / 2)
    return _Sums(x=half, y=half, first=np.arange(len(half)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sums:
    """Sums x_i + y_j, of which only those asked for are formed.

    Attributes:
        x: Shape (n,), ascending.
        y: Shape (m,), ascending.
        first: For each x the first partner: 0, or i where a pair counts once; shape (n,).
    """

    x: Array
    y: Array
    first: Indices

    def reach(self, value: float) -> Indices:
        """Give for each x the first partner with which the sum exceeds `value`."""
        return np.maximum(np.searchsorted(self.y, value - self.x, side="right"), self.first)

    def form(self, start: Indices, stop: Indices) -> Array:
        """Form the sums of each x with its partners from `start` to before `stop`."""
        counts = stop - start
        skipped = np.repeat(start - np.cumsum(counts) + counts, counts)
        return np.repeat(self.x, counts) + self.y[skipped + np.arange(len(skipped))]


def _middle(sums: _Sums) -> float:
    """Give the median of the sums."""
    total = int((len(sums.y) - sums.first).sum())
    return _select(sums, (total - 1) // 2, total // 2)


def _select(sums: _Sums, rank: int, upper: int) -> float:
    """Give the mean of the order statistics `rank` and `upper`, the same or the next, from 0.

    Bisects the value until few sums are left, then selects among those: O(n log n) a halving.
    """
    start, stop = sums.first, np.full(len(sums.x), len(sums.y), dtype=np.intp)
    low, high = float(sums.x[0] + sums.y[0]), float(sums.x[-1] + sums.y[-1])
    while int((stop - start).sum()) > SUMS_AT_ONCE:
        if high - low <= TIE:  # all that are left are equal
            return high
        middle = low / 2 + high / 2
        cut = sums.reach(middle)
        below = int((cut - sums.first).sum())
        if below > upper:
            high, stop = middle, cut
        elif below <= rank:
            low, start = middle, cut
        else:
            return _between(sums, cut)
    skipped = int((start - sums.first).sum())
    left = np.partition(sums.form(start, stop), (rank - skipped, upper - skipped))
    return float(left[rank - skipped] / 2 + left[upper - skipped] / 2)


def _between(sums: _Sums, cut: Indices) -> float:
    """Give the mean of the largest sum before the cut and the smallest from it on."""
    before, after = cut > sums.first, cut < len(sums.y)
    largest = float((sums.x[before] + sums.y[cut[before] - 1]).max())
    smallest = float((sums.x[after] + sums.y[cut[after]]).min())
    return largest / 2 + smallest / 2


def invert(
    deviate: Callable[[float], float], *, centre: float, step: float, reach: float, z: float
) -> tuple[float | None, float | None]:
    """Give the shifts that a test does not reject: a confidence interval.

    Args:
        deviate: Normal deviate of "the shift exceeds this value"; falls from + to -.
        centre: A shift that is not rejected, such as the estimate.
        step: Distance from the centre at which the bounds are first sought.
        reach: Distance from the centre beyond which the deviate changes no more.
        z: Two-sided critical value.

    Returns:
        Lower and upper bound; `None` where not even `reach` is rejected.
    """
    at_centre = deviate(centre)
    lower = _bound(lambda d: deviate(centre - d) - z, at_centre - z, step, reach)
    upper = _bound(lambda d: -deviate(centre + d) - z, -at_centre - z, step, reach)
    return (
        None if lower is None else centre - lower,
        None if upper is None else centre + upper,
    )


def _bound(
    excess: Callable[[float], float], at_zero: float, step: float, reach: float
) -> float | None:
    """Find the distance at which `excess` turns positive, or `None` if it stays negative."""
    if at_zero >= 0 or reach <= 0:
        return 0.0 if at_zero >= 0 else None
    low, at_low = 0.0, at_zero
    high = min(step, reach) if step > 0 else reach
    while (at_high := excess(high)) < 0:
        if high >= reach:
            return None
        low, at_low, high = high, at_high, min(2 * high, reach)
    return _narrow(excess, low, at_low, high, at_high)


def _narrow(
    excess: Callable[[float], float], low: float, at_low: float, high: float, at_high: float
) -> float:
    """Narrow a bracket by Illinois' false position; the statistic is a staircase, not a slope."""
    kept_low = kept_high = False
    for _ in range(_MOST_TRIALS):
        if high - low <= (precision := _BOUND_PRECISION * high):
            break
        trial = high - at_high * (high - low) / (at_high - at_low)
        # Near an end, try just beyond it: if the step lies between, the search is over.
        trial = min(max(trial, low + precision / 2), high - precision / 2)
        if (value := excess(trial)) >= 0:
            at_low = at_low / 2 if kept_low else at_low
            high, at_high, kept_low, kept_high = trial, value, True, False
        else:
            at_high = at_high / 2 if kept_high else at_high
            low, at_low, kept_low, kept_high = trial, value, False, True
    return high
