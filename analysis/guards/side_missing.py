"""A side has no series, or none with a value in the judged steps."""

from __future__ import annotations

from analysis.guards.core.comparison import Comparison, known
from analysis.guards.core.finding import Finding


def inspect(comparison: Comparison) -> Finding | None:
    """Find a side of which nothing is known."""
    missing = [(name, series) for name, side, series in comparison.sides() if not known(side).any()]
    if not missing:
        return None
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
