"""Rank statistics of paired series, robust against autocorrelation, for many pairs at once.

Two statistics answer "does the canary tend to lie above the moved baseline?":

* placements (Brunner & Munzel 2000, Biometrical Journal 42): each value's place among the other
  side's, right when the sides vary independently;
* signed ranks (Wilcoxon) of the paired differences, right when the sides share a pattern, because
  the pattern cancels in the difference.

Both estimate a probability of exceedance, compared with 1/2 on the scale of normal deviates, where
a shift moves it evenly, and held against the long-run variance that the canary, moved back by its
typical distance, shows: a variance taken at the limit itself would shrink with the very harm that
it is to judge, and with it the error rates far out (measured: 20 to 50 times too many at 1e-4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import special

from judges.core import placing
from judges.core.compiled import Loops
from judges.core.dependence import LongRuns, long_runs
from judges.core.influence import chosen, is_shared, slow
from judges.core.placing import TIE, midranks
from judges.core.studentized import RANKS, Studentized, studentize

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
Mask = NDArray[np.bool_]

# Density of the standard normal at 0: turns a probability's deviate into its own unit, near 1/2.
_LEVEL_HALF = 1 / math.sqrt(2 * math.pi)


class RankMethod(StrEnum):
    """Which statistic compares the sides."""

    PLACEMENTS = "placements"
    SIGNED_RANKS = "signed_ranks"


@dataclass(frozen=True, kw_only=True, eq=False)
class Pairs:
    """Series paired by step, a row a pair, sorted once.

    Attributes:
        baseline: Shape (m, n), in time order.
        canary: Shape (m, n), in time order.
        order_baseline: The steps of each row in ascending order of the baseline.
        order_canary: The steps of each row in ascending order of the canary.
        loops: The compiled ones; numpy's where there are none.
    """

    baseline: Array
    canary: Array
    order_baseline: Indices
    order_canary: Indices
    loops: Loops = None

    @classmethod
    def of(cls, baseline: Array, canary: Array, loops: Loops = None) -> Pairs:
        """Sort both sides, each of shape (m, n)."""
        return cls(
            baseline=baseline,
            canary=canary,
            order_baseline=np.argsort(baseline, axis=1),
            order_canary=np.argsort(canary, axis=1),
            loops=loops,
        )

    @property
    def n(self) -> int:
        """Steps of each pair."""
        return int(self.canary.shape[1])

    def moved(self, baseline: Array) -> Pairs:
        """Give the same canaries against other baselines of the same shape."""
        return Pairs(
            baseline=baseline,
            canary=self.canary,
            order_baseline=np.argsort(baseline, axis=1),
            order_canary=self.order_canary,
            loops=self.loops,
        )

    @cached_property
    def ascending(self) -> tuple[Array, Array]:
        """Baseline and canary in ascending order, shape (m, n) each."""
        return (
            np.take_along_axis(self.baseline, self.order_baseline, axis=1),
            np.take_along_axis(self.canary, self.order_canary, axis=1),
        )

    def placements(self, shift: Array, rows: Mask | None = None) -> tuple[Array, Array]:
        """Give each value's place among the other side's: (of the canary, of the baseline).

        The places lie in [0, 1]; the mean of the first is the probability that a canary value
        exceeds a baseline value moved by `shift`, shape (m,), ties counted half.

        Args:
            shift: Shape (m,), in working units.
            rows: Shape (m,): the pairs asked for; all where there is none.
        """
        at = np.s_[:] if rows is None or rows.all() else rows
        baseline, canary = (side[at] for side in self.ascending)
        orders = self.order_baseline[at], self.order_canary[at]
        return placing.placements(baseline + shift[at, np.newaxis], canary, *orders, self.loops)

    @cached_property
    def _midranks(self) -> tuple[Array, Array]:
        """Ranks of baseline and canary among their own side."""
        return (
            midranks(self.baseline, self.order_baseline, self.loops),
            midranks(self.canary, self.order_canary, self.loops),
        )

    def studentized(self, is_signed: Mask, shift: Array, runs: LongRuns) -> Studentized:
        """Compare each canary with its baseline moved by `shift`.

        Args:
            is_signed: Shape (m,): whether signed ranks compare the sides, or placements.
            shift: Shape (m,), in working units.
            runs: What is known of the statistics' dependence, as `runs` gives it.
        """
        effect = _LEVEL_HALF * special.ndtri(self._exceedance(is_signed, shift))
        return studentize(effect, runs, self.n, trust=RANKS)

    def _exceedance(self, is_signed: Mask, shift: Array) -> Array:
        """Give the probability that a canary value lies above; of signed ranks, a Walsh average.

        Complete separation counts as half a pair against it.
        """
        baseline, canary = self.ascending
        moved = baseline + shift[:, np.newaxis]
        above = placing.places(moved, canary, self.order_canary, self.loops).sum(axis=1) / self.n
        if is_signed.any():
            differences = self.canary[is_signed] - self.baseline[is_signed]
            ranks = signed_ranks(differences - shift[is_signed, np.newaxis], self.loops)
            above[is_signed] = 0.5 + ranks.sum(axis=1) / self.n
        least = 0.5 / np.where(is_signed, self.n * (self.n + 1) / 2, self.n * self.n)
        exceedance: Array = np.clip(above, least, 1 - least)
        return exceedance

    def runs(self, is_signed: Mask) -> LongRuns:
        """Describe the dependence of each statistic, with the canary moved back: noise alone."""
        differences = self.canary - self.baseline
        middle = row_medians(differences)

        def paired(rows: Mask) -> LongRuns:
            return long_runs(signed_ranks(differences[rows] - middle[rows, np.newaxis], self.loops))

        def apart(rows: Mask) -> LongRuns:
            return long_runs(*self.placements(middle, rows))

        found = chosen(is_signed, paired, apart)
        # Placements of sides that hardly overlap even then leave nothing to vary.
        is_bare = found.variance <= 0
        return chosen(is_bare, paired, found.rows) if is_bare.any() else found

    def slow(self, is_signed: Mask) -> Mask:
        """Tell whether a slow part seems to hide under fast noise, of each pair; shape (m,)."""
        baseline, canary = self._midranks
        return slow(is_signed, canary, baseline)

    def choose(self) -> Mask:
        """Choose the statistic of each pair: signed ranks where the sides share a pattern.

        A constant difference between the sides does not change the choice.

        Returns:
            Shape (m,): whether signed ranks compare the sides.
        """
        baseline, canary = self._midranks
        return is_shared(canary, baseline)


def reach(deviation: Array) -> Array:
    """Give how far from 1/2 a probability lies that deviates by so much, in its unit near 1/2."""
    away: Array = special.ndtr(deviation / _LEVEL_HALF) - 0.5
    return away


def signed_ranks(differences: Array, loops: Loops = None) -> Array:
    """Give sign times rank of the absolute difference, scaled to (-1, 1); shape (m, n)."""
    size = np.abs(differences)
    signs = np.where(size > TIE, np.sign(differences), 0.0)
    scaled: Array = signs * midranks(size, loops=loops) / (differences.shape[1] + 1)
    return scaled


def row_medians(values: Array) -> Array:
    """Give the median of each row, shape (m, n), n > 0."""
    n = values.shape[1]
    halves = np.partition(values, n // 2, axis=1)
    upper = halves[:, n // 2]
    if n % 2:
        return upper
    middle: Array = halves[:, : n // 2].max(axis=1) / 2 + upper / 2
    return middle
