"""Compiled loops over rows: places, ranks, order statistics. Needs numba; see `compiled`."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
Mask = NDArray[np.bool_]
Cuts = NDArray[np.intp]
# x, ascending; y, ascending, behind STRIDE times minus infinity; and whether i <= j only.
Sums = tuple[Array, Array, bool]

STRIDE = 4
# So many sums, and two a step, may be left to be selected from.
LEFT = 32
# The second trial goes so much further than the first missed by, and so many sums a step.
BEYOND, MORE = 1.05, 1 / 64
# One value in .25 n^.4 guesses, and at most every other; so few secants find what they can tell.
# The constants are the fastest of those tried at 60 to 4320 steps.
SPACING, LEAST_SPACING, SECANTS = 0.25, 2.0, 6
# Quartiles' distance, in the standard deviations of a normal, times that of the logistic.
ODDS = 1.35 * 1.65
TINY = 1e-300

# Divisions by zero give infinity, as numpy's do: a guess gone astray is only a poor trial.
jit = numba.njit(cache=True, nogil=True, error_model="numpy")


@jit
def placements(
    baseline: Array, canary: Array, order_baseline: Indices, order_canary: Indices, tie: float
) -> tuple[Array, Array]:
    """Place each value among the other side's, as `placing.placements` does."""
    m, n = canary.shape
    of_canary, of_baseline = np.empty((m, n)), np.empty((m, n))
    padded, reached = np.full(n + STRIDE, np.inf), np.empty(n + 1, dtype=np.intp)
    for row in range(m):
        padded[:n], reached[:] = baseline[row], 0
        _place(canary[row], padded, tie, order_canary[row], of_canary[row], reached)
        counted = 0
        # The i-th baseline value exceeds those canary values that at most i of its kind reach.
        for i in range(n):
            counted += reached[i]
            of_baseline[row, order_baseline[row, i]] = counted / (2 * n)
    return of_canary, of_baseline


@jit
def places(baseline: Array, canary: Array, order_canary: Indices, tie: float) -> Array:
    """Place each canary value among the baseline's, as `placing.places` does."""
    m, n = canary.shape
    found, reached = np.empty((m, n)), np.zeros(n + 1, dtype=np.intp)
    padded = np.full(n + STRIDE, np.inf)
    for row in range(m):
        padded[:n] = baseline[row]
        _place(canary[row], padded, tie, order_canary[row], found[row], reached)
    return found


@jit
def _place(x: Array, y: Array, tie: float, order: Indices, found: Array, reached: Indices) -> None:
    """Place one row among another, and count how often each place is reached.

    Four stretches at a time: no processor foretells a merge, but it can walk several at once.
    """
    part = len(x) // 4
    a = a_tied = 0
    b = b_tied = np.searchsorted(y, x[part] - tie)
    c = c_tied = np.searchsorted(y, x[2 * part] - tie)
    d = d_tied = np.searchsorted(y, x[3 * part] - tie)
    for k in range(part):
        a, a_tied = _passed(x[k], y, tie, a, a_tied)
        b, b_tied = _passed(x[k + part], y, tie, b, b_tied)
        c, c_tied = _passed(x[k + 2 * part], y, tie, c, c_tied)
        d, d_tied = _passed(x[k + 3 * part], y, tie, d, d_tied)
        _note(order[k], a, a_tied, found, reached)
        _note(order[k + part], b, b_tied, found, reached)
        _note(order[k + 2 * part], c, c_tied, found, reached)
        _note(order[k + 3 * part], d, d_tied, found, reached)
    for k in range(4 * part, len(x)):
        d, d_tied = _passed(x[k], y, tie, d, d_tied)
        _note(order[k], d, d_tied, found, reached)


@jit
def _passed(x: float, y: Array, tie: float, below: int, up_to: int) -> tuple[int, int]:
    """Walk on to the first y that is not below x, and to the first beyond it."""
    low, high = x - tie, x + tie
    while y[below + STRIDE - 1] < low:
        below += STRIDE
    below += int(y[below] < low) + int(y[below + 1] < low) + int(y[below + 2] < low)
    up_to = max(up_to, below)
    while y[up_to] <= high:
        up_to += 1
    return below, up_to


