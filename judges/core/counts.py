"""Events among requests: given how many events happened, whose were they?

Given K events on both sides, those of the canary are binomial with the probability that its share
of the requests implies. Whatever drives both sides (load, an incident elsewhere) cancels.

References:
    Przyborowski & Wilenski (1940), Biometrika 31: the conditional test of two Poisson rates.
    Clopper & Pearson (1934), Biometrika 26: the interval. Rao & Scott (1992), Biometrics 48, and
    Korn & Graubard (1998), Survey Methodology 24: deflating counts by their dispersion.
    Lindon & Malek (2022), NeurIPS: conditional mixtures for any number of looks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from judges.core.dependence import long_run

Array = NDArray[np.float64]

# Dispersion is estimated only where there is enough to estimate it from, and used only where it is
# significant: an ungated estimate is biased up for sparse counts (median 1.36 on plain Poisson).
DISPERSION_STEPS, DISPERSION_EVENTS, DISPERSION_LEVEL = 20, 10, 0.05
# Numbers of events at which the mixtures over looks are sharpest; their e-values are averaged.
MIXTURE_EVENTS = (20.0, 200.0, 2000.0)
# A side with less than a billionth of the traffic tells nothing, and its prior overflows.
LEAST_CHANCE = 1e-9
# Below this a tail probability has lost its digits.
SMALLEST_TAIL = 1e-290


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tally:
    """Events and exposure of both sides, step by step; each of shape (n,)."""

    events_baseline: Array
    total_baseline: Array
    events_canary: Array
    total_canary: Array

    def parts(self) -> tuple[Array, Array, Array, Array]:
        """Give the four series."""
        return self.events_baseline, self.total_baseline, self.events_canary, self.total_canary

    def swapped(self) -> Tally:
        """Give the same with the sides exchanged."""
        return Tally(
            events_baseline=self.events_canary,
            total_baseline=self.total_canary,
            events_canary=self.events_baseline,
            total_canary=self.total_baseline,
        )

    def between(self, start: int, end: int | None) -> Tally:
        """Give a stretch of the steps."""
        stretch = slice(start, end)
        return Tally(
            events_baseline=self.events_baseline[stretch],
            total_baseline=self.total_baseline[stretch],
            events_canary=self.events_canary[stretch],
            total_canary=self.total_canary[stretch],
        )

    def with_floor(self, absolute: float) -> Tally:
        """Add the events that an allowance of `absolute` per request grants the baseline."""
        return Tally(
            events_baseline=self.events_baseline + absolute * self.total_baseline,
            total_baseline=self.total_baseline,
            events_canary=self.events_canary,
            total_canary=self.total_canary,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Coin:
    """Events seen as tosses: `hits` of `tosses` fell to the canary, each with `chance`."""

    hits: float
    tosses: float
    chance: float

    def deflated(self, dispersion: float) -> Coin:
        """Count only as many events as are independent."""
        return Coin(
            hits=self.hits / dispersion, tosses=self.tosses / dispersion, chance=self.chance
        )

    def p_more(self) -> float:
        """Give the probability of at least this many hits."""
        if self.hits <= 0:
            return 1.0
        return float(special.betainc(self.hits, self.tosses - self.hits + 1, self.chance))

    def p_fewer(self) -> float:
        """Give the probability of at most this many hits."""
        if self.hits >= self.tosses:
            return 1.0
        return float(special.betaincc(self.hits + 1, self.tosses - self.hits, self.chance))

    def log_e_more(self) -> float:
        """Give the log e-value for more hits than the chance explains, at any number of looks."""
        logs = [_log_mixture(self, events) for events in MIXTURE_EVENTS]
        return float(np.logaddexp.reduce(logs)) - math.log(len(logs))

    def log_e_fewer(self) -> float:
        """Give the log e-value for fewer hits than the chance explains."""
        return Coin(
            hits=self.tosses - self.hits, tosses=self.tosses, chance=1 - self.chance
        ).log_e_more()


def coin(tally: Tally, ratio: float) -> Coin:
    """Give the events as tosses if the canary's rate is `ratio` times the baseline's.

    Each step has its own share of traffic, so its own chance; they are averaged by events.
    """
    shares = _shares(tally, ratio)
    in_step = tally.events_baseline + tally.events_canary
    tosses = float(in_step.sum())
    chance = float((shares * in_step).sum() / tosses) if tosses > 0 else float(shares.mean())
    return Coin(hits=float(tally.events_canary.sum()), tosses=tosses, chance=chance)


def dispersion(tally: Tally, *, start: int = 0) -> tuple[float, float]:
    """Estimate by how much the events of a step come in bunches.

    Args:
        tally: Both sides.
        start: Step from which the canary's share may be another one: a regression that begins
            there is no bunching.

    Returns:
        The factor (1 where no bunching is significant) and its degrees of freedom.
    """
    in_step = tally.events_baseline + tally.events_canary
    if len(in_step) < DISPERSION_STEPS or float(in_step.sum()) < DISPERSION_EVENTS:
        return 1.0, math.inf
    share = np.concatenate([_fitted(tally.between(0, start)), _fitted(tally.between(start, None))])
    residual = tally.events_canary - in_step * share
    spread = in_step * share * (1 - share)
    total = float(spread.sum())
    if total <= 0 or not _is_dispersed(residual, spread):
        return 1.0, math.inf
    run = long_run(residual)
    return max(1.0, len(residual) * run.variance / total), run.df


def _fitted(tally: Tally) -> Array:
    """Give the canary's expected share of each step's events, at the rate ratio that was seen."""
    exposure = float(tally.total_baseline.sum()), float(tally.total_canary.sum())
    events = float(tally.events_baseline.sum()), float(tally.events_canary.sum())
    if not (all(exposure) and all(events)):
        # All events are on one side, or all traffic: every step's share is what the whole shows.
        return np.full(len(tally.total_canary), events[1] / max(sum(events), 1e-300))
    return _shares(tally, events[1] / events[0] * exposure[0] / exposure[1])


def _shares(tally: Tally, ratio: float) -> Array:
    """Give the canary's share of each step's exposure, its own counted `ratio` times."""
    weight = ratio * tally.total_canary
    exposure = tally.total_baseline + weight
    total = float(exposure.sum())
    shares = np.full(len(exposure), float(weight.sum()) / total if total > 0 else 0.5)
    np.divide(weight, exposure, out=shares, where=exposure > 0)
    return shares


def _is_dispersed(residual: Array, spread: Array) -> bool:
    """Test for bunching: Pearson's chi-square of the steps, and the lag-1 correlation."""
    used = spread > 0
    pearson = float((residual[used] ** 2 / spread[used]).sum())
    if float(special.chdtrc(max(int(used.sum()) - 1, 1), pearson)) < DISPERSION_LEVEL:
        return True
    u = residual - residual.mean()
    power = float(u @ u)
    lag1 = float(u[1:] @ u[:-1]) / power if power > 0 else 0.0
    return float(special.ndtr(-lag1 * math.sqrt(len(u)))) < DISPERSION_LEVEL


