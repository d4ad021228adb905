"""The canary's part of the traffic changed while it was judged."""

from __future__ import annotations

from analysis.guards.core import shares
from analysis.guards.core.comparison import Comparison, Rollout
from analysis.guards.core.finding import Finding, Severity
from analysis.window import as_datetime
from judges.core import wording

# Probability of an alarm where the split is random and its weight constant.
LEVEL = 0.001
# Steps of a rollout change the odds by more than this; what wanders changes them by less.
LEAST_FACTOR = 1.5


def inspect_rollout(rollout: Rollout) -> Finding | None:
    """Find a change of the share, in the metric with the most requests of the smaller side."""
    counted = [
        one for one in rollout.comparisons.values() if one.counted is not None and one.is_paired
    ]
    busiest = max(counted, key=_requests, default=None)
    if busiest is None or len(busiest.exposures()[0]) < shares.LEAST_STEPS:
        return None
    moved = shares.change(*busiest.exposures())
    if moved is None or moved.p > LEVEL or not _is_large(moved):
        return None
    time = as_datetime(float(busiest.ends()[moved.step - 1]))
    return Finding(
        code="weight_changed",
        severity=Severity.NOTE,
        summary=f"the canary's part of the {busiest.counted} went from "
        f"{wording.percent(moved.before)} to {wording.percent(moved.after)} at {time:%H:%M:%S}",
        remedy="ratios of counts and sums bear it; divide whatever grows with traffic by the "
        "requests, or begin the window after the change",
    )


def _requests(comparison: Comparison) -> float:
    return min(float(side.sum()) for side in comparison.exposures())


def _is_large(moved: shares.Change) -> bool:
    odds = [
        share / (1 - share) if share < 1 else float("inf") for share in (moved.before, moved.after)
    ]
    low, high = sorted(odds)
    return low == 0 or high / low >= LEAST_FACTOR
