"""Mann-Whitney, studentized for autocorrelation: does the canary tend to lie beyond tolerance?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

import numpy as np
from scipy import special

from judges.core import classic, evidence, parameters, settlement, shifts, wording
from judges.core.comparison import Comparison, too_few
from judges.core.dependence import LongRun
from judges.core.errors import InvalidParameterError
from judges.core.judgment import (
    Estimate,
    Evidence,
    Interval,
    Judgment,
    Reason,
    Verdict,
)
from judges.core.limits import Limit
from judges.core.parameters import Direction, Looks
from judges.core.ranks import TIE, Pair, RankMethod
from judges.core.sample import Array, Ratio, Sample, Values
from judges.core.scaled import Scaled, scaled
from judges.core.studentized import Studentized


class Variance(StrEnum):
    """How the variance of the rank statistic is estimated."""

    ROBUST = "robust"  # long-run variance: valid under autocorrelation
    CLASSIC = "classic"  # the textbook null variance: valid for independent steps only


# A series that changes less often than this shows no noise to judge by.
LEAST_CHANGES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class MannWhitney:
    """Compare two gauges by ranks, paired by timestamp, robust against autocorrelation.

    Placements after Brunner and Munzel, or signed ranks where the sides share a pattern, divided by
    a long-run standard error; Hodges-Lehmann ratio (difference, where values are not all positive)
    with a confidence interval by inversion of the same test.

    Attributes:
        tolerance: Harm beyond which, once shown, the canary fails.
        margin: Harm that must be excluded for a pass.
        direction: Which change is harm.
        alpha: Error rate of a fail.
        beta: Error rate of a pass.
        looks: Whether the judge may be asked again as data arrive.
        horizon: Planned steps of the whole analysis.
        confidence: Two-sided level of the interval shown.
        min_samples: Steps below which nothing is decided.
        variance: `robust`, or `classic` for the textbook test.

    References:
        Brunner & Munzel (2000), Biometrical Journal 42; Hodges & Lehmann (1963), Annals of
        Mathematical Statistics 34; Lazarus et al. (2018), JBES 36.
    """

    kind: ClassVar[str] = "mann_whitney"
    accepts: ClassVar[tuple[type[Any], ...]] = (Values, Ratio)

    tolerance: Limit = parameters.tolerance("10%")
    margin: Limit | None = parameters.margin()
    direction: Direction = parameters.direction()
    alpha: float = parameters.alpha()
    beta: float = parameters.beta()
    looks: Looks = parameters.looks()
    horizon: int = parameters.horizon()
    confidence: float = parameters.confidence()
    min_samples: int = parameters.min_samples()
    variance: Variance = parameters.choice(
        Variance.ROBUST, "robust: valid under autocorrelation; classic: the textbook test"
    )

    def __post_init__(self) -> None:
        """Refuse parameters that contradict each other."""
        settlement.check_margin(self.kind, self.tolerance, self.margin)
        if self.variance is Variance.CLASSIC and self.looks is Looks.ANYTIME:
            message = "variance: classic has no form for repeated looks; use looks: fixed or robust"
            raise InvalidParameterError((("variance", message),))

    def judge(self, sample: Sample, /) -> Judgment:
        """Compare the two sides; `INCONCLUSIVE` when the data cannot tell.

        Args:
            sample: Values or quotients of both sides; only steps known on both are used.
        """
        baseline, canary = sample.paired()
        if (n := len(baseline)) < self.min_samples:
            return too_few(self.kind, n, self.min_samples)
        data = scaled(baseline, canary, absolute=self._uses_absolute())
        if _changes(baseline) < LEAST_CHANGES and _changes(canary) < LEAST_CHANGES:
            return self._steady(data)
        compare = _textbook if self.variance is Variance.CLASSIC else _robust
        return compare(self, data, sample.step_s)

    @property
    def pass_margin(self) -> Limit:
        """The harm that must be excluded for a pass."""
        return self.margin if self.margin is not None else self.tolerance.doubled()

    def _uses_absolute(self) -> bool:
        return self.tolerance.absolute > 0 or self.pass_margin.absolute > 0

    def _steady(self, data: Scaled) -> Judgment:
        """Judge two series that hardly ever change: chance cannot be told from a difference."""
        within = all(
            bool(np.all(sign * (data.canary - data.moved(self.tolerance, sign)) <= TIE))
            for sign in self.direction.signs
        )
        baseline, canary = (wording.amount(x) for x in (data.level_baseline, data.level_canary))
        levels = f"baseline {baseline}, canary {canary}"
        return Judgment(
            kind=self.kind,
            verdict=Verdict.PASS if within else Verdict.INCONCLUSIVE,
            reason=Reason.STEADY_WITHIN_TOLERANCE if within else Reason.STEADY_DIFFERENCE,
            summary=f"steady and within tolerance at every step ({levels})"
            if within
            else f"both sides hardly vary ({levels}), so chance cannot be told from harm; "
            f"a threshold judge can decide this metric",
            n=len(data.baseline),
            estimate=data.levels(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    """A stretch of the window, from some step to its end, with the statistic chosen for it."""

    data: Scaled
    pair: Pair
    method: RankMethod
    centre: float
    at_centre: Studentized

    @classmethod
    def of(cls, data: Scaled) -> _Stretch:
        """Choose the statistic and centre it on the Hodges-Lehmann estimate."""
        pair = Pair.of(data.baseline, data.canary)
        method = pair.choose()
        centre = shifts.hodges_lehmann(method, data.baseline, data.canary)
        return cls(
            data=data,
            pair=pair,
            method=method,
            centre=centre,
            at_centre=pair.studentized(method, centre),
        )

    @property
    def n(self) -> int:
        return len(self.data.baseline)

    @property
    def run(self) -> LongRun:
        return self.at_centre.run

    def since(self, start: int) -> _Stretch:
        return _Stretch.of(self.data.since(start))

    def beyond(self, limit: Limit, side: int) -> Studentized:
        """Compare the canary with the baseline moved to the limit."""
        moved = self.data.moved(limit, side)
        return Pair.of(moved, self.data.canary).studentized(self.method)

    def estimate(self, level: float) -> Estimate:
        """Give the Hodges-Lehmann estimate, with the interval that inverts the test."""
        z = -float(special.ndtri((1 - level) / 2))
        lower, upper = shifts.invert(
            lambda shift: self.pair.studentized(self.method, shift).z,
            centre=self.centre,
            step=z * self.data.noise() / math.sqrt(self.run.n_effective),
            reach=self.data.reach(self.centre),
            z=z,
        )
        return self.data.estimate(self.centre, Interval(lower=lower, upper=upper, level=level))


def _robust(rule: MannWhitney, data: Scaled, step_s: float) -> Judgment:
    whole = _Stretch.of(data)
    details = {"method": str(whole.method), "variance": str(rule.variance)}
    return Comparison(
        rule=rule,
        whole=whole,
        estimate=whole.estimate(rule.confidence),
        step_s=step_s,
        details=details,
    ).judgment()


def _textbook(rule: MannWhitney, data: Scaled, step_s: float) -> Judgment:
    """Judge by the textbook test, which knows one look and independent steps only."""

    def p(limit: Limit, side: int, toward: int) -> Evidence:
        moved, canary = data.moved(limit, side), data.canary
        return Evidence(p=classic.p_greater(*((moved, canary) if toward > 0 else (canary, moved))))

    signs, n = rule.direction.signs, len(data.baseline)
    harm = evidence.strongest([p(rule.tolerance, sign, sign) for sign in signs])
    safety = evidence.weakest([p(rule.pass_margin, sign, -sign) for sign in signs])
    verdict = evidence.decide(harm, safety, alpha=rule.alpha, beta=rule.beta, looks=rule.looks)
    centre = shifts.hodges_lehmann(RankMethod.PLACEMENTS, data.baseline, data.canary)
    lower, upper = classic.interval(data.baseline, data.canary, level=rule.confidence)
    estimate = data.estimate(centre, Interval(lower=lower, upper=upper, level=rule.confidence))
    return Judgment(
        kind=rule.kind,
        verdict=verdict,
        reason=settlement.reason_of(verdict),
        summary=settlement.summary(estimate, rule),
        estimate=estimate,
        harm=harm,
        safety=safety,
        n=n,
        n_effective=float(n),
        settlement=settlement.for_series(
            estimate, n=n, n_effective=n, least_effective=0, step_s=step_s, rule=rule
        )
        if verdict is Verdict.INCONCLUSIVE
        else None,
        details={"method": str(RankMethod.PLACEMENTS), "variance": str(rule.variance)},
    )


def _changes(series: Array) -> int:
    return int(np.count_nonzero(series[1:] != series[:-1]))
