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

from judges.core.dependence import LongRun, long_run
from judges.core.evidence import normal_deviate

Array = NDArray[np.float64]

# Sides that agree in rank more than this share a pattern (load, season): pair them. Persistent
# differences are paired as well: the signed ranks hold their size there and placements do not.
SHARED_PATTERN, PERSISTENT = 0.5, 0.5


class RankMethod(StrEnum):
    """Which statistic compares the sides."""

    PLACEMENTS = "placements"
    SIGNED_RANKS = "signed_ranks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Studentized:
    """A mean influence over its long-run standard error.

    Attributes:
        t: The statistic; positive where the canary tends to lie above.
        df: Degrees of freedom of its t reference.
        run: What is known of the dependence.
    """

    t: float
    df: float
    run: LongRun

    @property
    def z(self) -> float:
        """The standard normal deviate with the same tail probability."""
        return normal_deviate(self.t, self.df)


def midranks(values: Array) -> Array:
    """Rank values, shape (n,), from 1; ties share the mean of their ranks."""
    order = np.argsort(values, kind="stable")
    in_order = values[order]
    first = np.concatenate(([True], in_order[1:] != in_order[:-1]))
    bounds = np.append(np.flatnonzero(first), len(values))
    group = np.cumsum(first) - 1
    ranks = np.empty(len(values))
    ranks[order] = (bounds[group] + bounds[group + 1] + 1) / 2
    return ranks


def placements(baseline: Array, canary: Array) -> tuple[Array, Array]:
    """Give each value's place among the other side's: (of the canary, of the baseline), in [0, 1].

    The mean of the first is the probability that a canary value exceeds a baseline value, ties
    counted half.
    """
    return _mid_ecdf(baseline, canary), _mid_ecdf(canary, baseline)


def _mid_ecdf(reference: Array, at: Array) -> Array:
    in_order = np.sort(reference)
    below = np.searchsorted(in_order, at, side="left")
    up_to = np.searchsorted(in_order, at, side="right")
    return np.asarray((below + up_to) / (2 * len(reference)), dtype=np.float64)


def signed_ranks(differences: Array) -> Array:
    """Give sign times rank of the absolute difference, scaled to (-1, 1); shape (n,)."""
    ranks = midranks(np.abs(differences))
    return np.asarray(np.sign(differences) * ranks / (len(differences) + 1), dtype=np.float64)


def choose(baseline: Array, canary: Array) -> RankMethod:
    """Choose the statistic from the data: paired where the sides share a pattern or persist.

    A constant difference between the sides does not change the choice.
    """
    if _correlation(midranks(baseline), midranks(canary)) > SHARED_PATTERN:
        return RankMethod.SIGNED_RANKS
    differences = canary - baseline
    centred = signed_ranks(differences - np.median(differences))
    persistent = long_run(centred).autocorrelation > PERSISTENT
    return RankMethod.SIGNED_RANKS if persistent else RankMethod.PLACEMENTS


def studentized(method: RankMethod, baseline: Array, canary: Array) -> Studentized:
    """Compare the canary with the baseline, both of shape (n,), paired by step."""
    if method is RankMethod.PLACEMENTS:
        of_canary, of_baseline = placements(baseline, canary)
        influence = of_canary - of_baseline
        # Complete separation leaves placements nothing to vary; signed ranks still see the noise.
        if np.ptp(influence) > 0:
            return _studentize(influence, float(influence.mean()) / 2)
    influence = signed_ranks(canary - baseline)
    return _studentize(influence, float(influence.mean()))


def _studentize(influence: Array, effect: float) -> Studentized:
    n = len(influence)
    run = long_run(influence)
    # No sample of n steps can promise a smaller variance than one step of opposite sign would give.
    variance = max(run.variance, 4 * effect * effect / n)
    t = effect / math.sqrt(variance / n) if variance > 0 else 0.0
    return Studentized(t=t, df=run.df, run=run)


def _correlation(x: Array, y: Array) -> float:
    u, v = x - x.mean(), y - y.mean()
    scale = math.sqrt(float(u @ u) * float(v @ v))
    return float(u @ v) / scale if scale > 0 else 0.0
