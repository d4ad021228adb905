"""The scale on which two gauges are compared: ratios where all values are positive, else shifts."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from judges.core import pods
from judges.core.judgment import Estimate, Interval, Scale
from judges.core.limits import Limit
from judges.core.parameters import Pods
from judges.core.pods import Clusters
from judges.core.ranks import row_medians
from judges.core.sample import Sample

Array = NDArray[np.float64]

# An absurd reading must not make all others look alike: no value exceeds the unit by more.
_SPAN = 1e9
# Values that small are zero to any metric, and a smaller unit would overflow the quotient.
_LEAST_UNIT = 1e-290
# An absolute limit of more units than this lies beyond everything.
_MOST = 1e300
# Digits of an estimate on the working scale: a bound found just beyond a tie is quoted as the tie.
_DIGITS = 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scaled:
    """Both sides on the working scale.

    Attributes:
        baseline: Shape (n,): logarithms on the ratio scale, values over `unit` otherwise.
        canary: The same of the canary.
        scale: `RATIO` or `DIFFERENCE`.
        unit: What one working unit is in the metric's unit, on the difference scale.
        level_baseline: Median of the baseline, in the metric's unit.
        level_canary: Median of the canary, in the metric's unit.
    """

    baseline: Array
    canary: Array
    scale: Scale
    unit: float
    level_baseline: float
    level_canary: float

    def part(self, start: int, stop: int) -> Scaled:
        """Give the steps from `start` to before `stop`."""
        return replace(self, baseline=self.baseline[start:stop], canary=self.canary[start:stop])

    def moved(self, limit: Limit, sign: int) -> Array:
        """Give the baseline moved to the worst level still within the limit."""
        if self.scale is Scale.RATIO:
            return self.baseline + sign * math.log(limit.ratio)
        in_unit = replace(limit, absolute=min(limit.absolute / self.unit, _MOST))
        return in_unit.apply(self.baseline, sign)

    def clusters(self, mode: Pods, sample: Sample) -> Clusters | None:
        """Describe the pods on the working scale, each by its median level."""
        if not pods.are_there(sample):
            return None
        levels, canary = pods.levels(sample.baseline), pods.count(sample.canary.rows)
        if self.scale is Scale.RATIO:
            return pods.clusters(mode, np.log(levels[levels > 0]), canary)
        size = abs(self.level_baseline) / self.unit
        return pods.clusters(mode, levels / self.unit, canary, size=size)

    def estimate(self, shift: float, interval: Interval) -> Estimate:
        """Give a shift and its bounds as a person would quote them."""
        return Estimate(
            value=self._quoted(shift),
            scale=self.scale,
            interval=replace(
                interval, lower=self._quoted(interval.lower), upper=self._quoted(interval.upper)
            ),
            baseline=self.level_baseline,
            canary=self.level_canary,
        )

    def levels(self) -> Estimate:
        """Give the levels alone, where no effect was estimated."""
        return Estimate(
            value=None,
            scale=self.scale,
            baseline=self.level_baseline,
            canary=self.level_canary,
        )

    def _quoted(self, shift: float | None) -> float | None:
        if shift is None:
            return None
        shift = round(shift, _DIGITS)
        value = math.exp(min(shift, 700.0)) if self.scale is Scale.RATIO else shift * self.unit
        return value if math.isfinite(value) else None


def scaled(baseline: Array, canary: Array, *, absolute: bool) -> Scaled:
    """Choose the scale: ratios where every value is positive and no absolute limit is set.

    Args:
        baseline: Shape (n,), finite, in the metric's unit.
        canary: Shape (n,), finite.
        absolute: Whether a limit is absolute, which only differences can express.
    """
    levels = _median(baseline), _median(canary)
    if not absolute and min(baseline.min(), canary.min()) > 0:
        return _on(Scale.RATIO, np.log(baseline), np.log(canary), 1.0, levels)
    unit = _typical(np.abs(np.concatenate((baseline, canary))))
    return _on(Scale.DIFFERENCE, baseline / unit, canary / unit, unit, levels)


def _on(
    scale: Scale, baseline: Array, canary: Array, unit: float, levels: tuple[float, float]
) -> Scaled:
    return Scaled(
        baseline=baseline,
        canary=canary,
        scale=scale,
        unit=unit,
        level_baseline=levels[0],
        level_canary=levels[1],
    )


def _median(values: Array) -> float:
    """Give the median, five times as fast as numpy does, which also overflows in the middle."""
    return float(row_medians(values[np.newaxis])[0])


def _typical(sizes: Array) -> float:
    """Choose the unit of values of these sizes, shape (n,): the median of those not zero."""
    known = np.sort(sizes[sizes > 0])
    if len(known) == 0:
        return 1.0
    return max(float(known[len(known) // 2]), float(known[-1]) / _SPAN, _LEAST_UNIT)
