"""Order statistics of all sums x_i + y_j, of which only those asked for are formed.

References:
    Johnson & Mizoguchi (1978), SIAM Journal on Computing 7: selecting in X + Y.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from judges.core.compiled import Loops

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
Mask = NDArray[np.bool_]

# So many sums are formed and selected from (32 kB); of more, most are only counted. Measured at
# 240 to 4320 steps: half or twice as many take as long.
SUMS_AT_ONCE = 4_096


def order_statistics(
    x: Array, y: Array, walsh: Mask, rank: Indices, upper: Indices, loops: Loops = None
) -> Array:
    """Give for each row the mean of two order statistics of the sums x_i + y_j.

    Args:
        x: Shape (m, n), each row ascending.
        y: Shape (m, n), each row ascending.
        walsh: Shape (m,): whether each pair of places counts once (i <= j), or all do.
        rank: Shape (m,), from 0 in ascending order; NaN is given for a negative one.
        upper: Shape (m,): the same rank, or the next.
        loops: The compiled ones; numpy's where there are none.
    """
    if loops:
        selected: Array = loops.order_statistics(x, y, walsh, rank, upper)
        return selected
    return np.array(
        [
            _select(_Sums.of(x[row], y[row], once=bool(walsh[row])), int(low), int(high))
            if low >= 0
            else np.nan
            for row, (low, high) in enumerate(zip(rank, upper, strict=True))
        ]
    )


def order_statistic(x: Array, y: Array, rank: int, upper: int) -> float:
    """Give the same of one row of each, which may differ in length."""
    return _select(_Sums.of(x, y, once=False), rank, upper)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sums:
    """The sums of one row.

    Attributes:
        x: Shape (n,), ascending.
        y: Shape (m,), ascending.
        first: For each x the first partner: 0, or i where a pair counts once; shape (n,).
    """

    x: Array
    y: Array
    first: Indices

    @classmethod
    def of(cls, x: Array, y: Array, *, once: bool) -> _Sums:
        first = np.arange(len(x)) if once else np.zeros(len(x), dtype=np.intp)
        return cls(x=x, y=y, first=first)

    def reach(self, value: float) -> Indices:
        """Give for each x the first partner with which the sum exceeds `value`, exactly."""
        reached = np.searchsorted(self.y, value - self.x, side="right")
        bounded = np.concatenate(([-np.inf], self.y, [np.inf]))
        # The difference was rounded, the sum is rounded otherwise: move by the last digits' part.
        while (over := self.x + bounded[reached] > value).any():
            reached = reached - over
        while (short := self.x + bounded[reached + 1] <= value).any():
            reached = reached + short
        return np.maximum(reached, self.first)

    def largest(self, cut: Indices) -> float:
        """Give the largest sum before a cut."""
        before = cut > self.first
        return float((self.x[before] + self.y[cut[before] - 1]).max())

    def smallest(self, cut: Indices) -> float:
        """Give the smallest sum from a cut on."""
        after = cut < len(self.y)
        return float((self.x[after] + self.y[cut[after]]).min())

    def form(self, start: Indices, stop: Indices) -> Array:
        """Form the sums of each x with its partners from `start` to before `stop`."""
        counts = stop - start
        if int(counts.sum()) == len(self.x) * len(self.y):
            return np.add.outer(self.x, self.y).ravel()
        skipped = np.repeat(start - np.cumsum(counts) + counts, counts)
        return np.repeat(self.x, counts) + self.y[skipped + np.arange(len(skipped))]


def _select(sums: _Sums, rank: int, upper: int) -> float:
    """Bisect the value until few sums are left, then select: O(n log n) a halving.

    The bounds are sums themselves, so that ties, however many, end the search when they are met.
    """
    start, stop = sums.first, np.full(len(sums.x), len(sums.y), dtype=np.intp)
    low, high = float(sums.x[0] + sums.y[0]), float(sums.x[-1] + sums.y[-1])
    while int((stop - start).sum()) > SUMS_AT_ONCE:
        if low == high:
            return high
        middle = low / 2 + high / 2
        cut = sums.reach(middle if middle < high else low)
        below = int((cut - sums.first).sum())
        if below > upper:
            high, stop = sums.largest(cut), cut
        elif below <= rank:
            low, start = sums.smallest(cut), cut
        else:
            return sums.largest(cut) / 2 + sums.smallest(cut) / 2
    skipped = int((start - sums.first).sum())
    left = sums.form(start, stop)
    # One place at a time: partitioning at two takes twice as long as one and a maximum.
    left.partition(upper - skipped)
    above = float(left[upper - skipped])
    return above if rank == upper else float(left[: upper - skipped].max()) / 2 + above / 2