@jit
def _note(at: int, below: int, up_to: int, found: Array, reached: Indices) -> None:
    found[at] = (below + up_to) / (2 * len(found))
    reached[below] += 1
    reached[up_to] += 1


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
    m, n = x.shape
    found, padded, left = np.empty(m), np.empty(n + STRIDE), np.empty(2 * n + LEFT)
    cuts = np.empty((3, n), dtype=np.intp)
    padded[:STRIDE] = -np.inf
    for row in range(m):
        padded[STRIDE:] = y[row]
        if rank[row] < 0:
            found[row] = np.nan
        else:
            sums = (x[row], padded, walsh[row])
            found[row] = _select(sums, (rank[row], upper[row]), cuts, left)
    return found


@jit
def _select(sums: Sums, ranks: tuple[int, int], cuts: Cuts, left: Array) -> float:
    """Close in on two ranks until few sums are left between two cuts, and select among those.

    The first trial is a guess from few of the values; the second goes so much further than the
    first missed by that the ranks should lie between. Where they do not, halvings and
    interpolations end the search.
    """
    (x, y, walsh), (rank, upper) = sums, ranks
    n = len(x)
    total = n * (n + 1) // 2 if walsh else n * n
    low, high, below, up_to = x[0] + y[STRIDE], x[n - 1] + y[-1], 0, total
    lower, higher, trial, trials = 0, 1, 2, 0
    cuts[lower], cuts[higher] = 0, n
    middle, density = low, TINY
    if total > len(left):
        middle, density = _guess(x, y, (rank + 0.5) / total, total)
    while up_to - below > len(left):
        if trials > 1:
            low, high = _smallest(sums, cuts[lower]), _largest(sums, cuts[higher])
            part = (rank + 0.5 - below) / (up_to - below) if trials % 2 else 0.5
            middle = low + (high - low) * part
            if low == high:
                return high
        if not low <= middle < high:
            middle = low / 2 + high / 2
            middle = middle if middle < high else low
        counted = _cut(sums, middle, cuts[trial])
        trials += 1
        if counted > upper:
            high, up_to, higher, trial = middle, counted, trial, higher
            middle -= (BEYOND * (counted - rank) + MORE * n) / density
        elif counted <= rank:
            low, below, lower, trial = middle, counted, trial, lower
            middle += (BEYOND * (rank - counted) + MORE * n) / density
        else:
            return _largest(sums, cuts[trial]) / 2 + _smallest(sums, cuts[trial]) / 2
    filled = _form(sums, cuts[lower], cuts[higher], left)
    return _middle(left[:filled], rank - below, upper - below)


@jit
def _guess(x: Array, y: Array, share: float, total: int) -> tuple[float, float]:
    """Guess the sum that a share of them lies below, and how many there are in a unit about it.

    By secants on the scale of log odds, where noise lies nearly on a line, among the sums of few
    of the values, evenly spaced.
    """
    few = int(len(x) / max(LEAST_SPACING, SPACING * len(x) ** 0.4))
    some_x, some_y = np.empty(few), np.empty(few + STRIDE)
    some_y[:STRIDE] = -np.inf
    for k in range(few):
        # From above in x, from below in y, so that places rounded down weigh up.
        place = (2 * k + 1) * len(x) // (2 * few)
        some_x[k], some_y[-1 - k] = x[place], y[-1 - place]
    at = some_y[STRIDE:]
    quarter, half = few // 4, few // 2
    spread = math.hypot(
        some_x[few - 1 - quarter] - some_x[quarter], at[few - 1 - quarter] - at[quarter]
    )
    aim, slope = _odds(share * few * few, few * few), ODDS / max(spread, TINY)
    value, cut = some_x[half] + at[half] + aim / slope, np.empty(few, np.intp)
    before = seen = np.nan
    for _ in range(SECANTS):
        counted = _cut((some_x, some_y, False), value, cut)
        odds = _odds(counted, few * few)
        if abs(odds - seen) > 0 and abs(value - before) > 0:
            slope = (odds - seen) / (value - before)
        before, seen = value, odds
        value += (aim - odds) / slope
        if abs(counted - share * few * few) <= few / 2:
            break
    return value, max(slope * share * (1 - share) * total, TINY)


