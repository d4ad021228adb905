"""Search for the least that suffices, where more always does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Two per cent: what is shown rounds more than that.
PRECISION = 1.02
# Values tried at once: three rounds find one among a million.
TRIALS = 12


def soonest(suffices: Callable[[int], bool], *, least: int, most: int) -> int | None:
    """Find the fewest steps, at least `least`, that suffice; `None` where not even `most` do."""
    if suffices(least):
        return least
    low, high = least, least
    while not suffices(high):
        if high >= most:
            return None
        low, high = high, min(2 * high, most)
    while high - low > 1 and high > PRECISION * low:
        middle = (low + high) // 2
        low, high = (low, middle) if suffices(middle) else (middle, high)
    return high


def smallest(
    suffice: Callable[[Array], Sequence[bool]], *, least: float, most: float
) -> float | None:
    """Find the smallest value between `least` and `most`, both above 0, that suffices.

    Args:
        suffice: Tells of many values at once, ascending, which of them do.
        least: Smallest value.
        most: Largest value.

    Returns:
        The value, at most `PRECISION` too large; `None` where not even `most` does.
    """
    low, high = least, most
    while True:
        tried = np.geomspace(low, high, TRIALS)
        first = next((i for i, enough in enumerate(suffice(tried)) if enough), None)
        if first is None:
            return None
        if first == 0 or tried[1] <= PRECISION * tried[0]:
            return float(tried[first])
        low, high = float(tried[first - 1]), float(tried[first])
