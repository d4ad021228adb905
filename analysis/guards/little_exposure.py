"""A side served too few requests for its silence to mean anything."""

from __future__ import annotations

import numpy as np

from analysis.guards.core.comparison import Array, Comparison
from analysis.guards.core.finding import Finding, Severity

# Below this many requests on a side one client's behavior decides, whatever the statistics say.
LEAST_REQUESTS = 30


def inspect(comparison: Comparison) -> Finding | None:
    """Find a side with few requests; a canary that failed them all still fails."""
    counted = comparison.counted
    if counted is None or not all(one.known.any() for one in comparison.sides()):
        return None
    # Of equals the canary is named: it is the one whose weight can be raised.
    totals = [(_requests(one.side.rows), one.name) for one in reversed([*comparison.sides()])]
    least, name = min(totals, key=lambda total: total[0])
    if least >= LEAST_REQUESTS:
        return None
    return Finding(
        code="little_exposure",
        severity=Severity.WITHHELD,
        summary=f"{name}: {least:.0f} {counted} in the judged steps, {LEAST_REQUESTS} are needed",
        remedy="wait longer, raise the canary's weight, or send it synthetic traffic",
    )


def _requests(rows: Array) -> float:
    """Count a side's requests, as far as the guard cares: no step counts more than enough."""
    if (rows >= LEAST_REQUESTS).any():
        return LEAST_REQUESTS
    return float(np.nansum(np.clip(rows, 0, LEAST_REQUESTS)))
