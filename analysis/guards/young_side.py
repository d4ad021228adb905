"""A side began well after the window did: its start-up is judged, and less of it."""

from __future__ import annotations

from analysis.guards.core.comparison import Comparison
from analysis.guards.core.finding import Finding, Severity
from analysis.guards.core.stretch import clock, first, is_late


def inspect(comparison: Comparison) -> Finding | None:
    """Find a side that was first seen when a fifth of the steps had passed on the other."""
    if comparison.edges is not None or not comparison.needs_baseline:
        return None
    baseline, canary = comparison.baseline_known, comparison.canary_known
    if not (baseline.any() and canary.any()) or not is_late(baseline, canary):
        return None
    young, seen = max(("baseline", baseline), ("canary", canary), key=lambda one: first(one[1]))
    late = first(seen)
    return Finding(
        code="young_side",
        severity=Severity.WITHHELD,
        summary=f"the {young} is first seen at {clock(comparison, late)}, after {late} of "
        f"{len(seen)} steps, so its start-up is judged as well",
        remedy="let --start be when its pods were ready, or see why they came so late",
    )
