"""Rank statistics of paired series, robust against autocorrelation, for many pairs at once.

Two statistics answer "does the canary tend to lie above the moved baseline?":

* placements (Brunner & Munzel 2000, Biometrical Journal 42): each value's place among the other
  side's, right when the sides vary independently;
* signed ranks (Wilcoxon) of the paired differences, right when the sides share a pattern, because
  the pattern cancels in the difference.

Both are means of one influence value per step, so both are studentized by the long-run variance of
that series; steps of one minute stay together, whatever the autocorrelation.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from judges.core import placing
from judges.core.dependence import long_runs, row_dot
from judges.core.placing import TIE, midranks
from judges.core.pods import Clusters
from judges.core.studentized import RANKS, Studentized, studentize

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
Mask = NDArray[np.bool_]

# Sides that agree in rank more than this share a pattern (load, season): pair them. Persistent
# differences are paired as well: the signed ranks hold their size there and placements do not.
SHARED_PATTERN, PERSISTENT = 0.5, 0.5


class RankMethod(StrEnum):
    """Which statistic compares the sides."""

    PLACEMENTS = "placements"
    SIGNED_RANKS = "signed_ranks"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """Series paired by step, a row a pair, sorted once.

    Attributes:
        baseline: Shape (m, n), in time order.
        canary: Shape (m, n), in time order.
        order_baseline: The steps of each row in ascending order of the baseline.
        order_canary: The steps of each row in ascending order of the canary.
    """

    baseline: Array
    canary: Array
    order_baseline: Indices
    order_canary: Indices

    @classmethod
    def of(cls, baseline: Array, canary: Array) -> Pairs:
        """Sort both sides, each of shape (m, n)."""
        return cls(
            baseline=baseline,
            canary=canary,
            order_baseline=np.argsort(baseline, axis=1),
            order_canary=np.argsort(canary, axis=1),
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
        )

    def ascending(self) -> tuple[Array, Array]:
        """Give baseline and canary in ascending order, shape (m, n) each."""
        return (
            np.take_along_axis(self.baseline, self.order_baseline, axis=1),
            np.take_along_axis(self.canary, self.order_canary, axis=1),
        )

    def placements(self, shift: Array) -> tuple[Array, Array]:
        """Give each value's place among the other side's: (of the canary, of the baseline).

        The places lie in [0, 1]; the mean of the first is the probability that a canary value
        exceeds a baseline value moved by `shift`, shape (m,), ties counted half.
        """
        baseline, canary = self.ascending()
        moved = baseline + shift[:, np.newaxis]
        return placing.placements(moved, canary, self.order_baseline, self.order_canary)

    def studentized(
        self,
        is_signed: Mask,
        shift: Array,
        *,
        within: Array | None = None,
        clusters: tuple[Clusters | None, ...] = (),
    ) -> Studentized:
        """Compare each canary with its baseline moved by `shift`.

        Args:
            is_signed: Shape (m,): whether signed ranks compare the sides, or placements.
            shift: Shape (m,), in working units.
            within: Shape (m,): variance of the shift itself, which pods are held against.
            clusters: The pods of each pair.
        """
        influence, signed = self._influence(is_signed, shift)
        effect = influence.sum(axis=1) / np.where(signed, self.n, 2 * self.n)
        return studentize(
            effect, long_runs(influence), self.n, trust=RANKS, within=within, clusters=clusters
        )

    def _influence(self, is_signed: Mask, shift: Array) -> tuple[Array, Mask]:
        """Give each step's part in the statistics, and which of them are signed ranks."""
        if is_signed.all():
            return signed_ranks(self.canary - self.baseline - shift[:, np.newaxis]), is_signed
        of_canary, of_baseline = self.placements(shift)
        influence = of_canary - of_baseline
        # Complete separation leaves placements nothing to vary; signed ranks see the noise.
        signed: Mask = is_signed | (np.ptp(influence, axis=1) <= TIE)
        if signed.any():
            differences = self.canary[signed] - self.baseline[signed]
            influence[signed] = signed_ranks(differences - shift[signed, np.newaxis])
        return influence, signed

    def choose(self) -> Mask:
        """Choose the statistic of each pair: paired, where the sides share a pattern or drift.

        A constant difference between the sides does not change the choice.

        Returns:
            Shape (m,): whether signed ranks compare the sides.
        """
        ranks = (
            midranks(self.baseline, self.order_baseline),
            midranks(self.canary, self.order_canary),
        )
        shared = _correlations(*ranks) > SHARED_PATTERN
        differences = self.canary - self.baseline
        middle = row_medians(differences)
        centred = signed_ranks(differences - middle[:, np.newaxis])
        persistent: Mask = long_runs(centred).autocorrelation > PERSISTENT
        return shared | persistent


def signed_ranks(differences: Array) -> Array:
    """Give sign times rank of the absolute difference, scaled to (-1, 1); shape (m, n)."""
    size = np.abs(differences)
    signs = np.where(size > TIE, np.sign(differences), 0.0)
    scaled: Array = signs * midranks(size) / (differences.shape[1] + 1)
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


def _correlations(x: Array, y: Array) -> Array:
    u, v = (side - side.mean(axis=1, keepdims=True) for side in (x, y))
    scale = np.sqrt(row_dot(u, u) * row_dot(v, v))
    return np.divide(row_dot(u, v), scale, out=np.zeros_like(scale), where=scale > 0)