def rate_ratio_interval(
    tally: Tally, factor: float, *, level: float
) -> tuple[float | None, float, float | None]:
    """Give the rate ratio canary / baseline with its Clopper-Pearson interval.

    Returns:
        Lower bound, estimate, upper bound; `None` for a bound the data do not give. The estimate is
        infinite where the baseline has no events.
    """
    observed = coin(tally, 1.0)
    if not 0 < observed.chance < 1:  # one side's traffic vanishes beside the other's
        return None, math.nan, None
    exposure = observed.chance / (1 - observed.chance)

    def ratio(share: float) -> float:
        return share / (1 - share) / exposure if share < 1 else math.inf

    k, others = observed.hits / factor, (observed.tosses - observed.hits) / factor
    tail = (1 - level) / 2
    lower = ratio(float(special.betaincinv(k, others + 1, tail))) if k > 0 else 0.0
    upper = ratio(float(special.betaincinv(k + 1, others, 1 - tail))) if others > 0 else None
    estimate = ratio(observed.hits / observed.tosses) if observed.tosses > 0 else math.nan
    return lower, estimate, upper if upper is not None and math.isfinite(upper) else None


def _log_mixture(tossed: Coin, events: float) -> float:
    """Mix over probabilities above the chance: a beta prior truncated to (chance, 1)."""
    p0, k, total = tossed.chance, tossed.hits, tossed.tosses
    if not LEAST_CHANCE < p0 < 1 - LEAST_CHANCE:
        return 0.0
    spread = 2 * math.log(1 / 0.1)
    rho = events * p0 * (1 - p0) / (spread + math.log1p(spread))
    strength = max(rho / (p0 * (1 - p0)) - 1, 0.5)
    a, b = p0 * strength, (1 - p0) * strength
    return (
        _log_upper_beta(a + k, b + total - k, p0)
        - _log_upper_beta(a, b, p0)
        - k * math.log(p0)
        - (total - k) * math.log1p(-p0)
    )


def _log_upper_beta(a: float, b: float, p0: float) -> float:
    """Give log of the incomplete beta integral over (p0, 1)."""
    tail = float(special.betaincc(a, b, p0))
    if tail > SMALLEST_TAIL:
        return float(special.betaln(a, b)) + math.log(tail)
    # Far below the chance the integral sits at its lower end: Laplace's bound, one term.
    slope = b * p0 - a * (1 - p0)
    return a * math.log(p0) + b * math.log1p(-p0) - math.log(max(slope, 1.0))
