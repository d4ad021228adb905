"""Both sides are one: the canary is compared with itself, and every canary would pass."""

from __future__ import annotations

import numpy as np

from analysis.guards.core.comparison import Comparison
from analysis.guards.core.finding import Finding

# Expressions drop labels, so sides are told apart by values; fewer equal ones may be chance.
LEAST_EQUAL_STEPS = 5
# A server adds the same numbers up in another order now and then: equal but for the last digits.
ROUNDING = 1e-12


def inspect(comparison: Comparison) -> Finding | None:
    """Find the same labels on both sides, or the same values in every step."""
    if not comparison.needs_baseline or not (comparison.baseline and comparison.canary):
        return None
    same_labels = comparison.is_paired and _same_labels(comparison)
    if not (same_labels or _same_values(comparison)):
        return None
    return Finding(
        code="same_series",
        summary="baseline and canary are the same series",
        remedy="the labels do not tell the sides apart at this layer; use one that does, "
        "or the pods' own metrics",
    )


def _same_labels(comparison: Comparison) -> bool:
    sides = [
        {tuple(sorted(one.labels.items())) for one in side}
        for side in (comparison.baseline, comparison.canary)
    ]
    # An aggregate keeps no metric name, and may well have the same labels on both sides.
    stored = all(any(name == "__name__" for name, _ in labels) for labels in sides[0])
    return stored and sides[0] == sides[1]


def _same_values(comparison: Comparison) -> bool:
    if comparison.edges is not None:
        return False  # counts on edges that do not fit may well come out equal
    baseline, canary = comparison.sample.paired()
    if not (np.abs(baseline - canary) <= ROUNDING * np.abs(canary)).all():
        return False
    return int(np.count_nonzero(baseline[1:] != baseline[:-1])) >= LEAST_EQUAL_STEPS
