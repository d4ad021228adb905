"""Exceedance: do more of the canary's observations lie above an edge than the tolerance allows?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from judges.core import many, parameters, rates, settlement, tallies, wording
from judges.core.judgment import Judgment, Reason, Verdict
from judges.core.limits import Limit
from judges.core.parameters import Direction, Looks, Pods
from judges.core.sample import Array, Histogram, Sample
from judges.core.tallies import Ready

# Without an edge the share above is near this: the edge nearest the baseline's p95.
USUAL_SHARE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Exceedance:
    """Compare the share of observations above an edge of a histogram: counts, no interpolation.

    Attributes:
        edge: Level that should not be exceeded, in the histogram's unit; the nearest bucket edge is
            taken.
        tolerance: Harm beyond which, once shown, the canary fails.
        margin: Harm that must be excluded for a pass.
        direction: Which change is harm.
        alpha: Error rate of a fail.
        beta: Error rate of a pass.
        looks: Whether the judge may be asked again as data arrive.
        horizon: Planned steps of the whole analysis.
        confidence: Two-sided level of the interval shown.
        pods: Whether pods are replicates of their side.

    References:
        Przyborowski & Wilenski (1940), Biometrika 31; Rao & Scott (1992), Biometrics 48.
    """

    kind: ClassVar[str] = "exceedance"
    accepts: ClassVar[tuple[type[Any], ...]] = (Histogram,)

    edge: float | None = parameters.number(
        None, "level in the histogram's unit; the nearest edge is taken; default the baseline's p95"
    )
    tolerance: Limit = parameters.limit(
        Limit(ratio=1.125, absolute=0.0005),
        "harm beyond this, once shown, fails; absolute is a share of observations",
    )
    margin: Limit | None = parameters.limit(
        None, "harm that must be excluded for a pass; default twice the ratio, ten times absolute"
    )
    direction: Direction = parameters.direction()
    alpha: float = parameters.alpha()
    beta: float = parameters.beta()
    looks: Looks = parameters.looks()
    horizon: int = parameters.horizon()
    confidence: float = parameters.confidence()
    pods: Pods = parameters.pods()

    def __post_init__(self) -> None:
        """Refuse a margin smaller than the tolerance."""
        settlement.check_margin(self.kind, self.tolerance, self.margin)

    @property
    def pass_margin(self) -> Limit:
        """The harm that must be excluded for a pass, as `error_ratio` has it."""
        if self.margin is not None:
            return self.margin
        return replace(self.tolerance.doubled(), absolute=10 * self.tolerance.absolute)

    def judge(self, sample: Sample, /) -> Judgment:
        """Compare the two sides; `INCONCLUSIVE` when the counts cannot tell.

        Args:
            sample: Histograms of both sides.

        Raises:
            TypeError: The sample holds no histograms.
        """
        return self.judge_all([self], [sample])[0]

    @classmethod
    def judge_all(cls, rules: Sequence[Exceedance], samples: Sequence[Sample]) -> list[Judgment]:
        """Judge many metrics at once, each by its own rule; the same answers, much sooner."""
        prepared = [_prepare(rule, one) for rule, one in zip(rules, samples, strict=True)]
        return many.judge_all(prepared, rates.compare)


def _prepare(rule: Exceedance, sample: Sample) -> Judgment | Ready:
    baseline, canary = sample.baseline, sample.canary
    if not (isinstance(baseline, Histogram) and isinstance(canary, Histogram)):
        raise TypeError("exceedance needs histograms; build the sample with Sample.of_histograms")
    finite = baseline.edges[:-1]
    if not len(finite):
        return Judgment(
            kind=rule.kind,
            verdict=Verdict.INCONCLUSIVE,
            reason=Reason.COARSE_BUCKETS,
            summary="the histogram has no finite edge, so nothing can exceed one",
        )
    edge = _usual(baseline) if rule.edge is None else _nearest(finite, rule.edge)
    above = replace(sample, baseline=baseline.above(edge), canary=canary.above(edge))
    return tallies.prepare(
        rule, above, events=f"observations exceed {wording.amount(edge)},", details={"edge": edge}
    )


def _nearest(edges: Array, edge: float) -> float:
    """Give the edge nearest to the level: by ratio where both are positive."""
    positive = edges > 0
    if edge > 0 and positive.any():
        return float(edges[positive][np.argmin(np.abs(np.log(edges[positive] / edge)))])
    return float(edges[np.argmin(np.abs(edges - edge))])


def _usual(baseline: Histogram) -> float:
    """Give the edge above which the baseline's share is nearest to the usual one."""
    counts = np.nansum(baseline.by_step(), axis=0)
    total = float(counts.sum())
    above = total - np.cumsum(counts)[:-1]
    # Half an observation more: an edge that nothing exceeds is infinitely far, and no candidate.
    distance = np.abs(np.log((above + 0.5) / (USUAL_SHARE * total + 0.5)))
    return float(baseline.edges[int(np.argmin(distance))])
