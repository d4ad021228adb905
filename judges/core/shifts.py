"""Hodges-Lehmann estimates of a shift, and their intervals: order statistics of all pairs.

References:
    Hodges & Lehmann (1963), Annals of Mathematical Statistics 34: median of the differences (two
    samples) and of the Walsh averages (one sample). Lehmann (1963), same journal and volume: the
    shifts that a rank test does not reject lie between two of these order statistics.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from judges.core.compiled import Loops
from judges.core.ranks import Mask, Pairs
from judges.core.selection import order_statistic, order_statistics

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bounds:
    """Intervals of shifts; NaN where the data give no bound. Shape (m,) each."""

    lower: Array
    upper: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shifts:
    """All shifts that a pair of steps suggests, of many pairs of series.

    The differences of all pairs (placements), or the Walsh averages of the paired differences
    (signed ranks).

    Attributes:
        x: Shape (m, n), ascending; a shift is a sum of one of these and one of `y`.
        y: Shape (m, n), ascending.
        is_signed: Shape (m,): which statistic compares the series.
        loops: The compiled ones; numpy's where there are none.
    """

    x: Array
    y: Array
    is_signed: Mask
    loops: Loops

    @classmethod
    def of(cls, pairs: Pairs, is_signed: Mask) -> Shifts:
        """Sort what the shifts are made of."""
        baseline, canary = pairs.ascending
        x, y = canary, -baseline[:, ::-1]
        if is_signed.any():
            x, y = x.copy(), y.copy()
            differences = pairs.canary[is_signed] - pairs.baseline[is_signed]
            x[is_signed] = y[is_signed] = np.sort(differences / 2, axis=1)
        return cls(x=x, y=np.ascontiguousarray(y), is_signed=is_signed, loops=pairs.loops)

    @property
    def _total(self) -> Indices:
        """How many shifts each pair suggests, shape (m,)."""
        n = self.x.shape[1]
        total: Indices = np.where(self.is_signed, n * (n + 1) // 2, n * n)
        return total

    def middle(self) -> Array:
        """Give the Hodges-Lehmann estimates, shape (m,): how far each canary lies above."""
        total = self._total
        return self._ranked((total - 1) // 2, total // 2)

    def bounds(self, half: Array) -> Bounds:
        """Give the shifts at which the probability of exceedance differs by `half` from 1/2.

        Args:
            half: Shape (m,): reach of the interval on the scale of the statistic; from 1/2 on
                nothing is bounded.
        """
        total = self._total
        rank = np.floor(total * np.maximum(0.5 - half, 0.0)).astype(np.intp) - 1
        last = np.where(rank < 0, -1, total - 1 - rank)
        return Bounds(
            lower=self._ranked(rank, rank),
            upper=self._ranked(last, last),
        )

    def _ranked(self, rank: Indices, upper: Indices) -> Array:
        return order_statistics(self.x, self.y, self.is_signed, rank, upper, self.loops)


def median_difference(baseline: Array, canary: Array) -> float:
    """Give the median difference of all pairs of two series, shape (n,) and (m,)."""
    total = len(baseline) * len(canary)
    return order_statistic(np.sort(canary), np.sort(-baseline), (total - 1) // 2, total // 2)


def difference(baseline: Array, canary: Array, rank: int) -> float:
    """Give the `rank`-th smallest (from 0) of the differences of all pairs of two series."""
    return order_statistic(np.sort(canary), np.sort(-baseline), rank, rank)
