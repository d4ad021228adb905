"""The forecast of a comparison of series: its standard error falls as steps are added."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from analysis.forecast import exposure, words
from analysis.forecast.crossing import Claim
from analysis.forecast.model import Basis, Forecast, Harm, Planned, Remedy, known
from analysis.forecast.noise import LEAST_EFFECTIVE, Noise, learn
from analysis.forecast.search import soonest
from analysis.window import MOST_STEPS
from judges import Estimate, Judge, Judgment, Limit, Reason, Sample, Scale
from judges.core import settlement

# With fewer the variance itself is known to half of its size at best, and so are the minutes.
SURE_EFFECTIVE = 20
LARGEST_EXPONENT = 700.0
# A margin found here is exactly the one that is passed, but for its last digits.
ROUNDING = 1e-9
# Growth of more times what it is a share of is told in the metric's own unit.
MOST_SHARE = 1000.0
TOO_DEPENDENT = f"its steps are worth fewer than {LEAST_EFFECTIVE} independent ones; take a longer"
STEADY = (Reason.STEADY_WITHIN_TOLERANCE, Reason.STEADY_DIFFERENCE)


@runtime_checkable
class Comparative(settlement.Rule, Judge, Protocol):
    """A judge that compares two series: it decides by a tolerance and a margin."""

    @property
    def min_samples(self) -> int: ...  # noqa: D102 - named in the judge's docstring


def of_series(judge: Comparative, judgment: Judgment, sample: Sample, planned: Planned) -> Forecast:
    """Forecast a comparison of series.

    Args:
        judge: The judge, with its part of the budget and the planned horizon.
        judgment: What it says of the past.
        sample: The past: two sides that need not be equal, for only their noise is used.
        planned: The rollout that is planned.
    """
    if judgment.reason in STEADY:
        return _steady(judge, judgment, sample, planned)
    noise = learn(judge, judgment, sample)
    if noise is None or judgment.estimate is None:
        return unknown(judgment)
    if is_dependent(judgment):
        return unknown(judgment, TOO_DEPENDENT)
    coming = None
    if (past := exposure.of_past(sample)) is not None:
        coming = exposure.of_rollout(past, planned)
        noise = noise.scaled(coming.noise() / past.noise())
    outlook = _Outlook(
        judge=judge,
        noise=noise,
        estimate=judgment.estimate,
        reference=_reference(judgment),
        steps=planned.steps,
    )
    suffices, needed, harm = outlook.suffices, outlook.needed(), outlook.harm()
    minutes = None if needed is None else planned.minutes(needed, sample.step_s)
    return Forecast(
        kind=judge.kind,
        suffices=suffices,
        summary=words.summary(minutes, harm, growth=judge.kind == "slope"),
        basis=basis_of(judgment),
        minutes=minutes,
        requests=None if coming is None or needed is None else coming.canary * needed,
        harm=harm,
        margin=outlook.margin(),
        remedies=()
        if suffices
        else outlook.remedies(planned, sample.step_s, traffic=coming is not None),
        warnings=tuple(_warnings(judgment, noise, suffices=suffices and harm is not None)),
    )


def unknown(judgment: Judgment, why: str | None = None) -> Forecast:
    """Say that the past does not tell, and why; without a reason that of its judgment."""
    return Forecast(
        kind=judgment.kind,
        suffices=None,
        summary=f"the past does not tell: {why or judgment.summary}",
        basis=basis_of(judgment),
    )


def is_dependent(judgment: Judgment) -> bool:
    """Tell whether the past has too few independent steps to learn any noise from."""
    effective = judgment.n_effective
    return effective is not None and effective < LEAST_EFFECTIVE


def _steady(judge: Comparative, judgment: Judgment, sample: Sample, planned: Planned) -> Forecast:
    return Forecast(
        kind=judge.kind,
        suffices=judge.min_samples <= planned.steps,
        summary="both sides hardly ever change: an equal canary passes as soon as "
        f"{judge.min_samples} steps are seen, and a difference stays open, for there is no noise "
        "to hold it against",
        basis=basis_of(judgment),
        minutes=planned.minutes(judge.min_samples, sample.step_s),
    )


def basis_of(judgment: Judgment) -> Basis:
    """Name the steps that a judgment stands on."""
    return Basis(
        steps=judgment.n,
        n_effective=judgment.n_effective,
        autocorrelation=judgment.autocorrelation,
    )


def _reference(judgment: Judgment) -> float:
    """Give what the limits' ratios are shares of: the baseline's level, or a slope's own."""
    own = judgment.details.get("reference")
    level = judgment.estimate.baseline if judgment.estimate else None
    return float(own) if own is not None else level or 0.0


