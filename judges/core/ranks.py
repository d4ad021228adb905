"""Rank statistics of two paired series, robust against autocorrelation.

Two statistics answer "does the canary tend to lie above the moved baseline?":

* placements (Brunner & Munzel 2000, Biometrical Journal 42): each value's place among the other
  side's, right when the sides vary independently;
* signed ranks (Wilcoxon) of the paired differences, right when the sides share a pattern, because
  the pattern cancels in the difference.

Both are means of one influence value per step, so both are studentized by the long-run variance of
that series; steps of one minute stay together, whatever the autocorrelation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from judges.core.dependence import long_run
from judges.core.studentized import RANKS, Studentized, studentize

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

# Working values (logarithms, or multiples of a typical value) closer than this are equal. A change
# of the unit, or a limit that the canary meets exactly, rounds the last digits; it must neither
# break a tie nor make one.
TIE = 1e-12
# Sides that agree in rank more than this share a pattern (load, season): pair them. Persistent
# differences are paired as well: the signed ranks hold their size there and placements do not.
SHARED_PATTERN, PERSISTENT = 0.5, 0.5


class RankMethod(StrEnum):
    """Which statistic compares the sides."""

    PLACEMENTS = "placements"
    SIGNED_RANKS = "signed_ranks"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pair:
    """Two series paired by step, sorted once, so that many shifts can be tried.

    Attributes:
        baseline: Shape (n,), in time order.
        canary: Shape (n,), in time order.
        order_baseline: The steps in ascending order of the baseline.
        order_canary: The steps in ascending order of the canary.
    """

    baseline: Array
    canary: Array
    order_baseline: Indices
    order_canary: Indices

    @classmethod
    def of(cls, baseline: Array, canary: Array) -> Pair:
        """Sort both series, each of shape (n,)."""
        return cls(
            baseline=baseline,
            canary=canary,
            order_baseline=np.argsort(baseline),
            order_canary=np.argsort(canary),
        )

    def placements(self, shift: float = 0.0) -> tuple[Array, Array]:
        """Give each value's place among the other side's: (of the canary, of the baseline).

        The places lie in [0, 1]; the mean of the first is the probability that a canary value
        exceeds a baseline value moved by `shift`, ties counted half.
        """
        n, m = len(self.baseline), len(self.canary)
        canary = self.canary[self.order_canary]
        baseline = self.baseline[self.order_baseline] + shift
        below = np.searchsorted(baseline, canary - TIE, side="left")
        up_to = np.searchsorted(baseline, canary + TIE, side="right")
        of_canary, of_baseline = np.empty(m), np.empty(n)
        of_canary[self.order_canary] = (below + up_to) / (2 * n)
        # The i-th baseline value exceeds those canary values that at most i of its kind reach.
        reached = np.bincount(below, minlength=n + 1) + np.bincount(up_to, minlength=n + 1)
        of_baseline[self.order_baseline] = np.cumsum(reached[:n]) / (2 * m)
        return of_canary, of_baseline

    def studentized(self, method: RankMethod, shift: float = 0.0) -> Studentized:
        """Compare the canary with the baseline moved by `shift`."""
        if method is RankMethod.PLACEMENTS:
            of_canary, of_baseline = self.placements(shift)
            influence = of_canary - of_baseline
            # Complete separation leaves placements nothing to vary; signed ranks see the noise.
            found = studentize(
                influence, float(influence.sum()) / (2 * len(influence)), trust=RANKS
            )
            if found.run.variance > 0:
                return found
        influence = signed_ranks(self.canary - self.baseline - shift)
        return studentize(influence, float(influence.sum()) / len(influence), trust=RANKS)

    def choose(self) -> RankMethod:
        """Choose the statistic: paired where the sides share a pattern or differ persistently.

        A constant difference between the sides does not change the choice.
        """
        ranks = [
            midranks(side, order)
            for side, order in (
                (self.baseline, self.order_baseline),
                (self.canary, self.order_canary),
            )
        ]
        if _correlation(*ranks) > SHARED_PATTERN:
            return RankMethod.SIGNED_RANKS
        differences = self.canary - self.baseline
        centred = signed_ranks(differences - np.median(differences))
        persistent = long_run(centred).autocorrelation > PERSISTENT
        return RankMethod.SIGNED_RANKS if persistent else RankMethod.PLACEMENTS


def midranks(values: Array, order: Indices | None = None) -> Array:
    """Rank values, shape (n,), from 1; ties share the mean of their ranks.

    Args:
        values: Shape (n,).
        order: Their ascending order, where it is known already.
    """
    order = np.argsort(values) if order is None else order
    starts, sizes = _ties(values[order])
    ranks = np.empty(len(values))
    ranks[order] = np.repeat(starts + (sizes + 1) / 2, sizes)
    return ranks


def tie_sizes(values: Array) -> Array:
    """Count the members of each group of equal values."""
    return _ties(np.sort(values))[1].astype(np.float64)


def _ties(in_order: Array) -> tuple[Indices, Indices]:
    """Tell where in an ascending series each group of equal values starts, and how many it has."""
    first = np.ones(len(in_order), dtype=np.bool_)
    np.greater(in_order[1:] - in_order[:-1], TIE, out=first[1:])
    starts = np.flatnonzero(first)
    return starts, np.concatenate((starts[1:], [len(in_order)])) - starts


def signed_ranks(differences: Array) -> Array:
    """Give sign times rank of the absolute difference, scaled to (-1, 1); shape (n,)."""
    size = np.abs(differences)
    signs = np.where(size > TIE, np.sign(differences), 0.0)
    return np.asarray(signs * midranks(size) / (len(differences) + 1), dtype=np.float64)


def _correlation(x: Array, y: Array) -> float:
    u, v = x - x.mean(), y - y.mean()
    scale = math.sqrt(float(u @ u) * float(v @ v))
    return float(u @ v) / scale if scale > 0 else 0.0
