"""The sides' requests are not shared as the traffic's weight says they should be."""

from __future__ import annotations

import numpy as np

from analysis.guards.core import shares
from analysis.guards.core.comparison import Array, Comparison
from analysis.guards.core.finding import Finding, Severity
from judges.core import wording

# Probability of an alarm where the odds are at the edge of what is tolerated, by a random split.
LEVEL = 0.001
# As of `little_exposure`: fewer requests say nothing of a share.
LEAST_REQUESTS = 30


def inspect(comparison: Comparison) -> Finding | None:
    """Find a share beyond the tolerance of the configured weight.

    Where the share changed in the window, what came after is held against the weight: it is the
    one that holds now.
    """
    weight = comparison.weight
    is_shared = comparison.needs_baseline and comparison.is_paired
    if weight is None or comparison.counted is None or not is_shared:
        return None
    baseline, canary = _latest(*comparison.exposures())
    if len(canary) < shares.LEAST_STEPS or min(baseline.sum(), canary.sum()) < LEAST_REQUESTS:
        return None
    expected = weight.share / (1 - weight.share)
    found = shares.odds(baseline, canary)
    if found.p_beyond(expected, weight.tolerance) > LEVEL / 2:
        return None
    share = float(canary.sum() / (canary.sum() + baseline.sum()))
    return Finding(
        code="traffic_share",
        severity=Severity.WITHHELD,
        summary=f"the canary has {wording.percent(share)} of the {comparison.counted} "
        f"({canary.sum():,.0f} against {baseline.sum():,.0f}), its weight is "
        f"{wording.percent(weight.share)}",
        remedy=_remedy(found.value < expected),
    )


def _latest(baseline: Array, canary: Array) -> tuple[Array, Array]:
    with np.errstate(invalid="ignore"):
        moved = shares.change(baseline, canary) if len(canary) >= shares.LEAST_STEPS else None
    begin = moved.step if moved is not None and moved.p < LEVEL else 0
    return baseline[begin:], canary[begin:]


def _remedy(is_less: bool) -> str:
    if is_less:
        return (
            "see whether the canary loses requests before it counts them, and whether the "
            "weight is really set"
        )
    return (
        "see whether the canary's selector takes in the baseline's series, whether the layer "
        "blends both, and whether the weight is really set"
    )
