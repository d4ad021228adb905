"""The standard error of an effect after any number of steps, learnt from one that was seen."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from analysis.forecast import crossing
from analysis.forecast.crossing import Claim
from judges import Estimate, Judge, Judgment, Sample, Scale
from judges.core.parameters import Pods
from judges.core.studentized import MEANS, ONE_SIDE, RANKS, Trust
from judges.core.trend import Method
from judges.slope import Per, Slope

# The judges decide nothing on fewer independent steps.
LEAST_EFFECTIVE = 6
# Power of the number of steps with which a standard error falls: that of a mean; that of a slope,
# by where its variance comes from (judges.core.growth has the same of the variance).
OF_MEAN = 0.5
OF_SLOPE = {Method.STEPS: 1.5, Method.PODS: 1.0, Method.INCREMENTS: 0.5}
TRUSTS = {"mann_whitney": RANKS, "threshold": ONE_SIDE}
# Where pods are the replicates, steps decide nothing about how sure the variance is.
PLENTY = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """What the past says of the standard error of an effect.

    Attributes:
        within: Standard error over `steps` steps, as far as more steps lessen it.
        between: The part that pods have, which only more pods lessen.
        steps: Steps of the past.
        worth: Independent steps in each of them.
        trust: What kind of statistic it is.
        falls: Power of the number of steps with which `within` falls.
        span: Steps over which the effect is told, where that is the planned length; else `None`.
    """

    within: float
    steps: int
    worth: float
    trust: Trust
    between: float = 0.0
    falls: float = OF_MEAN
    span: int | None = None

    @property
    def least(self) -> int:
        """Steps below which too few are independent, in one look of five."""
        return math.ceil(LEAST_EFFECTIVE / (crossing.LUCK * self.worth))

    def reach(self, n: int, claim: Claim, *, sides: int = 1) -> float:
        """Give how far from the truth a limit must lie for the claim to be borne out.

        Args:
            n: Steps at which is looked.
            claim: What is claimed of the limit.
            sides: 2 where the estimate must not stray too far either way.
        """
        counted = claim.counted(n)
        if counted < self.least:
            return math.inf
        errors = claim.quotient(counted, counted * self.worth, self.trust)
        return self.after(counted, claim.horizon) * (errors + crossing.reserve(sides))

    def after(self, n: int, horizon: int) -> float:
        """Give the standard error after n steps of a planned length."""
        told = 1.0 if self.span is None else horizon / self.span
        return told * math.hypot(self.within * (self.steps / n) ** self.falls, self.between)

    def scaled(self, factor: float) -> Noise:
        """Give the same with the variance within multiplied, as other traffic does."""
        return replace(self, within=self.within * math.sqrt(factor))

    def lessening(self, share: float, n: int) -> float | None:
        """Give the factor on the variance within that leaves a share of the error after n steps.

        Returns:
            The factor; `None` where pods alone make more.
        """
        within = self.within * (self.steps / n) ** self.falls
        left = (share * math.hypot(within, self.between)) ** 2 - self.between**2
        return left / (within * within) if left > 0 and within > 0 else None


def learn(judge: Judge, judgment: Judgment, sample: Sample) -> Noise | None:
    """Learn the noise from a judgment of the past; `None` where it gave no interval.

    Args:
        judge: The judge that gave it.
        judgment: Its judgment.
        sample: What it judged.
    """
    if (total := _standard_error(judgment)) is None:
        return None
    within = min(total, _without_pods(judge, judgment, sample) or total)
    effective = judgment.n_effective
    return Noise(
        within=within,
        between=math.sqrt(max(total * total - within * within, 0.0)),
        steps=judgment.n,
        worth=PLENTY if effective is None else effective / judgment.n,
        trust=_trust(judgment),
        falls=_falls(judgment),
        span=judge.horizon if isinstance(judge, Slope) and judge.per is Per.WINDOW else None,
    )


def _trust(judgment: Judgment) -> Trust:
    return TRUSTS.get(judgment.kind, MEANS)


def _falls(judgment: Judgment) -> float:
    return (
        OF_SLOPE[Method(str(judgment.details["method"]))] if judgment.kind == "slope" else OF_MEAN
    )


def _without_pods(judge: Judge, judgment: Judgment, sample: Sample) -> float | None:
    """Give the standard error of the steps alone, where pods add to it."""
    if isinstance(judge, Slope) or not judgment.details.get("pods_baseline"):
        return None
    return _standard_error(replace(judge, pods=Pods.IGNORE).judge(sample))


def _standard_error(judgment: Judgment) -> float | None:
    """Take the standard error out of an interval: its reach over the quotient it was made with."""
    estimate = judgment.estimate
    if estimate is None or estimate.interval is None:
        return None
    reaches = _reaches(estimate)
    z = crossing.deviate_of((1 - estimate.interval.level) / 2)
    effective = PLENTY if judgment.n_effective is None else judgment.n_effective
    quotient = crossing.quotient(z, effective, _trust(judgment).one_look)
    if not reaches or not math.isfinite(quotient):
        return None
    return sum(reaches) / len(reaches) / quotient


def _reaches(estimate: Estimate) -> list[float]:
    """Give how far the interval reaches to each side on which it has a bound."""
    interval, centre = estimate.interval, on_scale(estimate.value, estimate.scale)
    if interval is None or centre is None:
        return []
    bounds = [on_scale(bound, estimate.scale) for bound in (interval.lower, interval.upper)]
    return [abs(bound - centre) for bound in bounds if bound is not None]


def on_scale(value: float | None, scale: Scale) -> float | None:
    """Give an effect as a judge adds and subtracts it: a ratio by its logarithm."""
    if value is None or scale is not Scale.RATIO:
        return value
    return math.log(value) if value > 0 else None
