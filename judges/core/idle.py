"""Cost that no request causes: a pod with less traffic looks dearer per request without being so.

How much a pod spends when idle is not known, only what it may be; so the allowance excuses harm and
is never counted as safety.
"""

from __future__ import annotations

import numpy as np

from judges.core import pods
from judges.core.sample import Ratio, Sample

# Beyond half of what a side spent the allowance decides, not the data.
MOST = 0.5


def shares(sample: Sample, idle: float) -> tuple[float, float]:
    """Give what of each side's cost its pods' lesser traffic may have caused, as a share of it.

    Args:
        sample: Cost and requests of both sides; any other sample has no such share.
        idle: What a pod may spend without any request, in the cost's unit per second.
    """
    baseline, canary = sample.baseline, sample.canary
    if not (isinstance(baseline, Ratio) and isinstance(canary, Ratio)):
        return 0.0, 0.0
    sides = [_side(side) for side in (baseline, canary)]
    (cost_b, traffic_b), (cost_c, traffic_c) = sides
    known = (cost_b, cost_c, traffic_b, traffic_c)
    if min(known) <= 0 or not np.isfinite(known).all():
        return 0.0, 0.0
    seconds = sample.steps * sample.step_s
    return (
        idle * seconds * max(0.0, 1 - traffic_b / traffic_c) / cost_b,
        idle * seconds * max(0.0, 1 - traffic_c / traffic_b) / cost_c,
    )


def _side(side: Ratio) -> tuple[float, float]:
    """Give cost and requests of a side, for each of its pods."""
    count = max(pods.count(side.rows), 1)
    with np.errstate(over="ignore"):  # what no double can hold is infinite, and not compared
        cost, traffic = (float(np.sum(part)) for part in side.by_pod())
    return cost / count, traffic / count