def _warnings(judgment: Judgment, noise: Noise, *, suffices: bool) -> Iterator[str]:
    effective = judgment.n_effective
    if effective is not None and effective < SURE_EFFECTIVE:
        yield (
            f"the past is worth only {effective:.0f} independent steps, so the noise and with it "
            f"the minutes may be off by half; a longer past tells more"
        )
    if noise.between > noise.within and not suffices:
        yield "pods differ by themselves more than steps do; more pods help where time does not"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outlook:
    """A comparison to come: what its judge will need, and what its noise will be.

    Attributes:
        judge: The judge.
        noise: What the past says of the noise, at the traffic to come.
        estimate: The past's estimate, for scale and level.
        reference: What the limits' ratios are shares of, in the metric's unit.
        steps: Steps that are planned.
    """

    judge: Comparative
    noise: Noise
    estimate: Estimate
    reference: float
    steps: int

    @property
    def suffices(self) -> bool:
        """Whether an equal canary passes in the planned window."""
        return self._passes(self.steps, self.steps)

    def needed(self) -> int | None:
        """Give the steps after which an equal canary has passed; `None` where it never does.

        Where a pass waits for a planned end that comes too soon, those are given that would have
        to be planned.
        """
        claim = self._claim(self.steps)
        if claim.waits and not self.suffices:
            return self.longer()
        most = claim.counted(self.steps) if self.suffices else MOST_STEPS
        return soonest(lambda n: self._passes(n, self.steps), least=self._least, most=most)

    def longer(self) -> int | None:
        """Give the fewest steps that could be planned for an equal canary to pass."""
        return soonest(lambda n: self._passes(n, n), least=self._least, most=MOST_STEPS)

    def harm(self) -> Harm | None:
        """Give the smallest harm that the planned window would fail."""
        judge, sign = self.judge, self._signs[0]
        claim = Claim(
            level=judge.alpha,
            looks=judge.looks,
            horizon=self.steps,
            sides=len(self._signs),
            restarts=judge.kind != "slope",
        )
        size = self._size(judge.tolerance, sign) + self._reach(self.steps, claim, sides=1)
        if not self._is_known(size):
            return None
        value = math.exp(sign * size) if self._is_ratio else sign * size
        return Harm(value=value, scale=self.estimate.scale, level=self._level(value))

    def margin(self) -> Limit | None:
        """Give the narrowest margin with which the planned window would suffice."""
        tolerance = max(self._size(self.judge.tolerance, sign) for sign in self._signs)
        size = max(self._excluded(self.steps, self.steps), tolerance)
        if not self._is_known(size):
            return None
        if self._is_ratio:
            return Limit(ratio=math.exp(size))
        if self.judge.kind == "slope" and size < MOST_SHARE * self.reference:
            return Limit(ratio=1 + size / self.reference)
        return Limit(absolute=size)

    def remedies(self, planned: Planned, step_s: float, *, traffic: bool) -> tuple[Remedy, ...]:
        """Name the changes with each of which the planned window would suffice.

        Args:
            planned: The rollout that is planned.
            step_s: Length of a step in seconds.
            traffic: Whether more traffic would lessen the noise.
        """
        found: list[Remedy] = []
        if (steps := self.longer()) is not None and steps > self.steps:
            found.append(words.longer(steps, step_s, planned))
        if (margin := self.margin()) is not None:
            found.append(words.wider(margin))
        if traffic and (factor := self._traffic()) is not None:
            found.append(words.busier(factor))
        return tuple(found)

    def _traffic(self) -> float | None:
        """Give the factor on the traffic with which the planned window would suffice."""
        excluded = self._excluded(self.steps, self.steps)
        if not math.isfinite(excluded):
            return None
        counted = self._claim(self.steps).counted(self.steps)
        factor = self.noise.lessening(self._distance / excluded, counted)
        return 1 / factor if factor else None

    def _passes(self, n: int, horizon: int) -> bool:
        return self._excluded(n, horizon) <= self._distance * (1 + ROUNDING)

    def _excluded(self, n: int, horizon: int) -> float:
        """Give the margin that an equal canary passes with after n steps."""
        return self._reach(n, self._claim(horizon), sides=len(self._signs))

    def _claim(self, horizon: int) -> Claim:
        """Give the claim that a pass makes."""
        judge = self.judge
        ends = judge.kind != "slope"
        return Claim(level=judge.beta, looks=judge.looks, horizon=horizon, ends=ends)

    def _reach(self, n: int, claim: Claim, *, sides: int) -> float:
        return self.noise.reach(n, claim, sides=sides) if n >= self.judge.min_samples else math.inf

    @property
    def _least(self) -> int:
        return max(self.judge.min_samples, self.noise.least)

    @property
    def _signs(self) -> tuple[int, ...]:
        return self.judge.direction.signs

    @property
    def _is_ratio(self) -> bool:
        return self.estimate.scale is Scale.RATIO

    @property
    def _distance(self) -> float:
        """How far the margin lies from no harm, on the scale of the decision."""
        return min(self._size(self.judge.pass_margin, sign) for sign in self._signs)

    def _size(self, limit: Limit, sign: int) -> float:
        """Give a limit on the scale of the decision."""
        if self._is_ratio:
            return math.log(limit.ratio)
        if self.judge.kind == "slope":
            return max((limit.ratio - 1) * self.reference, limit.absolute)
        level = np.array([self.reference])
        with np.errstate(over="ignore"):  # a limit beyond the largest double is infinitely far
            return abs(float(limit.apply(level, sign)[0] - level[0]))

    def _is_known(self, size: float) -> bool:
        return size < LARGEST_EXPONENT if self._is_ratio else math.isfinite(size)

    def _level(self, effect: float) -> float | None:
        """Give the canary's level; growth has none."""
        if self.estimate.baseline is None or self.judge.kind == "slope":
            return None
        baseline = self.estimate.baseline
        return known(baseline * effect if self._is_ratio else baseline + effect)
