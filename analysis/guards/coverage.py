"""One side was seen much less than the other: what it did meanwhile is not judged."""

from __future__ import annotations

import numpy as np

from analysis.guards.core.comparison import Comparison, Mask
from analysis.guards.core.finding import Finding, Severity
from analysis.guards.core.stretch import MOST_UNSEEN, clock, without_start

# At the first looks one scrape that came late is a large part of all steps.
LEAST_STEPS = 2


def inspect(comparison: Comparison) -> Finding | None:
    """Find sides of which one is known in a fifth more of the steps than the other.

    A judge without a baseline holds the canary against a bound: then every step should be known,
    unless the baseline, where there is one, shows that the metric has gaps by itself.
    """
    if comparison.edges is not None:
        return None
    baseline, canary = comparison.baseline_known, comparison.canary_known
    if comparison.needs_baseline:
        if not (baseline.any() and canary.any()):
            return None
        baseline, canary = without_start(baseline, canary)
    elif not baseline.any():
        baseline = np.ones_like(canary)
    missed = np.count_nonzero(baseline) - np.count_nonzero(canary)
    missed = abs(missed) if comparison.needs_baseline else missed
    if missed < LEAST_STEPS or missed <= MOST_UNSEEN * len(canary) or not canary.any():
        return None
    return Finding(
        code="coverage",
        severity=Severity.WITHHELD,
        summary=_summary(comparison, baseline, canary),
        remedy="see whether its pods ended or were not scraped; an expression of requests has no "
        "value in a step without any, counts and sums have",
    )


def _summary(comparison: Comparison, baseline: Mask, canary: Mask) -> str:
    sides = [("canary", canary), ("baseline", baseline)]
    (less, seen), (more, fuller) = sorted(sides, key=lambda one: int(one[1].sum()))
    last = int(np.flatnonzero(seen)[-1]) + 1
    hidden = comparison.sample.steps - len(seen)  # before a side began that came late
    ends = f", the last until {clock(comparison, hidden + last)}" if last < len(seen) else ""
    held = f"the {more} in {fuller.sum()}"
    if not comparison.needs_baseline and fuller.all():
        held = "the bound is held against all of them"
    return f"the {less} is known in {seen.sum()} of {len(seen)} steps{ends}; {held}"
