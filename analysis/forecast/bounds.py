"""The forecast of a mean that is held against fixed bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass

from analysis.forecast import exposure, words
from analysis.forecast.crossing import Claim
from analysis.forecast.model import Forecast, Harm, Planned, Remedy
from analysis.forecast.noise import Noise, learn
from analysis.forecast.search import soonest
from analysis.forecast.series import TOO_DEPENDENT, basis_of, is_dependent, unknown
from analysis.window import MOST_STEPS
from judges import Judgment, Sample, Scale
from judges.threshold import Relative, Threshold

# Where the sides are equal, their quotient is 1 and their difference 0.
EQUAL = {Relative.RATIO: 1.0, Relative.DIFFERENCE: 0.0}
BEYOND = "the baseline itself lies beyond the bound, so a canary equal to it cannot pass"


def of_bounds(judge: Threshold, judgment: Judgment, sample: Sample, planned: Planned) -> Forecast:
    """Forecast a mean that is held against fixed bounds.

    Args:
        judge: The judge, with its part of the budget and the planned horizon.
        judgment: What it says of the past.
        sample: The past; without a comparison to the baseline, with the baseline as its canary.
        planned: The rollout that is planned.
    """
    noise = learn(judge, judgment, sample)
    if noise is None or judgment.estimate is None or judgment.estimate.value is None:
        return unknown(judgment)
    if is_dependent(judgment):
        return unknown(judgment, TOO_DEPENDENT)
    outlook = _Outlook(
        judge=judge,
        noise=noise.scaled(_thinning(judge, sample, planned)),
        level=EQUAL.get(judge.relative, judgment.estimate.value),
        steps=planned.steps,
    )
    needed = outlook.needed(planned.steps)
    minutes = None if needed is None else planned.minutes(needed, sample.step_s)
    suffices, harm = needed is not None and needed <= planned.steps, outlook.harm()
    return Forecast(
        kind=judge.kind,
        suffices=suffices,
        summary=words.summary(minutes, harm) if outlook.distance > 0 else BEYOND,
        basis=basis_of(judgment),
        minutes=minutes,
        harm=harm,
        remedies=() if suffices else outlook.remedies(planned, sample.step_s),
    )


def _thinning(judge: Threshold, sample: Sample, planned: Planned) -> float:
    """Give the factor by which the traffic to come multiplies the variance."""
    if (past := exposure.of_past(sample)) is None:
        return 1.0
    coming = exposure.of_rollout(past, planned)
    if judge.relative is Relative.VALUE:
        return past.canary / coming.canary
    return coming.noise() / past.noise()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outlook:
    """A mean to come: where it lies, and how surely it will be known.

    Attributes:
        judge: The judge.
        noise: What the past says of the noise, at the traffic to come.
        level: Where the mean of an equal canary lies.
        steps: Steps that are planned.
    """

    judge: Threshold
    noise: Noise
    level: float
    steps: int

    @property
    def distance(self) -> float:
        """How far the nearest bound lies; not above 0 where the level is beyond it."""
        return self._nearest()[0]

    def needed(self, horizon: int | None) -> int | None:
        """Give the steps after which an equal canary has passed; `None` where it never does."""
        if self.distance <= 0:
            return None
        least = max(self.judge.min_samples, self.noise.least)
        return soonest(
            lambda n: self._excluded(n, horizon or n) <= self.distance, least=least, most=MOST_STEPS
        )

    def harm(self) -> Harm | None:
        """Give the level that the planned window would fail, at the first of the bounds."""
        (bound, sign), *others = self._bounds()
        claim = self._claim(self.judge.alpha, self.steps, sides=1 + len(others))
        level = bound + sign * self.noise.reach(self.steps, claim)
        return Harm(value=level, scale=Scale.VALUE, level=level) if math.isfinite(level) else None

    def remedies(self, planned: Planned, step_s: float) -> tuple[Remedy, ...]:
        """Name the changes with each of which the planned window would suffice."""
        found: list[Remedy] = []
        if (steps := self.needed(None)) is not None and steps > self.steps:
            found.append(words.longer(steps, step_s, planned))
        _, sign = self._nearest()
        bound = self.level + sign * self._excluded(self.steps, self.steps)
        return (*found, words.bound(bound, sign)) if math.isfinite(bound) else tuple(found)

    def _nearest(self) -> tuple[float, int]:
        return min((sign * (bound - self.level), sign) for bound, sign in self._bounds())

    def _bounds(self) -> list[tuple[float, int]]:
        """Give the bounds, each with +1 where going above it is harm and -1 where below."""
        given = ((self.judge.max, 1), (self.judge.min, -1))
        return [(bound, sign) for bound, sign in given if bound is not None]

    def _excluded(self, n: int, horizon: int) -> float:
        """Give how far a bound must lie from the level for an equal canary to pass it."""
        return self.noise.reach(n, self._claim(self.judge.beta, horizon))

    def _claim(self, level: float, horizon: int, *, sides: int = 1) -> Claim:
        return Claim(level=level, looks=self.judge.looks, horizon=horizon, sides=sides)
