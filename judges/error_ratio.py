"""Error ratio: do more of the canary's requests fail than the tolerance allows?"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from scipy import special

from judges.core import counts, evidence, parameters, settlement, wording
from judges.core.counts import Tally
from judges.core.judgment import (
    Estimate,
    Evidence,
    Interval,
    Judgment,
    Reason,
    Scale,
    Settlement,
    Verdict,
)
from judges.core.limits import Limit
from judges.core.parameters import Direction, Looks
from judges.core.sample import Array, Ratio, Sample

# What would settle it is searched up to this many times the data at hand; beyond, "not soon".
MOST_TIMES = 1000.0
# Two per cent: the sentence rounds more than that.
TIMES_PRECISION = 1.02
# Of more events than this the beta tail loses its digits (measured: from 1e16 on, here 1000 times
# what is at hand may be asked for); the squares of more requests do not fit a double.
MOST_EVENTS, MOST_REQUESTS = 1e12, 1e100
# What is smaller is no part of an event but rounding, and its reciprocal would not fit a double.
LEAST_EVENT = 1e-9
# Steps behind a restart before its events count: with fewer, one burst is the whole evidence.
LEAST_RESTARTED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRatio:
    """Compare events among requests by the conditional binomial, deflated for bunching.

    The canary's events are harm when its rate exceeds both `ratio` times the baseline's and the
    baseline's plus `absolute` (a share of requests). Counts of events are compared, never the
    ratios of single steps, so unequal and changing traffic does no damage.

    Attributes:
        tolerance: Harm beyond which, once shown, the canary fails.
        margin: Harm that must be excluded for a pass.
        direction: Which change is harm.
        alpha: Error rate of a fail.
        beta: Error rate of a pass.
        looks: Whether the judge may be asked again as data arrive.
        horizon: Planned steps of the whole analysis.
        confidence: Two-sided level of the interval shown.

    References:
        Przyborowski & Wilenski (1940), Biometrika 31; Rao & Scott (1992), Biometrics 48.
    """

    kind: ClassVar[str] = "error_ratio"
    accepts: ClassVar[tuple[type[Any], ...]] = (Ratio,)

    tolerance: Limit = parameters.limit(
        Limit(ratio=1.25, absolute=0.0002),
        "harm beyond this, once shown, fails; absolute is a share of requests",
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

    def __post_init__(self) -> None:
        """Refuse a margin smaller than the tolerance."""
        settlement.check_margin(self.kind, self.tolerance, self.margin)

    @property
    def pass_margin(self) -> Limit:
        """The harm that must be excluded for a pass.

        Where errors are rare no realistic traffic excludes a rise of two hundredths of a percent,
        so the absolute part is ten times the tolerance's (measured: good rollouts passed 59 % with
        +.02 points, 73 % with +.2 points, at the same rate of missed faults).
        """
        if self.margin is not None:
            return self.margin
        return replace(self.tolerance.doubled(), absolute=10 * self.tolerance.absolute)

    def judge(self, sample: Sample, /) -> Judgment:
        """Compare the two sides; `INCONCLUSIVE` when the counts cannot tell.

        Args:
            sample: Numerator (events) and denominator (requests) of both sides.

        Raises:
            TypeError: The sample holds plain values instead of counts.
        """
        tally = _tally(sample)
        if (text := _absurd(tally)) is not None:
            return self._undecided(Reason.NOT_COMPARABLE, text, tally)
        for side, total in (("baseline", tally.total_baseline), ("canary", tally.total_canary)):
            if not total.sum() > 0:
                text = f"the {side} served no requests, so its errors say nothing"
                return self._undecided(Reason.NO_EXPOSURE, text, tally)
        return _Comparison.of(self, tally, sample.step_s).judgment()

    def _undecided(self, reason: Reason, summary: str, tally: Tally) -> Judgment:
        return Judgment(
            kind=self.kind,
            verdict=Verdict.INCONCLUSIVE,
            reason=reason,
            summary=summary,
            n=len(tally.total_canary),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    """A stretch of the window, from some step to its end, and how events bunch around its start."""

    start: int
    dispersion: float
    df: float

    @classmethod
    def of(cls, tally: Tally, start: int) -> _Stretch:
        factor, df = counts.dispersion(tally, start=start)
        return cls(start=start, dispersion=factor, df=df)

    def deflator(self, level: float) -> float:
        """Give the dispersion, widened for having been estimated with few degrees of freedom."""
        if self.dispersion <= 1 or not math.isfinite(self.df):
            return self.dispersion
        z = -float(special.ndtri(level))
        t = -float(special.stdtrit(self.df, level))
        return self.dispersion * max(t / z, 1.0) ** 2 if z > 0 else self.dispersion


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comparison:
    """One comparison under way; with `DECREASE` the sides are exchanged inside."""

    judge: ErrorRatio
    tally: Tally
    step_s: float
    whole: _Stretch
    later: tuple[_Stretch, ...]

    @classmethod
    def of(cls, judge: ErrorRatio, tally: Tally, step_s: float) -> _Comparison:
        n, anytime = len(tally.total_canary), judge.looks is Looks.ANYTIME
        starts = evidence.restarts(n, judge.horizon, least=LEAST_RESTARTED) if anytime else []
        whole, *later = (_Stretch.of(tally, start) for start in (0, *starts))
        return cls(judge=judge, tally=tally, step_s=step_s, whole=whole, later=tuple(later))

    def judgment(self) -> Judgment:
        rule, tally = self.judge, self.tally
        harm, safety = self.weigh(tally)
        verdict = evidence.decide(harm, safety, alpha=rule.alpha, beta=rule.beta, looks=rule.looks)
        reason = settlement.reason_of(verdict)
        settle = self._settlement() if verdict is Verdict.INCONCLUSIVE else None
        return Judgment(
            kind=rule.kind,
            verdict=verdict,
            reason=reason,
            summary=self._summary(),
            estimate=self._estimate(),
            harm=harm,
            safety=safety,
            n=len(tally.total_canary),
            settlement=settle,
            details={
                "events_baseline": float(tally.events_baseline.sum()),
                "events_canary": float(tally.events_canary.sum()),
                "requests_baseline": float(tally.total_baseline.sum()),
                "requests_canary": float(tally.total_canary.sum()),
                "dispersion": self.whole.dispersion,
            },
        )

    def weigh(self, tally: Tally) -> tuple[Evidence, Evidence]:
        """Give the evidence for harm beyond the tolerance and for harm below the margin."""
        rule = self.judge
        sides = [tally if sign > 0 else tally.swapped() for sign in rule.direction.signs]
        return (
            evidence.strongest([self._harm(side) for side in sides]),
            evidence.weakest([self._safety(side) for side in sides]),
        )

    def _harm(self, tally: Tally) -> Evidence:
        """Both limits must be exceeded, so the weaker evidence counts."""
        whole = self._coins_since(tally, self.whole)
        log_e = min(coin.log_e_more() for coin in whole)
        if self.judge.looks is Looks.ANYTIME:
            later = [self._coins_since(tally, stretch) for stretch in self.later]
            log_e = evidence.with_restarts(
                log_e, [min(coin.log_e_more() for coin in coins) for coins in later]
            )
        return Evidence(p=max(coin.p_more() for coin in whole), log_e=log_e)

    def _coins_since(self, tally: Tally, stretch: _Stretch) -> list[counts.Coin]:
        """Give the events of a stretch as tosses, deflated by the bunching around its start."""
        rule = self.judge
        deflator = stretch.deflator(rule.alpha)
        since = tally.between(stretch.start, None)
        return [coin.deflated(deflator) for coin in _coins(since, rule.tolerance)]

    def _safety(self, tally: Tally) -> Evidence:
        """To lie within either limit is enough, so the stronger evidence counts.

        Only the limit that binds can err, for the other is farther away.
        """
        rule = self.judge
        deflator = self.whole.deflator(rule.beta)
        margin = rule.pass_margin
        coins = [coin.deflated(deflator) for coin in _coins(tally, margin)]
        p, log_e = min(c.p_fewer() for c in coins), max(c.log_e_fewer() for c in coins)
        if margin.absolute > 0:
            p = min(p, self._p_below(tally, margin.absolute, deflator))
        return Evidence(p=p, log_e=log_e)

    def _p_below(self, tally: Tally, absolute: float, deflator: float) -> float:
        """Give P(so few events) if the canary alone had `absolute` events per request (Poisson).

        A canary below the allowance is within the margin whatever the baseline does; without any
        errors on either side this is the rule of three.
        """
        seen, allowed = float(tally.events_canary.sum()), absolute * float(tally.total_canary.sum())
        return float(special.gammaincc(seen / deflator + 1, allowed / deflator))

    def _estimate(self) -> Estimate:
        rule = self.judge
        lower, value, upper = counts.rate_ratio_interval(
            self.tally, self.whole.deflator((1 - rule.confidence) / 2), level=rule.confidence
        )
        rates = _rates(self.tally)
        return Estimate(
            value=value if math.isfinite(value) else None,
            scale=Scale.RATIO,
            interval=Interval(lower=lower, upper=upper, level=rule.confidence),
            baseline=rates[0],
            canary=rates[1],
        )

    def _summary(self) -> str:
        tally, rule = self.tally, self.judge
        baseline, canary = _rates(tally)
        seen = (
            f"{wording.percent(canary)} of requests against {wording.percent(baseline)} "
            f"({_whole(tally.events_canary)} of {_whole(tally.total_canary)} against "
            f"{_whole(tally.events_baseline)} of {_whole(tally.total_baseline)})"
        )
        estimate = self._estimate()
        moved = f", {wording.change(estimate)}" if estimate.value is not None else ""
        return (
            f"{seen}{moved}, tolerance {_limit(rule.tolerance)}, margin {_limit(rule.pass_margin)}"
        )

    def _settlement(self) -> Settlement:
        """Find how many times the data at hand would decide, if the present rates hold."""
        times = self._times_needed()
        requests = float(self.tally.total_canary.sum())
        if times is None:
            text = "the rate lies too close to tolerance and margin for time to settle it"
            return Settlement(summary=text)
        minutes = (times - 1) * len(self.tally.total_canary) * self.step_s / 60
        events = (times - 1) * float((self.tally.events_baseline + self.tally.events_canary).sum())
        more = (times - 1) * requests
        return Settlement(
            minutes=minutes,
            events=events,
            requests=more,
            summary=f"about {more:,.0f} more canary requests "
            f"({wording.duration(minutes)} at the present traffic)",
        )

    def _times_needed(self) -> float | None:
        low, high = 1.0, 2.0
        while not self._decides(high):
            low, high = high, 2 * high
            if high > MOST_TIMES:
                return None
        while high / low > TIMES_PRECISION:
            middle = math.sqrt(low * high)
            low, high = (low, middle) if self._decides(middle) else (middle, high)
        return high

    def _decides(self, times: float) -> bool:
        rule, tally = self.judge, self.tally
        grown = Tally(
            events_baseline=tally.events_baseline * times,
            total_baseline=tally.total_baseline * times,
            events_canary=tally.events_canary * times,
            total_canary=tally.total_canary * times,
        )
        harm, safety = self.weigh(grown)
        verdict = evidence.decide(harm, safety, alpha=rule.alpha, beta=rule.beta, looks=rule.looks)
        return verdict is not Verdict.INCONCLUSIVE


def _coins(tally: Tally, limit: Limit) -> list[counts.Coin]:
    """Give the events as tosses under each part of the limit."""
    coins = [counts.coin(tally, limit.ratio)]
    if limit.absolute > 0:
        coins.append(counts.coin(tally.with_floor(limit.absolute), 1.0))
    return coins


def _tally(sample: Sample) -> Tally:
    baseline, canary = sample.baseline, sample.canary
    if not (isinstance(baseline, Ratio) and isinstance(canary, Ratio)):
        raise TypeError("error_ratio judges counts; build the sample with Sample.of_counts")
    sides = [*baseline.sums(), *canary.sums()]
    known = ~np.isnan(np.vstack(sides)).any(axis=0)
    events_b, total_b, events_c, total_c = (
        np.where(side[known] > LEAST_EVENT, side[known], 0.0) for side in sides
    )
    return Tally(
        events_baseline=events_b,
        total_baseline=total_b,
        events_canary=events_c,
        total_canary=total_c,
    )


def _absurd(tally: Tally) -> str | None:
    """Say what no counter has ever counted."""
    events_b, total_b, events_c, total_c = (
        float(np.max(part, initial=0.0)) * len(part) for part in tally.parts()
    )
    if max(events_b, events_c) > MOST_EVENTS:
        return f"more than {MOST_EVENTS:g} events are no count of events"
    if max(total_b, total_c) > MOST_REQUESTS:
        return f"more than {MOST_REQUESTS:g} requests are no count of requests"
    return None


def _rates(tally: Tally) -> tuple[float, float]:
    return (
        float(tally.events_baseline.sum() / tally.total_baseline.sum()),
        float(tally.events_canary.sum() / tally.total_canary.sum()),
    )


def _whole(values: Array) -> str:
    return f"{float(values.sum()):,.0f}"


def _limit(limit: Limit) -> str:
    """Write a limit on shares of requests: the absolute part in percentage points."""
    if limit.absolute == 0:
        return str(limit)
    return f"{wording.percent(limit.ratio - 1)} and {100 * limit.absolute:.3g} points"
