"""Each step's part in an effect, side by side: what makes an estimate a statistic.

An effect that is asymptotically linear is the mean of one value a step. Where both sides share a
pattern (load, season) it cancels in the difference of their values of the same step; where they do
not, their variances add, and both sides tell of the dependence from step to step.
"""

from __future__ import annotations

from collections.abc import Callable
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
        return chosen(
            self._shared,
            lambda rows: long_runs(self.canary[rows] - self.baseline[rows]),
            lambda rows: long_runs(self.canary[rows], self.baseline[rows]),
        )

    @property
    def slow(self) -> Mask:
        """Whether a slow part seems to hide under fast noise, of each metric; shape (m,)."""
        return slow(self._shared, self.canary, self.baseline)

    @cached_property
    def _shared(self) -> Mask:
        return is_shared(self.canary, self.baseline)


def chosen(
    shared: Mask, paired: Callable[[Mask], LongRuns], apart: Callable[[Mask], LongRuns]
) -> LongRuns:
    """Take the paired estimate where `shared` says so, shape (m,), and the other elsewhere.

    Args:
        shared: Shape (m,).
        paired: Estimates the rows of a mask of shape (m,), from the differences.
        apart: Estimates them as if the sides were independent.
    """
    if not shared.any():
        return apart(~shared)
    return paired(shared) if shared.all() else paired(shared).among(shared, apart(~shared))


def slow(shared: Mask, canary: Array, baseline: Array) -> Mask:
    """Tell of each metric whether a slow part seems to hide under fast noise.

    Args:
        shared: Shape (m,): whether the differences are looked at, or both sides.
        canary: Shape (m, n).
        baseline: Shape (m, n).
    """
    hidden, apart = np.empty(len(shared), dtype=np.bool_), ~shared
    if shared.any():
        hidden[shared] = hides_slow_part([canary[shared] - baseline[shared]])
    if apart.any():
        hidden[apart] = hides_slow_part([canary[apart], baseline[apart]])
    return hidden


def is_shared(canary: Array, baseline: Array) -> Mask:
    """Tell of each metric whether its sides share a pattern, or oppose each other.

    Args:
        canary: Shape (m, n).
        baseline: Shape (m, n).
    """
    correlation = _correlations(canary, baseline)
    # Most sides hardly correlate: their dependence need not be known.
    near = (correlation > SHARED_PATTERN) | (correlation < -OPPOSED_PATTERN)
    if near.any():
        near[near] = _is_beyond_chance(correlation[near], canary[near], baseline[near])
    return near


def _is_beyond_chance(correlation: Array, canary: Array, baseline: Array) -> Mask:
    paired, apart = long_runs(canary - baseline), long_runs(canary, baseline)
    error = 1 / np.sqrt(paired.n_effective)
    shared: Mask = correlation > np.maximum(SHARED_PATTERN, CHANCE * error)
    opposed: Mask = correlation < -np.maximum(OPPOSED_PATTERN, OPPOSED_CHANCE * error)
    return shared | (opposed & (paired.variance > apart.variance))


def _correlations(x: Array, y: Array) -> Array:
    u, v = (side - side.mean(axis=1, keepdims=True) for side in (x, y))
    scale = np.sqrt(row_dot(u, u)) * np.sqrt(row_dot(v, v))
    found: Array = np.divide(row_dot(u, v), scale, out=np.zeros_like(scale), where=scale > 0)
    return found
