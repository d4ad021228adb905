"""Mann-Whitney, studentized for autocorrelation: does the canary tend to lie beyond tolerance?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

import numpy as np
from scipy import special

from judges.core import classic, evidence, parameters, settlement, shifts, wording
from judges.core.errors import InvalidParameterError
from judges.core.judgment import (
    Estimate,
    Evidence,
    Interval,
    Judgment,
    Reason,
    Settlement,
    Verdict,
)
from judges.core.limits import Limit
from judges.core.parameters import Direction, Looks
from judges.core.ranks import TIE, Pair, RankMethod, Studentized
from judges.core.sample import Array, Ratio, Sample, Values
from judges.core.scaled import Scaled, scaled


class Variance(StrEnum):
    """How the variance of the rank statistic is estimated."""

    ROBUST = "robust"  # long-run variance: valid under autocorrelation
    CLASSIC = "classic"  # the textbook null variance: valid for independent steps only


# Fewer independent steps than this carry no verdict: the variance is then mostly a guess.
LEAST_EFFECTIVE = 6
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
            return self._too_few(n)
        data = scaled(baseline, canary, absolute=self._uses_absolute())
        if _changes(baseline) < LEAST_CHANGES and _changes(canary) < LEAST_CHANGES:
            return self._steady(data)
        return _Comparison.of(self, data, sample.step_s).judgment()

    @property
    def pass_margin(self) -> Limit:
        """The harm that must be excluded for a pass."""
        return self.margin if self.margin is not None else self.tolerance.doubled()

    def _uses_absolute(self) -> bool:
        return self.tolerance.absolute > 0 or self.pass_margin.absolute > 0

    def _too_few(self, n: int) -> Judgment:
        return Judgment(
            kind=self.kind,
            verdict=Verdict.INCONCLUSIVE,
            reason=Reason.TOO_FEW_SAMPLES if n else Reason.NO_DATA,
            summary=f"{n} steps were seen on both sides; {self.min_samples} are needed",
            n=n,
        )

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
    def of(cls, data: Scaled, *, classical: bool) -> _Stretch:
        """Choose the statistic and centre it on the Hodges-Lehmann estimate."""
        pair = Pair.of(data.baseline, data.canary)
        method = RankMethod.PLACEMENTS if classical else pair.choose()
        centre = shifts.hodges_lehmann(method, data.baseline, data.canary)
        return cls(
            data=data,
            pair=pair,
            method=method,
            centre=centre,
            at_centre=pair.studentized(method, centre),
        )

    @property
    def is_dependent(self) -> bool:
        """Whether too few independent steps are in it to carry a verdict."""
        return self.at_centre.run.n_effective < LEAST_EFFECTIVE

    def beyond(self, limit: Limit, side: int) -> Studentized:
        """Compare the canary with the baseline moved to the limit."""
        moved = self.data.moved(limit, side)
        return Pair.of(moved, self.data.canary).studentized(self.method)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comparison:
    """One comparison under way: the judge, and the window as a whole."""

    judge: MannWhitney
    whole: _Stretch
    step_s: float

    @classmethod
    def of(cls, judge: MannWhitney, data: Scaled, step_s: float) -> _Comparison:
        classical = judge.variance is Variance.CLASSIC
        return cls(judge=judge, whole=_Stretch.of(data, classical=classical), step_s=step_s)

    def judgment(self) -> Judgment:
        """Weigh harm and safety, and say what was found."""
        rule, run = self.judge, self.whole.at_centre.run
        harm, safety = self._weigh()
        verdict = evidence.decide(harm, safety, alpha=rule.alpha, beta=rule.beta, looks=rule.looks)
        reason = settlement.reason_of(verdict)
        if verdict is Verdict.INCONCLUSIVE and self._gated:
            reason = Reason.TOO_FEW_EFFECTIVE_SAMPLES
        estimate = self._estimate()
        return Judgment(
            kind=rule.kind,
            verdict=verdict,
            reason=reason,
            summary=self._summary(reason, estimate),
            estimate=estimate,
            harm=harm,
            safety=safety,
            n=self._n,
            n_effective=self._n_effective,
            autocorrelation=run.autocorrelation if self._robust else None,
            settlement=self._settlement(estimate) if verdict is Verdict.INCONCLUSIVE else None,
            details={"method": str(self.whole.method), "variance": str(rule.variance)},
        )

    @property
    def _n(self) -> int:
        return len(self.whole.data.baseline)

    @property
    def _robust(self) -> bool:
        return self.judge.variance is Variance.ROBUST

    @property
    def _gated(self) -> bool:
        return self._robust and self.whole.is_dependent

    @property
    def _n_effective(self) -> float:
        return self.whole.at_centre.run.n_effective if self._robust else float(self._n)

    def _weigh(self) -> tuple[Evidence, Evidence]:
        """Give the evidence for harm beyond the tolerance and for harm below the margin."""
        rule = self.judge
        harm, safety = (
            (self._harm, self._safety) if self._robust else (self._p_harm, self._p_safety)
        )
        signs = rule.direction.signs
        return (
            evidence.strongest([harm(sign) for sign in signs]),
            evidence.weakest([safety(sign) for sign in signs]),
        )

    def _harm(self, side: int) -> Evidence:
        """Weigh harm over the whole window, and since each restart for harm that began late."""
        rule = self.judge
        whole = self._since(self.whole, side)
        if rule.looks is Looks.FIXED or whole.log_e is None:
            return whole
        later = [self._since(stretch, side).log_e for stretch in self._restarts()]
        mixed = evidence.with_restarts(whole.log_e, [e for e in later if e is not None])
        return Evidence(p=whole.p, log_e=mixed)

    def _since(self, stretch: _Stretch, side: int) -> Evidence:
        """Weigh harm over a stretch; one with too few independent steps has no evidence at all."""
        if stretch.is_dependent:
            return Evidence(p=1.0, log_e=-math.inf)
        rule = self.judge
        found = stretch.beyond(rule.tolerance, side)
        n = len(stretch.data.baseline)
        return evidence.from_statistic(
            side * found.t, found.df, n, alpha=rule.alpha, horizon=rule.horizon
        )

    def _restarts(self) -> list[_Stretch]:
        rule = self.judge
        starts = evidence.restarts(self._n, rule.horizon, least=rule.min_samples)
        return [_Stretch.of(self.whole.data.since(start), classical=False) for start in starts]

    def _safety(self, side: int) -> Evidence:
        if self._gated:
            return Evidence(p=1.0, log_e=0.0)
        rule = self.judge
        found = self.whole.beyond(rule.pass_margin, side)
        return evidence.from_statistic(
            -side * found.t, found.df, self._n, alpha=rule.beta, horizon=rule.horizon
        )

    def _p_harm(self, side: int) -> Evidence:
        return self._classic(self.judge.tolerance, side, side)

    def _p_safety(self, side: int) -> Evidence:
        return self._classic(self.judge.pass_margin, side, -side)

    def _classic(self, limit: Limit, side: int, toward: int) -> Evidence:
        """Give the textbook p-value that the canary lies above (`toward` = 1) the moved baseline."""
        moved, canary = self.whole.data.moved(limit, side), self.whole.data.canary
        low, high = (moved, canary) if toward > 0 else (canary, moved)
        return Evidence(p=classic.p_greater(low, high))

    def _estimate(self) -> Estimate:
        lower, upper = self._bounds()
        return self.whole.data.estimate(
            self.whole.centre, Interval(lower=lower, upper=upper, level=self.judge.confidence)
        )

    def _bounds(self) -> tuple[float | None, float | None]:
        whole, data = self.whole, self.whole.data
        if not self._robust:
            return classic.interval(data.baseline, data.canary, level=self.judge.confidence)
        z = -float(special.ndtri((1 - self.judge.confidence) / 2))
        return shifts.invert(
            lambda shift: whole.pair.studentized(whole.method, shift).z,
            centre=whole.centre,
            step=z * data.noise() / math.sqrt(self._n_effective),
            reach=data.reach(whole.centre),
            z=z,
        )

    def _summary(self, reason: Reason, estimate: Estimate) -> str:
        rule = self.judge
        text = f"{wording.change(estimate)}, tolerance {rule.tolerance}, margin {rule.pass_margin}"
        if reason is Reason.TOO_FEW_EFFECTIVE_SAMPLES:
            text += (
                f"; {self._n} autocorrelated steps are worth only {self._n_effective:.1f} "
                f"independent ones, {LEAST_EFFECTIVE} are needed"
            )
        return text

    def _settlement(self, estimate: Estimate) -> Settlement:
        return settlement.for_series(
            estimate,
            n=self._n,
            n_effective=self._n_effective,
            least_effective=LEAST_EFFECTIVE,
            step_s=self.step_s,
            rule=self.judge,
        )


def _changes(series: Array) -> int:
    return int(np.count_nonzero(np.diff(series)))
