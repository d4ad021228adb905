"""The canary's part of the traffic changed while it was judged."""

from __future__ import annotations

from datetime import datetime

from analysis.guards.core import shares
from analysis.guards.core.comparison import Comparison, Rollout, Weight
from analysis.guards.core.finding import Finding, Severity
from analysis.window import as_datetime
from judges.core import wording

# Probability of an alarm where the split is random and its weight constant.
LEVEL = 0.001
# Steps of a rollout change the odds by more than this; what wanders changes them by less.
LEAST_FACTOR = 1.5


def inspect_rollout(rollout: Rollout) -> Finding | None:
    """Find a change of the share, in the metric with the most requests of the smaller side.

    Where the weight is observed it tells of its changes itself.
    """
    weights = [one.weight for one in rollout.comparisons.values() if one.weight is not None]
    if weights and weights[0].is_observed and not weights[0].unseen:
        return _of_observed(weights[0])
    counted = [
        one for one in rollout.comparisons.values() if one.counted is not None and one.is_paired
    ]
    busiest = max(counted, key=_requests, default=None)
    if busiest is None or len(busiest.exposures()[0]) < shares.LEAST_STEPS:
        return None
    moved = shares.change(*busiest.exposures())
    if moved is None or moved.p > LEVEL or not _is_large(moved.before, moved.after):
        return None
    time = as_datetime(float(busiest.ends()[moved.step - 1]))
    return _told(f"part of the {busiest.counted}", moved.before, moved.after, time)


def _of_observed(weight: Weight) -> Finding | None:
    if weight.changed is None:
        return None
    time, before, after = weight.changed
    if not _is_large(before, after):
        return None
    return _told("weight", before, after, as_datetime(time))


def _told(what: str, before: float, after: float, time: datetime) -> Finding:
    return Finding(
        code="weight_changed",
        severity=Severity.NOTE,
        summary=f"the canary's {what} went from {wording.percent(before)} to "
        f"{wording.percent(after)} at {time:%H:%M:%S}",
        remedy="ratios of counts and sums bear it; divide whatever grows with traffic by the "
        "requests, or begin the window after the change",
    )


def _requests(comparison: Comparison) -> float:
    return min(float(side.sum()) for side in comparison.exposures())


def _is_large(before: float, after: float) -> bool:
    odds = [share / (1 - share) if share < 1 else float("inf") for share in (before, after)]
    low, high = sorted(odds)
    return low == 0 or high / low >= LEAST_FACTOR
