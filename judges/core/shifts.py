"""Hodges-Lehmann estimates of a shift, and confidence intervals by inverting a test.

References:
    Hodges & Lehmann (1963), Annals of Mathematical Statistics 34: median of the differences (two
    samples) and of the Walsh averages (one sample).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from judges.core.ranks import RankMethod

Array = NDArray[np.float64]

# Up to this many pairs all of them are formed at once (0.8 MB); beyond, they are only counted.
PAIRS_AT_ONCE = 100_000
# Halvings that narrow a double's range of values to its last digits.
_HALVINGS = 60
# The interval is shown with three digits; a thousandth of its half-width is enough.
_BOUND_PRECISION = 1e-3
_MOST_TRIALS = 40


def hodges_lehmann(method: RankMethod, baseline: Array, canary: Array) -> float:
    """Estimate how far the canary lies above the baseline, both of shape (n,).

    Returns:
        The median difference of all pairs (placements), or the median of the Walsh averages of the
        paired differences (signed ranks).
    """
    if method is RankMethod.SIGNED_RANKS:
        half = (canary - baseline) / 2
        return _median_of_sums(half, half, both_orders=False)
    return _median_of_sums(canary, -baseline, both_orders=True)


def _median_of_sums(x: Array, y: Array, *, both_orders: bool) -> float:
    """Give the median of x_i + y_j, over all pairs or (x and y the same) over those with i <= j."""
    n, m = len(x), len(y)
    if n * m <= PAIRS_AT_ONCE:
        sums = np.add.outer(x, y)
        chosen = sums.ravel() if both_orders else sums[np.triu_indices(n)]
        return float(np.median(chosen))
    pairs = n * m if both_orders else n * (n + 1) // 2
    low, high = (
        order_statistic(x, y, rank, both_orders=both_orders)
        for rank in ((pairs - 1) // 2, pairs // 2)
    )
    return low / 2 + high / 2


def order_statistic(x: Array, y: Array, rank: int, *, both_orders: bool) -> float:
    """Give the `rank`-th smallest (from 0) of x_i + y_j without forming the pairs.

    Bisects the value and counts pairs below it by binary search: O((n + m) log n) a halving.
    """
    xs, ys = np.sort(x), np.sort(y)
    low, high = float(xs[0] + ys[0]), float(xs[-1] + ys[-1])

    def count_up_to(value: float) -> int:
        count = int(np.searchsorted(ys, value - xs, side="right").sum())
        if both_orders:
            return count
        # Over all ordered pairs the diagonal counts once and every other pair twice.
        return (count + int(np.count_nonzero(2 * xs <= value))) // 2

    for _ in range(_HALVINGS):
        middle = low / 2 + high / 2
        if not low < middle < high:
            break
        if count_up_to(middle) > rank:
            high = middle
        else:
            low = middle
    return high


def invert(
    deviate: Callable[[float], float], *, centre: float, reach: float, z: float
) -> tuple[float | None, float | None]:
    """Give the shifts that a test does not reject: a confidence interval.

    Args:
        deviate: Normal deviate of "the shift exceeds this value"; falls from + to -.
        centre: A shift that is not rejected, such as the estimate.
        reach: Distance from the centre beyond which the deviate changes no more.
        z: Two-sided critical value.

    Returns:
        Lower and upper bound; `None` where not even `reach` is rejected.
    """
    lower = _bound(lambda d: deviate(centre - d) - z, reach)
    upper = _bound(lambda d: -deviate(centre + d) - z, reach)
    return (
        None if lower is None else centre - lower,
        None if upper is None else centre + upper,
    )


def _bound(excess: Callable[[float], float], reach: float) -> float | None:
    """Find the distance at which `excess` turns positive, or `None` if it stays negative."""
    if reach <= 0:
        return 0.0 if excess(0.0) >= 0 else None
    low, high = 0.0, reach
    at_low, at_high = excess(low), excess(high)
    if at_high < 0:
        return None
    if at_low >= 0:
        return 0.0
    # Illinois' false position: few trials on a smooth stretch, never worse than bisection for long.
    for _ in range(_MOST_TRIALS):
        trial = high - at_high * (high - low) / (at_high - at_low)
        value = excess(trial)
        if value >= 0:
            at_low = at_low / 2 if at_high > value else at_low
            high, at_high = trial, value
        else:
            at_high = at_high / 2
            low, at_low = trial, value
        if high - low <= _BOUND_PRECISION * high:
            break
    return high
