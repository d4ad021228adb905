"""Long series on a narrow drawing: what falls on one place is shown from its least to its most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Thinned:
    """A series with at most so many places, each of shape (places,).

    Attributes:
        times: Last time of each place.
        middle: Mean of what is known there; NaN where nothing is.
        low: Least of it.
        high: Most of it.
        is_thinned: Whether a place holds more than one value.
    """

    times: Array
    middle: Array
    low: Array
    high: Array
    is_thinned: bool


def thinned(times: Array, values: Array, most: int) -> Thinned:
    """Put neighbors together until at most `most` places are left: no extreme is lost.

    Args:
        times: Shape (steps,), increasing.
        values: Shape (steps,), NaN where nothing is known.
        most: How many places there are.

    Examples:
        >>> few = thinned(np.arange(4.0), np.array([1.0, 9.0, 2.0, np.nan]), 2)
        >>> few.high.tolist(), few.low.tolist(), few.middle.tolist()
        ([9.0, 2.0], [1.0, 2.0], [5.0, 2.0])
    """
    n = len(times)
    if n <= most:
        return Thinned(times=times, middle=values, low=values, high=values, is_thinned=False)
    starts = np.linspace(0, n, most + 1).astype(int)[:-1]
    known = np.isfinite(values)
    counts = np.add.reduceat(known.astype(np.float64), starts)
    empty = counts == 0
    # Divided before added: levels near the largest double must not overflow.
    each = np.repeat(np.maximum(counts, 1.0), np.diff(np.append(starts, n)))
    middle = np.add.reduceat(np.where(known, values, 0.0) / each, starts)
    low = np.minimum.reduceat(np.where(known, values, np.inf), starts)
    high = np.maximum.reduceat(np.where(known, values, -np.inf), starts)
    for one in (middle, low, high):
        one[empty] = np.nan
    ends = np.append(starts[1:], n) - 1
    return Thinned(times=times[ends], middle=middle, low=low, high=high, is_thinned=True)
