"""Both sides' histograms cannot be laid on the same edges."""

from __future__ import annotations

from analysis.guards.core.comparison import Comparison
from analysis.guards.core.finding import Finding


def inspect(comparison: Comparison) -> Finding | None:
    """Find what was found when the buckets were laid side by side."""
    return comparison.edges
