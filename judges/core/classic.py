"""The textbook Mann-Whitney test: valid for independent steps only, offered for comparison.

References:
    Mann & Whitney (1947), Annals of Mathematical Statistics 18: the count recursion of the exact
    null distribution; normal approximation with tie correction and continuity correction.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from judges.core import shifts
from judges.core.placing import midranks, tie_sizes

Array = NDArray[np.float64]

# Up to this many pairs, and without ties, the exact null distribution is used.
EXACT_PAIRS = 1600


def u_statistic(baseline: Array, canary: Array) -> float:
    """Count the pairs in which the canary is larger, ties counted half."""
    m = len(canary)
    ranks = midranks(np.concatenate((baseline, canary))[np.newaxis])[0]
    return float(ranks[len(baseline) :].sum()) - m * (m + 1) / 2


def p_greater(baseline: Array, canary: Array, *, exact: bool | None = None) -> float:
    """Give the one-sided p-value of "the canary tends to be larger".

    Args:
        baseline: Shape (n,).
        canary: Shape (m,).
        exact: Force or forbid the exact null; by default it is used where it is right and cheap.
    """
    n, m = len(baseline), len(canary)
    u = u_statistic(baseline, canary)
    if exact if exact is not None else use_exact(baseline, canary):
        return float(null_distribution(n, m)[math.ceil(u) :].sum())
    sd = standard_deviation(baseline, canary)
    return float(special.ndtr(-(u - n * m / 2 - 0.5) / sd)) if sd > 0 else 1.0


def use_exact(baseline: Array, canary: Array) -> bool:
    """Tell whether the exact null distribution applies: no ties, few enough pairs."""
    if len(baseline) * len(canary) > EXACT_PAIRS:
        return False
    return len(tie_sizes(np.concatenate((baseline, canary)))) == len(baseline) + len(canary)


def standard_deviation(baseline: Array, canary: Array) -> float:
    """Give the standard deviation of U under the null hypothesis, corrected for ties."""
    n, m = len(baseline), len(canary)
    total = n + m
    ties = tie_sizes(np.concatenate((baseline, canary)))
    correction = float((ties**3 - ties).sum()) / (total * (total - 1))
    return math.sqrt(n * m / 12 * (total + 1 - correction))


@lru_cache(maxsize=32)
def null_distribution(n: int, m: int) -> Array:
    """Give P(U = u) for u = 0 … n·m, for continuous independent data; shape (n·m + 1,).

    The generating function of U is the Gaussian binomial coefficient; its factors are multiplied
    in whole numbers of any length, so nothing is rounded before the last division.
    """
    counts = np.zeros(n * m + 1, dtype=object)
    counts[0] = 1
    for i in range(1, m + 1):
        shifted = counts[: -(n + i)]
        counts[n + i :] = counts[n + i :] - shifted  # times 1 - x^(n+i)
        for start in range(i):
            counts[start::i] = np.cumsum(counts[start::i])  # divided by 1 - x^i
    probabilities = np.array(counts / math.comb(n + m, n), dtype=np.float64)
    probabilities.flags.writeable = False
    return probabilities


def interval(baseline: Array, canary: Array, *, level: float) -> tuple[float | None, float | None]:
    """Give the confidence interval of the shift, from order statistics of the differences."""
    n, m = len(baseline), len(canary)
    k = _critical_rank(baseline, canary, level)
    if k < 1:
        return None, None
    lower, upper = (shifts.difference(baseline, canary, rank) for rank in (k - 1, n * m - k))
    return lower, upper


def _critical_rank(baseline: Array, canary: Array, level: float) -> int:
    n, m = len(baseline), len(canary)
    tail = (1 - level) / 2
    if use_exact(baseline, canary):
        below = np.cumsum(null_distribution(n, m))
        return int(np.searchsorted(below, tail, side="right"))
    z = -float(special.ndtri(tail))
    return math.floor(n * m / 2 - 0.5 - z * standard_deviation(baseline, canary)) + 1
