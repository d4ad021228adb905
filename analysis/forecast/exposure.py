"""How much traffic each side had, and how much it will have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.forecast.model import EVEN_SHARE, Planned
from judges import Sample, Values
from judges.core.sample import Side

# No counter has ever counted so many; their products would not fit a double.
MOST_REQUESTS = 1e100


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """Requests of each side in a step, on average."""

    baseline: float
    canary: float

    def noise(self) -> float:
        """Give what the variance of a comparison of both sides is proportional to."""
        return 1 / self.baseline + 1 / self.canary


def of_past(sample: Sample) -> Exposure | None:
    """Give the exposure that a sample shows; `None` where it counts no requests, or a side none."""
    baseline, canary = _per_step(sample.baseline), _per_step(sample.canary)
    if not 0 < min(baseline, canary) <= max(baseline, canary) < MOST_REQUESTS:
        return None
    return Exposure(baseline=baseline, canary=canary)


def of_rollout(past: Exposure, planned: Planned) -> Exposure:
    """Give the exposure to expect: the traffic of the past, split as planned."""
    if planned.share is None and not planned.one_side:
        return past
    both = past.baseline + past.canary
    total = both / 2 if planned.one_side else both
    share = EVEN_SHARE if planned.share is None else planned.share
    return Exposure(baseline=(1 - share) * total, canary=share * total)


def _per_step(side: Side) -> float:
    """Give the requests of a step in which any pod was seen; 0 of what counts none."""
    if isinstance(side, Values):
        return 0.0
    steps = max(int(np.count_nonzero(np.isfinite(side.rows).any(axis=0))), 1)
    with np.errstate(over="ignore"):
        return float(np.nansum(side.rows / steps))
