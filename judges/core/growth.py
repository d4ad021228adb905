"""Growth of the canary beyond the baseline's: weigh it, decide, and say what was found.

Evidence over looks is cumulative, without the restarts that other judges need for harm that begins
late: a leak goes on, and weighs more with every step. One that begins at half of the window has
half of its slope at the end of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from scipy import special

from judges.core import evidence, settlement, trend, wording
from judges.core.growing import Growing
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
from judges.core.parameters import Looks
from judges.core.trend import (
    LEAST_EFFECTIVE,
    MANY_LOOKS_DF,
    ONE_LOOK_DF,
    Method,
    PodSlopes,
    Trend,
)

# A limit of so many times the values lies beyond everything.
_MOST = 1e60
# A limit that would be reached later than in a week wakes nobody.
MOST_HOURS = 168.0
# An e-value of 0, as a logarithm that a report can still write as a number.
NOTHING = Evidence(p=1.0, log_e=-700.0)
# As which power of the variance the steps grow that overcome it: a line's variance falls with
# their cube, what pods differ by with their square, a random walk's with their number.
STEPS_POWER = {Method.STEPS: 1 / 3, Method.PODS: 1 / 2, Method.INCREMENTS: 1.0}


class Rule(settlement.Rule, Protocol):
    """What a judge of growth decides by."""

    @property
    def kind(self) -> str:
        """The judge's kind."""

    @property
    def limit(self) -> float | None:
        """Level that shares are shares of; `None` for the baseline's own."""

    @property
    def horizon(self) -> int:
        """Planned steps of the whole analysis."""

    @property
    def confidence(self) -> float:
        """Two-sided level of the interval shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The time over which growth is told.

    Attributes:
        steps: Its length in steps.
        step_s: Length of a step in seconds.
        is_planned: Whether it is the planned length of the analysis; an hour otherwise.
    """

    steps: float
    step_s: float
    is_planned: bool

    def __str__(self) -> str:
        """Write the span as a person would."""
        minutes = self.steps * self.step_s / 60
        return f"over the planned {wording.duration(minutes)}" if self.is_planned else "in an hour"


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """A comparison of growth under way.

    Attributes:
        rule: The judge.
        growing: Both sides.
        span: The time over which growth is told.
        trend: How much faster the canary grows, as a single look may tell.
        over_looks: The same where evidence accumulates over looks.
        reference: What shares are shares of, in the unit of `growing`.
    """

    rule: Rule
    growing: Growing
    span: Span
    trend: Trend
    over_looks: Trend
    reference: float

    @classmethod
    def of(cls, rule: Rule, growing: Growing, span: Span) -> Growth:
        """Estimate the growth, by pods where they can say what chance does, else by steps."""
        limit = rule.limit
        reference = abs(growing.level()) if limit is None else min(limit / growing.unit, _MOST)
        one, many = _trends(growing, reference)
        return cls(
            rule=rule,
            growing=growing,
            span=span,
            trend=one,
            over_looks=many,
            reference=reference,
        )

    def judgment(self) -> Judgment:
        """Weigh harm and safety, and decide."""
        rule = self.rule
        signs = rule.direction.signs
        harm = evidence.strongest([self._weigh(rule.tolerance, s, s, rule.alpha) for s in signs])
        safety = evidence.weakest([self._weigh(rule.pass_margin, s, -s, rule.beta) for s in signs])
        verdict = evidence.decide(harm, safety, alpha=rule.alpha, beta=rule.beta, looks=rule.looks)
        reason = settlement.reason_of(verdict)
        if verdict is Verdict.INCONCLUSIVE and self.trend.is_dependent:
            reason = Reason.TOO_FEW_EFFECTIVE_SAMPLES
        return Judgment(
            kind=rule.kind,
            verdict=verdict,
            reason=reason,
            summary=self._summary(reason),
            estimate=self._estimate(),
            harm=harm,
            safety=safety,
            n=self.growing.n,
            n_effective=self.trend.n_effective,
            autocorrelation=self.trend.autocorrelation,
            settlement=self._settlement() if verdict is Verdict.INCONCLUSIVE else None,
            warnings=self._warnings(),
            details=self._details(),
        )

    def _size(self, limit: Limit) -> float:
        """Give a limit of growth over the span, in units."""
        absolute = min(limit.absolute / self.growing.unit, _MOST)
        return max((limit.ratio - 1) * self.reference, absolute)

    def _weigh(self, limit: Limit, side: int, sign: int, level: float) -> Evidence:
        """Weigh that growth lies above (`sign` +1) or below (-1) the limit of one side."""
        if self.trend.is_dependent:
            return NOTHING
        rate = side * self._size(limit) / self.span.steps
        log_e = evidence.log_e_normal(
            sign * self.over_looks.deviate(rate),
            self.growing.n,
            alpha=level,
            best_at=self.rule.horizon / 2,
        )
        if self.rule.looks in (Looks.ANYTIME, Looks.FIXED):
            p = float(special.ndtr(-sign * self.trend.deviate(rate)))
            return Evidence(p=p, log_e=log_e)
        # The inverse of an e-value is a p-value however often one looks.
        return Evidence(p=math.exp(min(0.0, -log_e)), log_e=log_e)

    @property
    def _found(self) -> tuple[float, float]:
        """Growth over the span and the reach of its interval, in units."""
        steps = self.span.steps
        return self.trend.rate * steps, self.trend.half_width(self.rule.confidence) * steps

    @property
    def _slopes(self) -> tuple[float, float]:
        """Each side's own slope, in units a step."""
        growing, known = self.growing, self.growing.known
        baseline, canary = (
            trend.line(growing.steps[known], side[known])[0]
            for side in (growing.baseline, growing.canary)
        )
        return baseline, canary

    def _estimate(self) -> Estimate:
        growth, reach = self._found
        metric = self._in_metric
        return Estimate(
            value=metric(growth),
            scale=Scale.DIFFERENCE,
            interval=Interval(
                lower=metric(growth - reach),
                upper=metric(growth + reach),
                level=self.rule.confidence,
            ),
            baseline=metric(self.growing.level()),
            canary=metric(self.growing.canary_level()),
        )

    def _in_metric(self, value: float) -> float | None:
        """Give units in the metric's own unit, or `None` where no double can hold them."""
        found = value * self.growing.unit
        return found if math.isfinite(found) else None

    # ---- words

    def _summary(self, reason: Reason) -> str:
        growth, reach = self._found
        bounds = self._bounds(growth - reach, growth + reach)
        verb = "outgrew" if growth >= 0 else "grew less than"
        text = (
            f"{verb} the baseline by {self._told(abs(growth))} {self.span}{bounds}, "
            f"tolerance {self.rule.tolerance}, margin {self.rule.pass_margin}{self._at_limit()}"
        )
        if reason is Reason.TOO_FEW_EFFECTIVE_SAMPLES:
            worth = self.trend.n_effective or 0.0
            text += (
                f"; {self.trend.n} autocorrelated steps are worth only {worth:.1f} independent "
                f"ones, {LEAST_EFFECTIVE} are needed"
            )
        return text

    def _told(self, growth: float) -> str:
        """Write growth as a share of what it is a share of."""
        share = self._share(growth)
        if self.rule.limit is None:
            return f"{share} of its level" if self.reference > 0 else share
        return f"{share} of the limit of {wording.amount(self.rule.limit)}"

    def _share(self, growth: float) -> str:
        share = growth / self.reference if self.reference > 0 else math.inf
        if abs(share) < _MOST:
            return wording.percent(share)
        amount = self._in_metric(growth)
        return "beyond all numbers" if amount is None else wording.amount(amount)

    def _bounds(self, lower: float, upper: float) -> str:
        level = f"{100 * self.rule.confidence:g} % CI"
        if not math.isfinite(upper - lower):
            return f" ({level}: the data bound nothing)"
        return f" ({level} {self._share(lower)} to {self._share(upper)})"

    def _at_limit(self) -> str:
        """Say when the canary would reach the limit, or that it has."""
        if self.rule.limit is None or 1 not in self.rule.direction.signs:
            return ""
        limit = wording.amount(self.rule.limit)
        if self._room() <= 0:
            return f"; at its end the canary already exceeds {limit}"
        hours = self._hours_to_limit()
        if hours is None:
            return ""
        return f"; at its own rate it would reach {limit} in {wording.duration(60 * hours)}"

    def _room(self) -> float:
        """Give what is left between the canary's last level and the limit, in units."""
        return self.reference - self.growing.canary_end()

    def _hours_to_limit(self) -> float | None:
        """Give the time to the limit at the canary's own rate; `None` if it is far away."""
        rate, room = self._slopes[1], self._room()
        if self.rule.limit is None or room <= 0 or rate <= 0:
            return None
        hours = room / rate * self.span.step_s / 3600 if room < _MOST * rate else math.inf
        return hours if hours <= MOST_HOURS else None

    def _warnings(self) -> tuple[str, ...]:
        return tuple(
            f"{count} of the {side}'s pods came or went within the window and are left out"
            for side, count in zip(("baseline", "canary"), self.growing.left_out, strict=True)
            if count
        )

    def _details(self) -> Mapping[str, float | int | str | None]:
        baseline, canary = (self._in_metric(rate * self.span.steps) for rate in self._slopes)
        by_pods = self.trend.method is Method.PODS
        return {
            "method": str(self.trend.method),
            "growth_baseline": baseline,
            "growth_canary": canary,
            "reference": self._in_metric(self.reference),
            "hours_to_limit": self._hours_to_limit(),
            "pods_baseline": len(self.growing.pods_baseline) if by_pods else None,
            "pods_canary": len(self.growing.pods_canary) if by_pods else None,
            "pods_left_out": sum(self.growing.left_out),
        }

    # ---- what would settle it

    def _settlement(self) -> Settlement:
        n, step_s = self.trend.n, self.span.step_s
        effective = self.trend.n_effective
        if effective is not None and self.trend.is_dependent:
            minutes = n * (LEAST_EFFECTIVE / effective - 1) * step_s / 60
            text = f"about {wording.duration(minutes)} more for {LEAST_EFFECTIVE} independent steps"
            return Settlement(minutes=minutes, summary=text)
        now = self._margin_now()
        steps = self._further_steps()
        if steps is None:
            text = "growth lies so near a limit that time may not settle it"
            return Settlement(summary=f"{text}; {now}" if now else text)
        minutes = steps * step_s / 60
        text = f"about {wording.duration(minutes)} more at this noise"
        return Settlement(minutes=minutes, summary=f"{text}, or {now}" if now else text)

    def _further_steps(self) -> float | None:
        """Give the steps still missing if the estimate is the truth; `None` if it decides nothing.

        The variance to be reached is that of the sample size of a one-sided test.
        """
        rule, growth = self.rule, self._found[0]
        harm = max(sign * growth for sign in rule.direction.signs)
        tolerance, margin = self._size(rule.tolerance), self._size(rule.pass_margin)
        se = math.sqrt(self.trend.variance) * self.span.steps
        fails = harm > tolerance
        distance, level = (harm - tolerance, rule.alpha) if fails else (margin - harm, rule.beta)
        if distance <= 0 or (tolerance < harm < margin and distance < se):
            return None
        z = -float(special.ndtri(level)) - float(special.ndtri(1 - settlement.POWER))
        looks = 1.0 if rule.looks is Looks.FIXED else settlement.ANYTIME_FACTOR
        times = (se * z / distance) * (se * z / distance) * looks
        n = self.trend.n
        if not times <= settlement.MOST_TIMES:
            return None
        return max(n * math.pow(times, STEPS_POWER[self.trend.method]) - n, 1.0)

    def _margin_now(self) -> str:
        """Name the margin with which these data would pass, where one look decides."""
        if self.rule.looks is not Looks.FIXED:
            return ""
        growth, reach = self._found
        worst = max(sign * growth + reach for sign in self.rule.direction.signs)
        if not math.isfinite(worst) or worst <= 0:
            return ""
        return f"a margin of {self._share(worst)} would pass now"


def _trends(growing: Growing, limit: float) -> tuple[Trend, Trend]:
    """Estimate the trend for one look and for many: by pods where they can say what chance does."""
    if growing.has_pods and limit > 0:
        slopes = PodSlopes.of(
            growing.steps, growing.pods_baseline, growing.pods_canary, limit=limit
        )
        return slopes.trend(ONE_LOOK_DF), slopes.trend(MANY_LOOKS_DF)
    known = growing.known
    found = trend.of_difference(
        growing.steps[known], growing.canary[known] - growing.baseline[known]
    )
    return found, found
