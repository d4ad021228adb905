"""The scale on which two gauges are compared: ratios where all values are positive, else shifts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from judges.core import pods
from judges.core.judgment import Estimate, Interval, Scale
from judges.core.limits import Limit
from judges.core.many import together
from judges.core.parameters import Pods
from judges.core.pods import Clusters
from judges.core.ranks import row_medians
from judges.core.sample import Sample

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

# An absurd reading must not make all others look alike: no value exceeds the unit by more.
_SPAN = 1e9
# Values that small are zero to any metric, and a smaller unit would overflow the quotient.
_LEAST_UNIT = 1e-290
# An absolute limit of more units than this lies beyond everything.
_MOST = 1e300
# A logarithm whose number a double still holds.
_MOST_LOG = 700.0
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
        changes: Steps in which the livelier side changed.
    """

    baseline: Array
    canary: Array
    scale: Scale
    unit: float
    level_baseline: float
    level_canary: float
    changes: int

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

    def estimate(
        self, shift: float, lower: float | None, upper: float | None, *, level: float
    ) -> Estimate:
        """Give a shift and its bounds as a person would quote them.

        Args:
            shift: In working units.
            lower: Lower bound; infinite, NaN or `None` where the data give none.
            upper: Upper bound, likewise.
            level: Two-sided confidence level.
        """
        bounds = Interval(lower=self._quoted(lower), upper=self._quoted(upper), level=level)
        return Estimate(
            value=self._quoted(shift),
            scale=self.scale,
            interval=bounds,
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
        if shift is None or not math.isfinite(shift):
            return None
        shift = round(shift, _DIGITS)
        if self.scale is Scale.RATIO:
            return math.exp(min(shift, _MOST_LOG))
        value = shift * self.unit
        return value if math.isfinite(value) else None


def scaled(baseline: Array, canary: Array, *, absolute: bool) -> Scaled:
    """Choose the scale: ratios where every value is positive and no absolute limit is set.

    Args:
        baseline: Shape (n,), n > 0, finite, in the metric's unit.
        canary: Shape (n,), finite.
        absolute: Whether a limit is absolute, which only differences can express.
    """
    return scaled_all([(baseline, canary)], [absolute])[0]


def scaled_all(sides: Sequence[tuple[Array, Array]], absolute: Sequence[bool]) -> list[Scaled]:
    """Choose the scale of many pairs of sides, each as `scaled` does."""
    found: dict[int, Scaled] = {}
    for places in together([len(canary) for _, canary in sides]):
        block = np.array([sides[place] for place in places])
        on = _on_scales(block, np.array([absolute[place] for place in places]))
        found |= zip(places, on, strict=True)
    return [found[place] for place in range(len(sides))]


def _on_scales(block: Array, absolute: Mask) -> Iterator[Scaled]:
    """Choose the scale of each pair of sides; shape (m, 2, n)."""
    m, _, n = block.shape
    is_ratio = ~absolute & (block.min(axis=(1, 2)) > 0)
    logs = np.log(block if is_ratio.all() else np.where(is_ratio[:, None, None], block, 1.0))
    # Five times as fast as numpy's own medians, which also overflow in the middle.
    levels = row_medians(block.reshape(-1, n)).reshape(m, 2)
    changes = np.count_nonzero(block[:, :, 1:] != block[:, :, :-1], axis=2).max(axis=1)
    columns = zip(is_ratio.tolist(), logs, block, levels.tolist(), changes.tolist(), strict=True)
    for by_ratio, on_scale, values, level, changed in columns:
        unit = 1.0 if by_ratio else _typical(np.abs(values))
        baseline, canary = on_scale if by_ratio else values / unit
        yield Scaled(
            baseline=baseline,
            canary=canary,
            scale=Scale.RATIO if by_ratio else Scale.DIFFERENCE,
            unit=unit,
            level_baseline=level[0],
            level_canary=level[1],
            changes=changed,
        )


def _typical(sizes: Array) -> float:
    """Choose the unit of values of these sizes: the median of those not zero."""
    known = np.sort(sizes[sizes > 0])
    if len(known) == 0:
        return 1.0
    return max(float(known[len(known) // 2]), float(known[-1]) / _SPAN, _LEAST_UNIT)
