"""Both sides are one: the canary is compared with itself, and every canary would pass.

Labels prove it where the answers have them. Where they are aggregated away only the values are
left: the same in every step, and in no pattern that two sides could have in common by being
regular. Of rates of counters even a constant is strange, for requests come at random; a constant
gauge, or nothing on both sides, is not.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from analysis.guards.core.comparison import Array, Comparison
from analysis.guards.core.finding import Finding, Severity
from analysis.sources.port import Series
from judges import Histogram
from judges.core import wording
from judges.core.sample import Side

# Expressions drop labels, so sides are told apart by values; fewer equal ones may be chance.
LEAST_EQUAL_STEPS = 5
# A rate stays for as long as its window; so many windows one after the other are no chance
# (measured: none in 28,800 windows of requests at random, of a fifth to 400 in a window's minute).
LEAST_EQUAL_WINDOWS = 5
LEAST_CONSTANT_STEPS = 10
# A server adds the same numbers up in another order now and then: equal but for the last digits.
ROUNDING = 1e-12
# Sides that differ do so at once: so many steps are looked at before all are.
FIRST_STEPS = 8

REMEDY = (
    "the labels do not tell the sides apart at this layer; use one that does, "
    "or the pods' own metrics"
)


def inspect(comparison: Comparison) -> Finding | None:
    """Find the same labels on both sides, or the same values in every step."""
    if not comparison.needs_baseline or not (comparison.baseline and comparison.canary):
        return None
    if comparison.is_paired and _same_labels(comparison):
        return _proof()
    return _of_values(comparison)


def _proof() -> Finding:
    return Finding(
        code="same_series", summary="baseline and canary are the same series", remedy=REMEDY
    )


# ---- by labels


def _same_labels(comparison: Comparison) -> bool:
    # An aggregate keeps no metric name, and may well have the same labels on both sides; what has
    # no label at all, as in a table of numbers, shows nothing.
    shown = all(
        "__name__" in one.labels or (comparison.shows_series and one.labels)
        for one in comparison.canary
    )
    if not shown or len(comparison.baseline) != len(comparison.canary):
        return False
    return _labels(comparison.baseline) == _labels(comparison.canary)


def _labels(side: Iterable[Series]) -> set[frozenset[tuple[str, str]]]:
    return {frozenset(one.labels.items()) for one in side}


# ---- by values


def _of_values(comparison: Comparison) -> Finding | None:
    if comparison.edges is not None or _differ_at_once(comparison):
        return None  # counts on edges that do not fit may well come out equal
    baseline, canary = comparison.sample.paired()
    if not (len(canary) and (np.abs(baseline - canary) <= ROUNDING * np.abs(canary)).all()):
        return None
    values = _without_rounding(canary)
    if _repeats(values):
        return _of_a_rate(comparison, values)
    changes = int(np.count_nonzero(values[1:] != values[:-1]))
    return _proof() if changes >= LEAST_EQUAL_STEPS else None


def _without_rounding(values: Array) -> Array:
    """Leave out the digits in which a constant differs from itself, added up in another order."""
    unit = ROUNDING * float(np.abs(values).max()) or 1.0
    whole: Array = np.rint(values / unit) * unit
    return whole


def _of_a_rate(comparison: Comparison, values: Array) -> Finding | None:
    """Find rates that are the same and regular, as neither requests at random nor nothing are."""
    rate_s, steps = comparison.rate_s, len(values)
    is_long = rate_s is not None and (
        steps >= LEAST_CONSTANT_STEPS
        and steps * comparison.sample.step_s >= LEAST_EQUAL_WINDOWS * rate_s
    )
    hides_series = _labels(comparison.baseline) == _labels(comparison.canary)
    if not (is_long and hides_series and (values > 0).all()):
        return None
    return Finding(
        code="same_series",
        severity=Severity.WITHHELD,
        summary=f"baseline and canary have the very same rate in all {steps} steps, "
        f"{wording.amount(float(values[-1]))} at last, as requests at random never have",
        remedy=f"{REMEDY}; or, if nothing but a timer calls both sides, judge what users ask for",
    )


def _differ_at_once(comparison: Comparison) -> bool:
    """Tell whether the first steps show that the sides are two, which spares reading all."""
    baseline, canary = (
        _head(side) for side in (comparison.sample.baseline, comparison.sample.canary)
    )
    known = np.isfinite(baseline) & np.isfinite(canary)
    return bool((np.abs(baseline - canary) > ROUNDING * np.abs(canary))[known].any())


def _head(side: Side) -> Array:
    """Give what the pods of a side come to in the first steps: shape (n,), or (n, buckets)."""
    by_step = side.counts if isinstance(side, Histogram) else side.rows
    head: Array = by_step[:, :FIRST_STEPS].sum(axis=0)
    return head


def _repeats(values: Array) -> bool:
    """Tell whether values follow a pattern that shows itself at least twice, or stand still."""
    return any(
        np.array_equal(values[lag:], values[:-lag]) for lag in range(1, len(values) // 2 + 1)
    )
