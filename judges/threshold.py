"""Threshold: does the canary keep to a fixed bound, or to one relative to the baseline?"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

import numpy as np
from scipy import special

from judges.core import evidence, parameters, settlement, stages, wording
from judges.core.comparison import too_few
from judges.core.counts import Coins
from judges.core.dependence import long_run, long_runs, magnitude
from judges.core.errors import InvalidParameterError
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
from judges.core.parameters import Looks
from judges.core.sample import Array, Ratio, Sample, Values
from judges.core.studentized import ONE_SIDE, half_widths, studentize

LEAST_EFFECTIVE = 6
# A quotient of extreme units may underflow; values that small are all zero to any metric.
SMALLEST_UNIT = 1e-300
# A mean so many times its noise away from a bound is beyond doubt; its square must fit a double.
_FAR = 1e100
_QUANTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?)")
NO_EVIDENCE = Evidence(p=1.0, log_e=0.0)
REASONS = {
    Verdict.FAIL: Reason.OUT_OF_BOUNDS,
    Verdict.PASS: Reason.WITHIN_BOUNDS,
    Verdict.INCONCLUSIVE: Reason.UNDECIDED,
}
# Statistics of the window that leave nothing to chance: what was seen is what is asked.
OBSERVED = ("last", "max", "min")


class Relative(StrEnum):
    """What is held against the bounds."""

    VALUE = "value"  # the canary's value
    RATIO = "ratio"  # canary / baseline, step by step
    DIFFERENCE = "difference"  # canary - baseline, step by step


def _parse_statistic(value: object) -> str:
    if isinstance(value, str):
        known = ("mean", "median", "share", *OBSERVED)
        if value in known or (_QUANTILE.fullmatch(value) and float(value[1:]) > 0):
            return value
    raise ValueError(
        f"must be mean, median, a quantile such as p95, max, min, last or share, got {value!r}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """Hold a statistic of the window against fixed bounds, with confidence.

    Mean, quantiles and share are estimates of what the canary does, so they have three outcomes;
    `last`, `max` and `min` ask what was seen, so they have two.

    Attributes:
        max: Upper bound, in the metric's unit (of the ratio or difference, if `relative`).
        min: Lower bound.
        statistic: What of the window is bounded.
        share: With `statistic: share`, the fraction of steps that may lie outside the bounds.
        relative: Whether the bounds hold for the value, or for its ratio or difference to the
            baseline.
        alpha: Error rate of a fail.
        beta: Error rate of a pass.
        looks: Whether the judge may be asked again as data arrive.
        horizon: Planned steps of the whole analysis.
        confidence: Two-sided level of the interval shown.
        min_samples: Steps below which an estimate decides nothing.

    References:
        Woodruff (1952), JASA 47: a quantile lies beyond a bound when too many values do.
    """

    kind: ClassVar[str] = "threshold"
    accepts: ClassVar[tuple[type[Any], ...]] = (Values, Ratio)

    max: float | None = parameters.number(None, "upper bound, in the metric's unit")
    min: float | None = parameters.number(None, "lower bound, in the metric's unit")
    statistic: str = parameters.parameter(
        "mean",
        _parse_statistic,
        "mean, median, a quantile such as p95, max, min, last or share",
        {"type": "string", "pattern": r"^(mean|median|share|last|max|min|p\d{1,2}(\.\d+)?)$"},
    )
    share: float = parameters.probability(
        0.05, "with statistic: share, the fraction of steps that may lie outside the bounds"
    )
    relative: Relative = parameters.choice(
        Relative.VALUE, "value, or ratio or difference to the baseline, step by step"
    )
    alpha: float = parameters.alpha()
    beta: float = parameters.beta()
    looks: Looks = parameters.looks()
    horizon: int = parameters.horizon()
    confidence: float = parameters.confidence()
    min_samples: int = parameters.whole(5, "steps below which an estimate decides nothing", low=2)

    def __post_init__(self) -> None:
        """Refuse a threshold without bounds, or with bounds that exclude everything."""
        if self.max is None and self.min is None:
            raise InvalidParameterError((("", "threshold needs max, min or both"),))
        if self.max is not None and self.min is not None and self.min > self.max:
            message = f"threshold: min ({self.min:g}) must not exceed max ({self.max:g})"
            raise InvalidParameterError((("min", message),))

    def judge(self, sample: Sample, /) -> Judgment:
        """Hold the canary against the bounds; `INCONCLUSIVE` when the data cannot tell."""
        series = self._series(sample)
        if (n := len(series)) == 0:
            return self._unseen(sample)
        if self.statistic in OBSERVED:
            return self._observed(series)
        if n < self.min_samples:
            return too_few(self.kind, n, self.min_samples, sample.step_s)
        return self._estimated(series, sample)

    def _series(self, sample: Sample) -> Array:
        if self.relative is Relative.VALUE:
            series = sample.canary.series()
            return series[~np.isnan(series)]
        baseline, canary = sample.paired()
        with np.errstate(all="ignore"):
            moved = canary - baseline if self.relative is Relative.DIFFERENCE else canary / baseline
        return moved[np.isfinite(moved)]

    def _unseen(self, sample: Sample) -> Judgment:
        if self.relative is Relative.VALUE:
            return self._undecided(Reason.NO_DATA, "no data of the canary in the window", n=0)
        if len(sample.paired()[0]) == 0:
            return self._undecided(Reason.NO_DATA, "no step in which both sides were seen", n=0)
        text = "no ratio to the baseline: the baseline is 0 in every step"
        return self._undecided(Reason.NOT_COMPARABLE, text, n=0)

    def _bounds(self) -> list[tuple[float, int]]:
        """Give the bounds, each with +1 where going above it is harm and -1 where below."""
        given = ((self.max, 1), (self.min, -1))
        return [(bound, sign) for bound, sign in given if bound is not None]

    def _observed(self, series: Array) -> Judgment:
        value = {"last": series[-1], "max": series.max(), "min": series.min()}[self.statistic]
        out = any(value > bound if sign > 0 else value < bound for bound, sign in self._bounds())
        return Judgment(
            kind=self.kind,
            verdict=Verdict.FAIL if out else Verdict.PASS,
            reason=Reason.OUT_OF_BOUNDS if out else Reason.WITHIN_BOUNDS,
            summary=self._sentence(wording.amount(float(value))),
            estimate=Estimate(value=float(value), scale=Scale.VALUE),
            n=len(series),
        )

    def _estimated(self, series: Array, sample: Sample) -> Judgment:
        harm, safety, gated = self._over_looks(series, sample)
        verdict = evidence.decide(harm, safety, alpha=self.alpha, beta=self.beta, looks=self.looks)
        undecided = verdict is Verdict.INCONCLUSIVE
        reason = Reason.TOO_FEW_EFFECTIVE_SAMPLES if gated and undecided else REASONS[verdict]
        estimate = self._estimate(series, sample)
        return Judgment(
            kind=self.kind,
            verdict=verdict,
            reason=reason,
            summary=self._sentence(wording.change(estimate).removeprefix("is ")),
            estimate=estimate,
            harm=harm,
            safety=safety,
            n=len(series),
            n_effective=_effective(series),
            settlement=self._settlement(estimate, len(series), sample.step_s)
            if undecided
            else None,
        )

    def _over_looks(self, series: Array, sample: Sample) -> tuple[Evidence, Evidence, bool]:
        """Weigh harm and safety in the way that the number of looks asks for."""
        if self.looks is not Looks.GROUP_SEQUENTIAL:
            return self._weights(series, sample)
        ends = stages.ends(sample.steps, self.horizon)
        parts = [sample.part(0, end) for end in ends]
        found = [self._weights(self._series(part), part) for part in parts]
        harm, safety = (
            stages.sequential_p([np.array([one.p]) for one in claims], ends, self.horizon, 1)
            for claims in ([harm for harm, _, _ in found], [safety for _, safety, _ in found])
        )
        gated = bool(found) and all(silent for _, _, silent in found)
        return Evidence(p=float(harm[0])), Evidence(p=float(safety[0])), gated

    def _weights(self, series: Array, sample: Sample) -> tuple[Evidence, Evidence, bool]:
        """Weigh harm and safety, and tell whether too few independent steps speak at all."""
        if len(series) < self.min_samples:
            return NO_EVIDENCE, NO_EVIDENCE, True
        if self.statistic == "share":
            sides = [self._weigh_share(series, self._outside(series), self.share)]
        else:
            sides = [self._weigh(series, sample, bound, sign) for bound, sign in self._bounds()]
        unanimous = len(np.unique(self._outside(series))) == 1
        if _effective(series) < LEAST_EFFECTIVE and not unanimous:
            return NO_EVIDENCE, NO_EVIDENCE, True
        harm = evidence.strongest([side[0] for side in sides])
        return harm, evidence.weakest([side[1] for side in sides]), False

    def _weigh(
        self, series: Array, sample: Sample, bound: float, sign: int
    ) -> tuple[Evidence, Evidence]:
        """Weigh that the statistic lies beyond the bound, and that it lies within."""
        if self.statistic == "mean":
            return self._weigh_mean(series, sample, bound, sign)
        quantile = self._quantile()
        allowed = 1 - quantile if sign > 0 else quantile
        return self._weigh_share(series, _beyond(series, bound, sign), allowed)

    def _weigh_mean(
        self, series: Array, sample: Sample, bound: float, sign: int
    ) -> tuple[Evidence, Evidence]:
        mean, influence, unit = self._mean(series, sample)
        distance = np.array([min(max((mean - bound) / unit, -_FAR), _FAR)])
        runs = long_runs(influence[np.newaxis])
        found = studentize(distance, runs, len(influence), trust=ONE_SIDE)
        return (
            found.evidence(sign, alpha=self.alpha, horizon=self.horizon)[0],
            found.evidence(-sign, alpha=self.beta, horizon=self.horizon)[0],
        )

    def _mean(self, series: Array, sample: Sample) -> tuple[float, Array, float]:
        """Give the mean, its influence series and the unit of that: of counts the ratio of sums."""
        side = sample.canary
        if isinstance(side, Ratio) and self.relative is Relative.VALUE:
            numerator, denominator = side.sums()
            known = ~np.isnan(side.series())
            (x, of_x), (exposure, of_exposure) = (
                _in_unit(numerator[known]),
                _in_unit(denominator[known]),
            )
            mean = float(x.sum() / exposure.sum())
            unit = max(of_x / of_exposure, SMALLEST_UNIT)
            return mean * unit, (x - mean * exposure) / float(exposure.mean()), unit
        values, unit = _in_unit(series)
        mean = float(values.mean())
        return mean * unit, values - mean, unit

    def _weigh_share(
        self, series: Array, outside: Array, allowed: float
    ) -> tuple[Evidence, Evidence]:
        """Weigh the share of steps outside: tosses of a coin, as many as are independent."""
        n = len(series)
        worth = min(1.0, *(_effective(s) / n for s in (series, outside)))
        hits, tosses, chance = np.array([[outside.sum()], [float(n)], [allowed]])
        coin = Coins(hits=hits, tosses=tosses, chance=chance).deflated(np.array([1 / worth]))
        return (
            Evidence(p=float(coin.p_more()[0]), log_e=float(coin.log_e_more()[0])),
            Evidence(p=float(coin.p_fewer()[0]), log_e=float(coin.log_e_fewer()[0])),
        )

    def _outside(self, series: Array) -> Array:
        """Mark the steps outside the bounds with 1, the others with 0."""
        beyond = [_beyond(series, bound, sign) for bound, sign in self._bounds()]
        outside: Array = np.max(beyond, axis=0)
        return outside

    def _quantile(self) -> float:
        return 0.5 if self.statistic == "median" else float(self.statistic[1:]) / 100

    def _estimate(self, series: Array, sample: Sample) -> Estimate:
        if self.statistic == "share":
            return Estimate(value=float(self._outside(series).mean()), scale=Scale.VALUE)
        if self.statistic != "mean":
            values, unit = _in_unit(series)
            value = float(np.quantile(values, self._quantile())) * unit
            return Estimate(value=value, scale=Scale.VALUE)
        mean, influence, unit = self._mean(series, sample)
        runs = long_runs(influence[np.newaxis])
        half = float(half_widths(runs, len(influence), ONE_SIDE, level=self.confidence)[0]) * unit
        return Estimate(
            value=mean,
            scale=Scale.VALUE,
            interval=Interval(
                lower=_finite(mean - half), upper=_finite(mean + half), level=self.confidence
            ),
        )

    def _settlement(self, estimate: Estimate, n: int, step_s: float) -> Settlement | None:
        """Say how many steps more would show what these suggest."""
        interval = estimate.interval
        if interval is None or estimate.value is None or interval.upper is None:
            text = f"more steps: {self.statistic} needs them beyond the {n} seen"
            return Settlement(summary=text)
        z_shown = -float(special.ndtri((1 - interval.level) / 2))
        distance = min(abs(estimate.value - bound) for bound, _ in self._bounds())
        if distance <= 0:
            return Settlement(summary="the mean lies on the bound, where time does not settle it")
        se = (interval.upper - estimate.value) / z_shown
        out = any(sign * (estimate.value - bound) > 0 for bound, sign in self._bounds())
        level = self.alpha if out else self.beta
        z = -float(special.ndtri(level)) - float(special.ndtri(1 - settlement.POWER))
        factor = settlement.ANYTIME_FACTOR if self.looks is Looks.ANYTIME else 1.0
        times = (se * z / distance) * (se * z / distance) * factor
        if not times <= settlement.MOST_TIMES:
            return Settlement(
                summary="the mean lies so near the bound that time does not settle it"
            )
        minutes = max(n * times - n, 1.0) * step_s / 60
        return Settlement(
            minutes=minutes, summary=f"about {wording.duration(minutes)} more at this noise"
        )

    def _undecided(self, reason: Reason, summary: str, *, n: int) -> Judgment:
        return Judgment(
            kind=self.kind, verdict=Verdict.INCONCLUSIVE, reason=reason, summary=summary, n=n
        )

    def _sentence(self, seen: str) -> str:
        if self.statistic == "share":
            seen = f"{seen}, {self.share:g} may be outside"
        return f"{self.statistic} {self._name()} {seen}, {self._limits()}"

    def _name(self) -> str:
        return {
            Relative.VALUE: "is",
            Relative.RATIO: "ratio to the baseline is",
            Relative.DIFFERENCE: "difference to the baseline is",
        }[self.relative]

    def _limits(self) -> str:
        words = {1: "at most", -1: "at least"}
        allowed = " and ".join(f"{words[s]} {wording.amount(b)}" for b, s in self._bounds())
        return f"allowed {allowed}"


def _in_unit(values: Array) -> tuple[Array, float]:
    """Give the values over a unit in which their squares fit a double, and that unit."""
    unit = magnitude(values)
    return values / unit, unit


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _effective(series: Array) -> float:
    return long_run(_in_unit(series)[0]).n_effective if len(series) >= 4 else float(len(series))


def _beyond(series: Array, bound: float, sign: int) -> Array:
    """Mark the steps above (+1) or below (-1) a bound with 1, the others with 0."""
    beyond = series > bound if sign > 0 else series < bound
    return beyond.astype(np.float64)