@jit
def _odds(count: float, total: int) -> float:
    return math.log((count + 0.5) / (total - count + 0.5))


@jit
def _cut(sums: Sums, value: float, cut: Indices) -> int:
    """Find for each x the first y with which the sum exceeds a value; count the sums before.

    Along the staircase that parts them, four stretches at a time, as `_place` walks.
    """
    x, y, walsh = sums
    n, part = len(x), len(x) // 4
    a = len(y)
    b, c = _first(x[part], y, value), _first(x[2 * part], y, value)
    d = _first(x[3 * part], y, value)
    for i in range(part):
        a, b = _down(x[i], y, a, value), _down(x[i + part], y, b, value)
        c, d = _down(x[i + 2 * part], y, c, value), _down(x[i + 3 * part], y, d, value)
        cut[i], cut[i + part] = a - STRIDE, b - STRIDE
        cut[i + 2 * part], cut[i + 3 * part] = c - STRIDE, d - STRIDE
    for i in range(4 * part, n):
        d = _down(x[i], y, d, value)
        cut[i] = d - STRIDE
    if not walsh:
        return cut.sum()
    total = 0
    for i in range(n):
        total += max(cut[i] - i, 0)
    return total


@jit
def _first(x: float, y: Array, value: float) -> int:
    """Find the first y with which the sum exceeds a value, by halving."""
    low, high = STRIDE, len(y)
    while low < high:
        middle = (low + high) // 2
        if x + y[middle] > value:
            high = middle
        else:
            low = middle + 1
    return low


@jit
def _down(x: float, y: Array, stop: int, value: float) -> int:
    """Move down to the first y with which the sum exceeds a value: by strides, then no branch."""
    while x + y[stop - STRIDE] > value:
        stop -= STRIDE
    return stop - (
        int(x + y[stop - 1] > value) + int(x + y[stop - 2] > value) + int(x + y[stop - 3] > value)
    )


@jit
def _largest(sums: Sums, cut: Indices) -> float:
    """Give the largest sum before a cut."""
    x, y, walsh = sums
    largest = -np.inf
    for i in range(len(x)):
        if cut[i] > (i if walsh else 0):
            largest = max(largest, x[i] + y[cut[i] - 1 + STRIDE])
    return largest


@jit
def _smallest(sums: Sums, cut: Indices) -> float:
    """Give the smallest sum from a cut on."""
    x, y, walsh = sums
    smallest = np.inf
    for i in range(len(x)):
        first = max(cut[i], i) if walsh else cut[i]
        if first < len(x):
            smallest = min(smallest, x[i] + y[first + STRIDE])
    return smallest


@jit
def _form(sums: Sums, start: Indices, stop: Indices, left: Array) -> int:
    """Form the sums between two cuts; give their number."""
    x, y, walsh = sums
    filled = 0
    for i in range(len(x)):
        for j in range(max(start[i], i) if walsh else start[i], stop[i]):
            left[filled] = x[i] + y[j + STRIDE]
            filled += 1
    return filled


@jit
def _middle(left: Array, rank: int, upper: int) -> float:
    """Give the mean of two order statistics, the same or neighbours, by Hoare's selection."""
    low, high = 0, len(left) - 1
    while low < high:
        pivot, i, j = left[(low + high) // 2], low, high
        while i <= j:
            while left[i] < pivot:
                i += 1
            while left[j] > pivot:
                j -= 1
            if i <= j:
                left[i], left[j] = left[j], left[i]
                i, j = i + 1, j - 1
        low, high = (low, j) if rank <= j else (i, high) if rank >= i else (rank, rank)
    return left[rank] / 2 + (left[rank] if upper == rank else left[upper:].min()) / 2
