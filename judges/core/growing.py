"""What of a sample can be asked how it grows: both sides' levels, and the pods that stayed.

A pod that came or went within the window moves the mean of its side by its level, not by growth; a
young one starts up while the others have settled. Only pods that were there from the start of the
window to its end say how a side grows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from judges.core.dependence import magnitude
from judges.core.parameters import Pods
from judges.core.pods import LEAST_KNOWN, LEAST_PODS
from judges.core.sample import Array, Ratio, Sample, Side, Values

# A pod may come so much of the window after its start and go so much before its end.
SLACK = 0.1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Growing:
    """Both sides of a sample, in one unit of about the largest value.

    Attributes:
        steps: Shape (window,): numbers of the steps, from the first both sides know to the last.
        baseline: Shape (window,): the baseline's level, NaN where unknown.
        canary: The same of the canary.
        pods_baseline: Shape (pods, window): pods that stayed, where pods are replicates.
        pods_canary: The same of the canary.
        left_out: Pods of baseline and canary that came or went.
        unit: What one unit is, in the metric's unit.
    """

    steps: Array
    baseline: Array
    canary: Array
    pods_baseline: Array
    pods_canary: Array
    left_out: tuple[int, int]
    unit: float

    @classmethod
    def of(cls, sample: Sample, mode: Pods) -> Growing:
        """Read a sample of values or quotients."""
        window = _window(sample.baseline.series(), sample.canary.series())
        baseline, canary = (
            _Stayed.of(side, window, mode) for side in (sample.baseline, sample.canary)
        )
        values = (baseline.level, canary.level, baseline.pods, canary.pods)
        unit = magnitude(np.concatenate([np.nan_to_num(one).ravel() for one in values]))
        return cls(
            steps=np.arange(len(baseline.level), dtype=np.float64),
            baseline=baseline.level / unit,
            canary=canary.level / unit,
            pods_baseline=baseline.pods / unit,
            pods_canary=canary.pods / unit,
            left_out=(baseline.left_out, canary.left_out),
            unit=unit,
        )

    @property
    def n(self) -> int:
        """Steps that both sides know."""
        return int(np.count_nonzero(self.known))

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which steps both sides know, shape (window,)."""
        known: NDArray[np.bool_] = np.isfinite(self.baseline) & np.isfinite(self.canary)
        return known

    @property
    def has_pods(self) -> bool:
        """Whether the baseline shows how much its pods differ, and the canary has one that stayed.

        Without the baseline's own differences the steps must say what chance does.
        """
        return len(self.pods_baseline) >= LEAST_PODS and len(self.pods_canary) > 0

    @property
    def is_flat(self) -> bool:
        """Whether neither side ever moved."""
        return all(float(np.ptp(side[self.known])) == 0 for side in (self.baseline, self.canary))

    @property
    def is_deserted(self) -> bool:
        """Whether a side showed pods, and none of them stayed."""
        return len(self.pods_baseline) == 0 or len(self.pods_canary) == 0

    def level(self) -> float:
        """Give the baseline's level: the median of the steps that both sides know."""
        return float(np.median(self.baseline[self.known]))

    def canary_level(self) -> float:
        """Give the canary's."""
        return float(np.median(self.canary[self.known]))

    def canary_end(self) -> float:
        """Give the canary's level at the end: the median of its last tenth."""
        known = self.canary[self.known]
        return float(np.median(known[-max(1, round(SLACK * len(known))) :]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Stayed:
    """A side within the window: its level, the pods that stayed, and how many did not."""

    level: Array
    pods: Array
    left_out: int

    @classmethod
    def of(cls, side: Side, window: slice, mode: Pods) -> _Stayed:
        pods = _by_pod(side)
        if mode is Pods.IGNORE or len(pods) == 1:
            level = side.series()[window]
            return cls(level=level, pods=level[np.newaxis], left_out=0)
        stayed = _were_there(pods[:, window])
        return cls(
            level=_only(side, stayed).series()[window],
            pods=pods[stayed][:, window],
            left_out=int((~stayed).sum()),
        )


def _window(baseline: Array, canary: Array) -> slice:
    both = np.flatnonzero(np.isfinite(baseline) & np.isfinite(canary))
    return slice(int(both[0]), int(both[-1]) + 1) if len(both) else slice(0, 0)


def _by_pod(side: Side) -> Array:
    """Give each pod's value in each step, shape (pods, steps)."""
    if not isinstance(side, Ratio):
        return side.rows
    # A pod without a single event may have no row of events; only the sides' sums are then known.
    if side.numerator.shape != side.denominator.shape:
        return side.series()[np.newaxis]
    by_pod = zip(side.numerator, side.denominator, strict=True)
    rows = [Ratio(numerator=events, denominator=total).series() for events, total in by_pod]
    return np.array(rows).reshape(len(rows), side.steps)


def _were_there(rows: Array) -> NDArray[np.bool_]:
    """Tell of each pod, a row of shape (pods, window), whether it was there all along."""
    known, steps = np.isfinite(rows), rows.shape[1]
    slack = max(1, round(SLACK * steps))
    whole: NDArray[np.bool_] = (
        known[:, :slack].any(axis=1)
        & known[:, -slack:].any(axis=1)
        & (known.sum(axis=1) > LEAST_KNOWN * steps)
    )
    return whole


def _only(side: Side, kept: NDArray[np.bool_]) -> Side:
    if kept.all():
        return side
    if isinstance(side, Ratio):
        return Ratio(numerator=side.numerator[kept], denominator=side.denominator[kept])
    return Values(values=side.rows[kept])
