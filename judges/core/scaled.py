"""The scale on which two gauges are compared: ratios where all values are positive, else shifts."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from judges.core.judgment import Estimate, Interval, Scale
from judges.core.limits import Limit

Array = NDArray[np.float64]

# Values closer than this (relative to their size) are equal: so a change of the unit, which rounds
# the last digits, cannot break a tie or make one.
_DIGITS = 12


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

    def shifted(self, shift: float) -> Array:
        """Give the baseline moved by a shift on the working scale."""
        return np.round(self.baseline + shift, _DIGITS)

    def moved(self, limit: Limit, sign: int) -> Array:
        """Give the baseline moved to the worst level still within the limit."""
        if self.scale is Scale.RATIO:
            return self.shifted(sign * math.log(limit.ratio))
        in_unit = replace(limit, absolute=limit.absolute / self.unit)
        return np.round(in_unit.apply(self.baseline, sign), _DIGITS)

    def reach(self, centre: float) -> float:
        """Give the distance from a shift beyond which no shift changes any rank."""
        differences = self.canary - self.baseline
        # Pairs of different steps matter too, so the spread of both sides is counted.
        spread = float(np.ptp(self.canary) + np.ptp(self.baseline))
        return float(np.max(np.abs(differences - centre))) + spread

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
        value = math.exp(min(shift, 700.0)) if self.scale is Scale.RATIO else shift * self.unit
        return value if math.isfinite(value) else None


def scaled(baseline: Array, canary: Array, *, absolute: bool) -> Scaled:
    """Choose the scale: ratios where every value is positive and no absolute limit is set.

    Args:
        baseline: Shape (n,), finite, in the metric's unit.
        canary: Shape (n,), finite.
        absolute: Whether a limit is absolute, which only differences can express.
    """
    levels = {
        "level_baseline": float(np.median(baseline)),
        "level_canary": float(np.median(canary)),
    }
    if not absolute and min(baseline.min(), canary.min()) > 0:
        logs = [np.round(np.log(side), _DIGITS) for side in (baseline, canary)]
        return Scaled(baseline=logs[0], canary=logs[1], scale=Scale.RATIO, unit=1.0, **levels)
    unit = float(max(np.abs(baseline).max(), np.abs(canary).max())) or 1.0
    # A subnormal unit would overflow the quotient; values that small are all zero to any metric.
    unit = max(unit, 1e-300)
    parts = [np.round(side / unit, _DIGITS) for side in (baseline, canary)]
    return Scaled(baseline=parts[0], canary=parts[1], scale=Scale.DIFFERENCE, unit=unit, **levels)
