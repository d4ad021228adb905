"""The source warned that its answer is not the whole."""

from __future__ import annotations

from analysis.guards.core.comparison import Comparison
from analysis.guards.core.finding import Finding


def inspect(comparison: Comparison) -> Finding | None:
    """Find that a source warned: what is missing may be all of the harm."""
    if not comparison.warnings:
        return None
    return Finding(
        code="partial_answer",
        summary=f"the source warned: {'; '.join(comparison.warnings)}",
        remedy="a partial answer is never judged; mend the source, or ask it for less",
    )
