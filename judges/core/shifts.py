"""Hodges-Lehmann estimates of a shift, and their intervals: order statistics of all pairs.

References:
    Hodges & Lehmann (1963), Annals of Mathematical Statistics 34: median of the differences (two
    samples) and of the Walsh averages (one sample). Lehmann (1963), same journal and volume: the
    shifts that a rank test does not reject lie between two of these order statistics.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from judges.core.ranks import TIE, Mask, Pairs

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

# So many sums are formed and selected from (32 kB); of more, most are only counted. Measured at
# 240 to 4320 steps: half or twice as many take as long.
SUMS_AT_ONCE = 4_096


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bounds:
    """Intervals of shifts; NaN where the data give no bound. Shape (m,) each."""

    lower: Array
    upper: Array


def hodges_lehmann(pairs: Pairs, is_signed: Mask) -> Array:
    """Estimate how far each canary lies above its baseline, shape (m,).

    The median difference of all pairs (placements), or the median of the Walsh averages of the
    paired differences (signed ranks).
    """
    return np.array([_middle(sums) for sums in _sums(pairs, is_signed)])


def bounds(pairs: Pairs, is_signed: Mask, half: Array) -> Bounds:
    """Give the shifts at which the probability of exceedance differs from 1/2 by at most `half`.

    Args:
        pairs: The series.
        is_signed: Shape (m,): which statistic compares them.
        half: Shape (m,): reach of the interval on the scale of the statistic; from 1/2 on nothing
            is bounded.
    """
    found = [_reach(sums, one) for sums, one in zip(_sums(pairs, is_signed), half, strict=True)]
    lower, upper = np.array(found).reshape(-1, 2).T
    return Bounds(lower=lower, upper=upper)


def median_difference(baseline: Array, canary: Array) -> float:
    """Give the median difference of all pairs of two series, shape (n,) and (m,)."""
    return _middle(_differences(np.sort(baseline), np.sort(canary)))


def difference(baseline: Array, canary: Array, rank: int) -> float:
    """Give the `rank`-th smallest (from 0) of the differences of all pairs of two series."""
    return _select(_differences(np.sort(baseline), np.sort(canary)), rank, rank)


def _sums(pairs: Pairs, is_signed: Mask) -> Sequence[_Sums]:
    baseline, canary = pairs.ascending()
    halves = np.sort((pairs.canary - pairs.baseline) / 2, axis=1)
    return [
        _walsh(halves[row]) if signed else _differences(baseline[row], canary[row])
        for row, signed in enumerate(is_signed)
    ]


def _differences(baseline: Array, canary: Array) -> _Sums:
    first = np.zeros(len(canary), dtype=np.intp)
    return _Sums(x=canary, y=-baseline[::-1], first=first)


def _walsh(halves: Array) -> _Sums:
    return _Sums(x=halves, y=halves, first=np.arange(len(halves)))


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

    @property
    def total(self) -> int:
        """How many sums there are."""
        return len(self.x) * len(self.y) - int(self.first.sum())

    def reach(self, value: float) -> Indices:
        """Give for each x the first partner with which the sum exceeds `value`."""
        return np.maximum(np.searchsorted(self.y, value - self.x, side="right"), self.first)

    def form(self, start: Indices, stop: Indices) -> Array:
        """Form the sums of each x with its partners from `start` to before `stop`."""
        counts = stop - start
        if int(counts.sum()) == len(self.x) * len(self.y):
            return np.add.outer(self.x, self.y).ravel()
        skipped = np.repeat(start - np.cumsum(counts) + counts, counts)
        return np.repeat(self.x, counts) + self.y[skipped + np.arange(len(skipped))]


def _middle(sums: _Sums) -> float:
    """Give the median of the sums."""
    return _select(sums, (sums.total - 1) // 2, sums.total // 2)


def _reach(sums: _Sums, half: float) -> tuple[float, float]:
    rank = math.floor(sums.total * max(0.5 - half, 0.0)) - 1
    if rank < 0:
        return math.nan, math.nan
    last = sums.total - 1
    return _select(sums, rank, rank), _select(sums, last - rank, last - rank)


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
    left = sums.form(start, stop)
    # One place at a time: partitioning at two takes twice as long as one and a maximum.
    left.partition(upper - skipped)
    above = float(left[upper - skipped])
    return above if rank == upper else float(left[: upper - skipped].max()) / 2 + above / 2


def _between(sums: _Sums, cut: Indices) -> float:
    """Give the mean of the largest sum before the cut and the smallest from it on."""
    before, after = cut > sums.first, cut < len(sums.y)
    largest = float((sums.x[before] + sums.y[cut[before] - 1]).max())
    smallest = float((sums.x[after] + sums.y[cut[after]]).min())
    return largest / 2 + smallest / 2
