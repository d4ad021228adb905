"""The sides' requests are not shared as the traffic's weight says they should be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analysis.guards.core import shares
from analysis.guards.core.comparison import Array, Comparison, Mask, Rollout
from analysis.guards.core.finding import Finding, Severity
from judges.core import wording

# Probability of an alarm where the odds are at the edge of what is tolerated, by a random split.
LEVEL = 0.001
# As of `little_exposure`: fewer requests say nothing of a share.
LEAST_REQUESTS = 30


def inspect(comparison: Comparison) -> Finding | None:
    """Find a share beyond the tolerance of the weight.

    An observed weight is held against the requests of its own step. Against a configured one,
    where the share changed in the window, what came after is held: it is the one that holds now.
    """
    weight = comparison.weight
    is_shared = comparison.needs_baseline and comparison.is_paired
    if weight is None or comparison.counted is None or not is_shared:
        return None
    held = [one for one in _stretches(comparison) if one.is_enough]
    beyond = [one for one in held if one.p_beyond(weight.tolerance) <= LEVEL / 2 / len(held)]
    if not beyond:
        return None
    found = min(beyond, key=lambda one: one.p_beyond(weight.tolerance))
    said = "its observed weight" if weight.is_observed else "its weight"
    return Finding(
        code="traffic_share",
        severity=Severity.WITHHELD,
        summary=f"the canary has {wording.percent(found.share)} of the {comparison.counted} "
        f"({found.canary.sum():,.0f} against {found.baseline.sum():,.0f}), {said} is "
        f"{wording.percent(found.due_share)}",
        remedy=_remedy(found.odds.value < 1),
    )


def inspect_rollout(rollout: Rollout) -> Finding | None:
    """Remark that a weight was to be observed and was not, so that nothing is held against it."""
    weights = (one.weight for one in rollout.comparisons.values() if one.weight is not None)
    unseen = next((weight.unseen for weight in weights if weight.unseen), "")
    if not unseen:
        return None
    return Finding(
        code="traffic_share",
        severity=Severity.NOTE,
        summary=f"the canary's weight was not seen: {unseen}",
        remedy="mend traffic.observed: it gives one series, the canary's part of the traffic, in "
        "traffic.unit; without it nothing is held against the requests",
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Stretch:
    """Steps whose requests are held against their weights, shape (n,) each."""

    baseline: Array
    canary: Array
    due: Array

    def where(self, mask: Mask) -> _Stretch:
        return _Stretch(baseline=self.baseline[mask], canary=self.canary[mask], due=self.due[mask])

    @property
    def is_enough(self) -> bool:
        fewer = min(self.baseline.sum(), self.canary.sum())
        return len(self.due) >= shares.LEAST_STEPS and fewer >= LEAST_REQUESTS

    @property
    def odds(self) -> shares.Odds:
        return shares.odds(self.baseline, self.canary, self.due / (1 - self.due))

    def p_beyond(self, tolerance: float) -> float:
        return self.odds.p_beyond(tolerance)

    @property
    def share(self) -> float:
        return float(self.canary.sum() / (self.canary.sum() + self.baseline.sum()))

    @property
    def due_share(self) -> float:
        total = self.canary + self.baseline
        return float(self.due @ total / total.sum())


def _stretches(comparison: Comparison) -> Iterator[_Stretch]:
    """Give what is held against the weight: all of it, and each weight's steps for themselves.

    Over all weights together a share that ignores them looks like one that wanders.
    """
    baseline, canary = comparison.exposures()
    whole = _Stretch(baseline=baseline, canary=canary, due=comparison.shares())
    if comparison.weight is None or not comparison.weight.is_observed:
        yield whole.where(_latest(baseline, canary))
        return
    whole = whole.where((whole.due > 0) & (whole.due < 1))
    yield whole
    weights, counts = np.unique(whole.due, return_counts=True)
    if len(weights) > 1:
        for weight in weights[counts >= shares.LEAST_STEPS]:
            yield whole.where(whole.due == weight)


def _latest(baseline: Array, canary: Array) -> Mask:
    """Tell which steps come after the largest change of the share, if there is one."""
    with np.errstate(invalid="ignore"):
        moved = shares.change(baseline, canary) if len(canary) >= shares.LEAST_STEPS else None
    begin = moved.step if moved is not None and moved.p < LEVEL else 0
    return np.arange(len(canary)) >= begin


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
