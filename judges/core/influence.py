"""Each step's part in an effect, side by side: what makes an estimate a statistic.

An effect that is asymptotically linear is the mean of one value a step. Where both sides share a
pattern (load, season) it cancels in the difference of their values of the same step; where they do
not, their variances add, and both sides tell of the dependence from step to step.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from judges.core.dependence import Array, LongRuns, hides_slow_part, long_runs, row_dot
from judges.core.evidence import Mask

# Sides share a pattern where they correlate by more than this, and by more than chance would have
# them: so many standard errors, with the independent steps of their difference.
SHARED_PATTERN, CHANCE = 0.3, 2.5
# Sides that take load from each other differ by more than their own variances say. That is guarded
# against sooner (measured at a correlation of -.4: 10 % false alarms instead of 6 %), but only
# where the differences do vary by more, or chance would choose the estimate with fewer degrees.
OPPOSED_PATTERN, OPPOSED_CHANCE = 0.1, 0.7


@dataclass(frozen=True, kw_only=True, eq=False)
class Influence:
    """Each step's part in the effects of many metrics.

    Attributes:
        canary: Shape (m, n): the canary's parts; need not be centred.
        baseline: Shape (m, n): the baseline's, to be subtracted.
    """

    canary: Array
    baseline: Array

    @cached_property
    def runs(self) -> LongRuns:
        """What is known of the dependence of the steps, of each metric."""
        shared, paired, apart = self._found
        return chosen(shared, paired, apart)

    @property
    def slow(self) -> Mask:
        """Whether a slow part seems to hide under fast noise, of each metric; shape (m,)."""
        shared, _, _ = self._found
        paired = hides_slow_part([self.canary - self.baseline])
        return np.where(shared, paired, hides_slow_part([self.canary, self.baseline]))

    @cached_property
    def _found(self) -> tuple[Mask, LongRuns, LongRuns]:
        paired = long_runs(self.canary - self.baseline)
        apart = long_runs(self.canary, self.baseline)
        return is_shared(self.canary, self.baseline, paired, apart), paired, apart


def chosen(shared: Mask, paired: LongRuns, apart: LongRuns) -> LongRuns:
    """Take the paired estimate where `shared` says so, shape (m,), and the other elsewhere."""
    return LongRuns(
        variance=np.where(shared, paired.variance, apart.variance),
        df=np.where(shared, paired.df, apart.df),
        n_effective=np.where(shared, paired.n_effective, apart.n_effective),
        autocorrelation=np.where(shared, paired.autocorrelation, apart.autocorrelation),
    )


def is_shared(canary: Array, baseline: Array, paired: LongRuns, apart: LongRuns) -> Mask:
    """Tell of each metric whether its sides share a pattern, or oppose each other.

    Args:
        canary: Shape (m, n).
        baseline: Shape (m, n).
        paired: What is known of the dependence of their differences.
        apart: What is known of them if they are independent.
    """
    correlation, error = _correlations(canary, baseline), 1 / np.sqrt(paired.n_effective)
    shared: Mask = correlation > np.maximum(SHARED_PATTERN, CHANCE * error)
    opposed: Mask = correlation < -np.maximum(OPPOSED_PATTERN, OPPOSED_CHANCE * error)
    return shared | (opposed & (paired.variance > apart.variance))


def _correlations(x: Array, y: Array) -> Array:
    u, v = (side - side.mean(axis=1, keepdims=True) for side in (x, y))
    scale = np.sqrt(row_dot(u, u)) * np.sqrt(row_dot(v, v))
    found: Array = np.divide(row_dot(u, v), scale, out=np.zeros_like(scale), where=scale > 0)
    return found
