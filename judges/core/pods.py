"""Pods as clusters: pods of one version differ by themselves, and no window averages that away.

How much they differ is learnt from the baseline's pods, moderated by what is usual. Never from the
canary's own: one bad pod would widen the error bar that is to show it.

References:
    Smyth (2004), Statistical Applications in Genetics 3: variances moderated by a prior.
    Ibragimov & Muller (2010), JBES 28: inference from few clusters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from judges.core.judgment import Judgment, Reason, Verdict
from judges.core.parameters import Pods
from judges.core.sample import Ratio, Sample, Side, Values

Array = NDArray[np.float64]

# A pod known in less than half of the steps says little of its own level.
LEAST_KNOWN = 0.5
LEAST_PODS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What is usual: the standard deviation between pods as a share of the level, and its weight.

    Attributes:
        spread: Standard deviation, a share of the level.
        df: Degrees of freedom that this knowledge counts for.
    """

    spread: float
    df: float


# Chosen on two-sided 5 % tests with 3 + 3, 5 + 1, 5 + 5 and 2 + 1 pods: with 5 % between pods they
# err in 5 to 7 % (a prior of .02 with 30 df, which sufficed behind a tolerance: 18 to 31 %).
ONE_LOOK = Prior(spread=0.035, df=3.0)
# Where only the far tail decides a light prior would say nothing: with 3 + 3 pods the quotient
# for 1e-4 is 6 standard errors instead of 10. Twelve metrics with 2 to 5 % between pods and no
# tolerance fail .0 to .4 % of good rollouts.
MANY_LOOKS = Prior(spread=0.03, df=8.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Between:
    """The part of the effects' variances that lies between pods, each of shape (m,).

    Attributes:
        variance: Variance of the effect; 0 where pods have no say.
        df: Degrees of freedom of that variance.
    """

    variance: Array
    df: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """The pods of both sides.

    Attributes:
        baseline: Pods of the baseline.
        canary: Pods of the canary.
        spread: Variance between the baseline's pods, on the scale of the effect; 0 for one pod.
        size: What the priors' shares are shares of: 1 where the effect is a logarithm.
    """

    baseline: int
    canary: int
    spread: float
    size: float = 1.0

    def between(self, prior: Prior) -> tuple[float, float]:
        """Give the variance that pods add to the difference of the sides' means, and its df."""
        own = self.baseline - 1
        expected = prior.df * (prior.spread * self.size) ** 2
        pooled = (expected + own * self.spread) / (prior.df + own)
        return pooled * (1 / self.baseline + 1 / self.canary), prior.df + own

    @property
    def details(self) -> dict[str, float | int | str | None]:
        """Give the numbers a report shows."""
        return {"pods_baseline": self.baseline, "pods_canary": self.canary}


def between(rows: Sequence[Clusters | None], prior: Prior) -> Between:
    """Give the variance between pods of many comparisons at once."""
    found = [(0.0, prior.df) if row is None else row.between(prior) for row in rows]
    variance, df = np.array(found, dtype=np.float64).reshape(-1, 2).T
    return Between(variance=variance, df=df)


def is_known(rows: Array) -> NDArray[np.bool_]:
    """Tell of each pod, a row of shape (pods, steps), whether enough of its steps were seen."""
    seen = np.count_nonzero(np.isfinite(rows), axis=1)
    enough: NDArray[np.bool_] = seen > LEAST_KNOWN * seen.max(initial=0)
    return enough


def are_there(sample: Sample) -> bool:
    """Tell whether a side shows more than one pod at all."""
    return len(sample.baseline.rows) > 1 or len(sample.canary.rows) > 1


def levels(side: Side) -> Array:
    """Give the level of each pod that was seen in enough steps, shape (pods,), where it is finite.

    The median of values, the quotient of the window's sums.
    """
    seen = is_known(side.rows)
    # A level that no double can hold, or without any exposure, is left out as unusable.
    with np.errstate(all="ignore"):
        if isinstance(side, Values):
            found = _medians(side.values[seen])
        else:
            quotient = side if isinstance(side, Ratio) else side.means()
            numerator, denominator = quotient.by_pod()
            found = (numerator / denominator)[seen]
    usable: Array = found[np.isfinite(found)]
    return usable


def _medians(rows: Array) -> Array:
    """Give the median of what is known of each row."""
    if np.isnan(rows).any():
        return np.array([np.nanmedian(row) for row in rows])
    # As a rule all is known, and a median that looks for gaps takes many times as long.
    medians: Array = np.median(rows, axis=1)
    return medians


def count(rows: Array) -> int:
    """Count the pods that were seen in enough of the steps."""
    return int(np.count_nonzero(is_known(rows)))


def clusters(mode: Pods, levels: Array, canary: int, *, size: float = 1.0) -> Clusters | None:
    """Describe the pods; `None` where they have no say.

    Args:
        mode: What the judge was asked.
        levels: Shape (pods,): level of each of the baseline's pods, on the scale of the effect.
        canary: Number of the canary's pods.
        size: The baseline's level, on the same scale; 1 for logarithms.
    """
    several = len(levels) > 1 or canary > 1
    if mode is Pods.IGNORE or not several or not len(levels) or not canary:
        return None
    spread = float(np.var(np.sort(levels), ddof=1)) if len(levels) > 1 else 0.0
    return Clusters(baseline=len(levels), canary=canary, spread=spread, size=size)


def too_few(kind: str, mode: Pods, sample: Sample) -> Judgment | None:
    """Refuse a sample that shows too few pods, where they are required."""
    if mode is not Pods.REQUIRE:
        return None
    found = count(sample.baseline.rows)
    if found >= LEAST_PODS:
        return None
    return Judgment(
        kind=kind,
        verdict=Verdict.INCONCLUSIVE,
        reason=Reason.TOO_FEW_PODS,
        summary=f"pods: require, but the baseline shows {found} series; {LEAST_PODS} are needed "
        f"to learn how much pods differ by themselves",
    )
