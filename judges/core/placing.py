"""Places and ranks within rows of values, in numpy or compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from judges.core.compiled import Loops

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

# Working values (logarithms, or multiples of a typical value) closer than this are equal. A change
# of the unit, or a limit that the canary meets exactly, rounds the last digits; it must neither
# break a tie nor make one.
TIE = 1e-12


def placements(
    baseline: Array,
    canary: Array,
    order_baseline: Indices,
    order_canary: Indices,
    loops: Loops = None,
) -> tuple[Array, Array]:
    """Give each value's place among the other side's, ties counted half.

    Args:
        baseline: Shape (m, n), each row ascending.
        canary: Shape (m, n), each row ascending.
        order_baseline: Where in time each of the baseline's values belongs.
        order_canary: Where in time each of the canary's values belongs.
        loops: The compiled ones; numpy's where there are none.

    Returns:
        Of the canary and of the baseline, in time order, shape (m, n) each, in [0, 1].
    """
    if loops:
        places: tuple[Array, Array] = loops.placements(
            baseline, canary, order_baseline, order_canary, TIE
        )
        return places
    m, n = canary.shape
    below, up_to = _counted(baseline, canary)
    of_canary, of_baseline = _in_time(below + up_to, order_canary), np.empty((m, n))
    # The i-th baseline value exceeds those canary values that at most i of its kind reach.
    reached = _histogram(below, n) + _histogram(up_to, n)
    places_of_baseline = np.cumsum(reached[:, :n], axis=1) / (2 * n)
    np.put_along_axis(of_baseline, order_baseline, places_of_baseline, axis=1)
    return of_canary, of_baseline


def places(baseline: Array, canary: Array, order_canary: Indices, loops: Loops = None) -> Array:
    """Give each canary value's place among the baseline's, as `placements` does."""
    if loops:
        compiled_places: Array = loops.places(baseline, canary, order_canary, TIE)
        return compiled_places
    below, up_to = _counted(baseline, canary)
    return _in_time(below + up_to, order_canary)


def midranks(values: Array, order: Indices | None = None, loops: Loops = None) -> Array:
    """Rank the values of each row, shape (m, n), from 1; ties share the mean of their ranks.

    Args:
        values: Shape (m, n).
        order: Their ascending order, where it is known already.
        loops: As for `placements`.
    """
    order = np.argsort(values, axis=1) if order is None else order
    if loops:
        compiled_ranks: Array = loops.midranks(values, order, TIE)
        return compiled_ranks
    first, last = _tied(np.take_along_axis(values, order, axis=1))
    ranks = np.empty(values.shape)
    np.put_along_axis(ranks, order, (first + last) / 2 + 1, axis=1)
    return ranks


def tie_sizes(values: Array) -> Array:
    """Count the members of each group of equal values of one series, shape (n,)."""
    first, _ = _tied(np.sort(values)[np.newaxis])
    return np.unique(first, return_counts=True)[1].astype(np.float64)


def _counted(baseline: Array, canary: Array) -> tuple[Indices, Indices]:
    """Count for each canary value the baseline values below it, and those up to it."""
    below, up_to = np.empty(canary.shape, dtype=np.intp), np.empty(canary.shape, dtype=np.intp)
    lower, upper = canary - TIE, canary + TIE
    for row, values in enumerate(baseline):
        below[row] = values.searchsorted(lower[row], side="left")
        up_to[row] = values.searchsorted(upper[row], side="right")
    return below, up_to


def _in_time(counted: Indices, order: Indices) -> Array:
    """Turn sums of both counts into places, and put them in time order."""
    m, n = counted.shape
    found = np.empty((m, n))
    np.put_along_axis(found, order, counted / (2 * n), axis=1)
    return found


def _histogram(places: Indices, n: int) -> Indices:
    """Count in each row how often each place from 0 to n occurs; shape (m, n + 1)."""
    rows = np.arange(len(places))[:, np.newaxis] * (n + 1)
    counted = np.bincount((places + rows).ravel(), minlength=len(places) * (n + 1))
    return counted.reshape(len(places), n + 1)


def _tied(ascending: Array) -> tuple[Indices, Indices]:
    """Give the places of the first and the last member of the group that each value ties with."""
    m, n = ascending.shape
    starts = np.ones((m, n), dtype=np.bool_)
    np.greater(ascending[:, 1:] - ascending[:, :-1], TIE, out=starts[:, 1:])
    places = np.broadcast_to(np.arange(n), (m, n))
    if starts.all():
        return places, places
    ends = np.ones((m, n), dtype=np.bool_)
    ends[:, :-1] = starts[:, 1:]
    first = np.maximum.accumulate(np.where(starts, places, 0), axis=1)
    last = np.minimum.accumulate(np.where(ends, places, n)[:, ::-1], axis=1)[:, ::-1]
    return first, last
