"""A side has no series, or none with a value in the judged steps."""

from __future__ import annotations

from analysis.guards.core.comparison import Comparison
from analysis.guards.core.finding import Finding, Severity

# How a query is called where its metric has several.
PARTS = {"numerator": "the numerator's", "denominator": "the denominator's", "total": "the total's"}


def inspect(comparison: Comparison) -> Finding | None:
    """Find a side of which nothing is known, or only one part of a quotient."""
    missing = [(one.name, one.series) for one in comparison.sides() if not one.known.any()]
    if not missing:
        return _half(comparison)
    names = " and ".join(name for name, _ in missing)
    if any(series for _, series in missing):
        if comparison.edges is not None:
            return None
        summary = f"{names}: series exist, but none has a value in the judged steps"
        remedy = "check that the window, less its warmup, covers the time the pods were running"
    else:
        summary = f"{names}: the query matched no series"
        remedy = "check the labels and the variables of this side, and that its pods are scraped"
    return Finding(code="side_missing", summary=summary, remedy=remedy)


def _half(comparison: Comparison) -> Finding | None:
    """Find a sum without its counter: seconds that nobody counted are not none at all.

    It may be one that begins with its first event all the same, so harm on the other side fails.
    """
    names = [one.name for one in comparison.sides()]
    absent = [(side, role) for side, role in comparison.absent if side in names]
    if not absent:
        return None
    sides = " and ".join(dict.fromkeys(side for side, _ in absent))
    return Finding(
        code="side_missing",
        severity=Severity.WITHHELD,
        summary=f"{sides}: {PARTS[absent[0][1]]} query matched no series",
        remedy="check its name and its labels; both counters of a quotient must exist",
    )
