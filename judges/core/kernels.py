"""Compiled loops over rows: places, ranks, order statistics. Needs numba; see `compiled`."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
Mask = NDArray[np.bool_]
Sums = tuple[Array, Array, bool]  # x and y, ascending, and whether i <= j only

# So few sums, or half as many as there are steps, are left to be sorted when the search by value
# ends: sorting them takes as long as two more trials.
LEFT = 64
# After so many halvings of its weight an end will not move by interpolation: halve the range.
LEAST_WEIGHT = 1 / 16

STRIDE = 4

jit = numba.njit(cache=True, nogil=True)


@jit
def placements(
    baseline: Array, canary: Array, order_baseline: Indices, order_canary: Indices, tie: float
) -> tuple[Array, Array]:
    """Place each value among the other side's, as `placing.placements` does."""
    m, n = canary.shape
    of_canary, of_baseline = np.empty((m, n)), np.empty((m, n))
    for row in range(m):
        below = up_to = 0
        for k in range(n):
            low, high = canary[row, k] - tie, canary[row, k] + tie
            while below < n and baseline[row, below] < low:
                below += 1
            while up_to < n and baseline[row, up_to] <= high:
                up_to += 1
            of_canary[row, order_canary[row, k]] = (below + up_to) / (2 * n)
        reached = passed = 0
        for i in range(n):
            value = baseline[row, i]
            while reached < n and not value < canary[row, reached] - tie:
                reached += 1
            while passed < n and not value <= canary[row, passed] + tie:
                passed += 1
            of_baseline[row, order_baseline[row, i]] = (reached + passed) / (2 * n)
    return of_canary, of_baseline


@jit
def midranks(values: Array, order: Indices, tie: float) -> Array:
    """Rank the values of each row, ties sharing the mean, as `placing.midranks` does."""
    m, n = values.shape
    ranks = np.empty((m, n))
    for row in range(m):
        first = 0
        while first < n:
            last = first
            while (
                last + 1 < n
                and not values[row, order[row, last + 1]] - values[row, order[row, last]] > tie
            ):
                last += 1
            for place in range(first, last + 1):
                ranks[row, order[row, place]] = (first + last) / 2 + 1
            first = last + 1
    return ranks


@jit
def order_statistics(x: Array, y: Array, walsh: Mask, rank: Indices, upper: Indices) -> Array:
    """Select among the sums of each row, as `selection.order_statistics` does."""
    found = np.empty(len(x))
    for row in range(len(x)):
        if rank[row] < 0:
            found[row] = np.nan
        else:
            found[row] = _select((x[row], y[row], walsh[row]), rank[row], upper[row])
    return found


@jit
def _count(sums: Sums, value: float) -> tuple[int, float, float]:
    """Count the sums up to a value; give the largest of them, and the smallest beyond.

    Along the staircase that parts them: in strides of four, and the rest of a stride without a
    branch, for no processor foretells a staircase.
    """
    x, y, walsh = sums
    stop, total, largest, smallest = len(y), 0, -np.inf, np.inf
    for i in range(len(x)):
        while stop >= STRIDE and x[i] + y[stop - STRIDE] > value:
            stop -= STRIDE
        above = 0
        for k in range(1, min(STRIDE - 1, stop) + 1):
            above += x[i] + y[stop - k] > value
        stop -= above
        first = i if walsh else 0
        if stop > first:
            total += stop - first
            largest = max(largest, x[i] + y[stop - 1])
        if max(stop, first) < len(y):
            smallest = min(smallest, x[i] + y[max(stop, first)])
    return total, largest, smallest


@jit
def _odds(count: float, total: int) -> float:
    """Give the log odds of a count: on this scale values of noise lie nearly on a line."""
    return math.log((count + 0.5) / (total - count + 0.5))


@jit
def _select(sums: Sums, rank: int, upper: int) -> float:
    x, y, walsh = sums
    n = len(x)
    low, high = x[0] + y[0], x[n - 1] + y[len(y) - 1]
    total = n * (n + 1) // 2 if walsh else n * len(y)
    below, up_to = 0, total
    # The sums from low to high are left, both of them sums themselves. The next trial is Illinois'
    # false position: an end that stays twice counts half, so that neither stays long.
    weight_low = weight_high = 1.0
    low_moved = high_moved = False
    while up_to - below > max(LEFT, n // 2):
        to_low = weight_low * (_odds(rank + 0.5, total) - _odds(below, total))
        to_high = weight_high * (_odds(up_to, total) - _odds(rank + 0.5, total))
        if low == high:
            return high
        middle = low + (high - low) * (to_low / (to_low + to_high))
        if not low <= middle < high or min(weight_low, weight_high) < LEAST_WEIGHT:
            weight_low = weight_high = 1.0
            middle = low / 2 + high / 2
            if middle >= high:
                middle = low
        counted, largest, smallest = _count(sums, middle)
        if counted > upper:
            weight_low, weight_high = weight_low / 2 if high_moved else 1.0, 1.0
            high, up_to, high_moved, low_moved = largest, counted, True, False
        elif counted <= rank:
            weight_low, weight_high = 1.0, weight_high / 2 if low_moved else 1.0
            low, below, high_moved, low_moved = smallest, counted, False, True
        else:
            return largest / 2 + smallest / 2
    left = _form(sums, low, high, up_to - below)
    return left[rank - below] / 2 + left[upper - below] / 2


@jit
def _form(sums: Sums, low: float, high: float, size: int) -> Array:
    """Form the sums between two of them, in ascending order."""
    x, y, walsh = sums
    left, filled = np.empty(size), 0
    start = stop = len(y)
    for i in range(len(x)):
        while stop > 0 and x[i] + y[stop - 1] > high:
            stop -= 1
        while start > 0 and x[i] + y[start - 1] >= low:
            start -= 1
        for j in range(max(start, i) if walsh else start, stop):
            left[filled] = x[i] + y[j]
            filled += 1
    left.sort()
    return left
