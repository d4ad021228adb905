"""Where in the window a side was seen."""

from __future__ import annotations

from analysis.guards.core.comparison import Comparison, Mask
from analysis.window import as_datetime

# A part of the steps that may be unknown of one side alone (Kayenta's users know a fifth).
MOST_UNSEEN = 0.2


def first(seen: Mask) -> int:
    """Give the first step in which a side was seen; it must have been in one."""
    return int(seen.argmax())


def is_late(baseline: Mask, canary: Mask) -> bool:
    """Tell whether a side was first seen much later than the other, of shape (steps,) each."""
    return abs(first(baseline) - first(canary)) > MOST_UNSEEN * len(canary)


def without_start(baseline: Mask, canary: Mask) -> tuple[Mask, Mask]:
    """Leave out the steps before both were seen, where a side that began late has them missing."""
    if not is_late(baseline, canary):
        return baseline, canary
    begin = max(first(baseline), first(canary))
    return baseline[begin:], canary[begin:]


def clock(comparison: Comparison, step: int) -> str:
    """Give the time of day at which a step begins."""
    return f"{as_datetime(comparison.begin + step * comparison.sample.step_s):%H:%M:%S}"
