"""Events among requests, of many metrics: given how many events happened, whose were they?

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

from judges.core.dependence import long_runs, row_dot

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Dispersion is estimated only where there is enough to estimate it from, and used only where it is
# significant: an ungated estimate is biased up for sparse counts (median 1.36 on plain Poisson).
DISPERSION_STEPS, DISPERSION_EVENTS, DISPERSION_LEVEL = 10, 10, 0.1
# Numbers of events at which the mixtures over looks are sharpest; their e-values are averaged.
MIXTURE_EVENTS = (20.0, 200.0, 2000.0)
# A side with less than a billionth of the traffic tells nothing, and its prior overflows.
LEAST_CHANCE = 1e-9
# Below this a tail probability has lost its digits.
SMALLEST_TAIL = 1e-290


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tally:
    """Events and exposure of both sides, step by step; each of shape (m, n), a row a metric."""

    events_baseline: Array
    total_baseline: Array
    events_canary: Array
    total_canary: Array

    @property
    def n(self) -> int:
        """Number of steps."""
        return int(self.total_canary.shape[1])

    @property
    def in_step(self) -> Array:
        """Events of both sides, shape (m, n)."""
        return self.events_baseline + self.events_canary

    def swapped(self) -> Tally:
        """Give the same with the sides exchanged."""
        return Tally(
            events_baseline=self.events_canary,
            total_baseline=self.total_canary,
            events_canary=self.events_baseline,
            total_canary=self.total_baseline,
        )

    def part(self, start: int, stop: int) -> Tally:
        """Give the steps from `start` to before `stop`."""
        stretch = np.s_[:, start:stop]
        return Tally(
            events_baseline=self.events_baseline[stretch],
            total_baseline=self.total_baseline[stretch],
            events_canary=self.events_canary[stretch],
            total_canary=self.total_canary[stretch],
        )

    def only(self, rows: Mask) -> Tally:
        """Give some of the metrics."""
        return Tally(
            events_baseline=self.events_baseline[rows],
            total_baseline=self.total_baseline[rows],
            events_canary=self.events_canary[rows],
            total_canary=self.total_canary[rows],
        )

    def times(self, factor: Array) -> Tally:
        """Give what would be seen in `factor` times the traffic, shape (m,), at the same rates."""
        grown = factor[:, np.newaxis]
        return Tally(
            events_baseline=self.events_baseline * grown,
            total_baseline=self.total_baseline * grown,
            events_canary=self.events_canary * grown,
            total_canary=self.total_canary * grown,
        )

    def with_floor(self, absolute: Array) -> Tally:
        """Add the events that an allowance per request, shape (m,), grants the baseline."""
        granted = absolute[:, np.newaxis] * self.total_baseline
        return Tally(
            events_baseline=self.events_baseline + granted,
            total_baseline=self.total_baseline,
            events_canary=self.events_canary,
            total_canary=self.total_canary,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Coins:
    """Events seen as tosses: `hits` of `tosses` fell to the canary, each with `chance`; (m,)."""

    hits: Array
    tosses: Array
    chance: Array

    @property
    def information(self) -> Array:
        """Reciprocal of the variance that tossing alone gives the log of the rate ratio."""
        return self.tosses * self.chance * (1 - self.chance)

    def deflated(self, dispersion: Array) -> Coins:
        """Count only as many events as are independent."""
        return Coins(
            hits=self.hits / dispersion, tosses=self.tosses / dispersion, chance=self.chance
        )

    def p_more(self) -> Array:
        """Give the probability of at least this many hits."""
        some = self.hits > 0
        hits = np.where(some, self.hits, 1.0)
        others = np.maximum(self.tosses - self.hits, 0.0)
        return np.where(some, special.betainc(hits, others + 1, self.chance), 1.0)

    def p_fewer(self) -> Array:
        """Give the probability of at most this many hits."""
        return self._mirrored().p_more()

    def log_e_more(self) -> Array:
        """Give the log e-value for more hits than the chance explains, at any number of looks."""
        logs = _log_mixtures(self)
        mean: Array = np.logaddexp.reduce(logs) - math.log(len(logs))
        return mean

    def log_e_fewer(self) -> Array:
        """Give the log e-value for fewer hits than the chance explains."""
        return self._mirrored().log_e_more()

    def _mirrored(self) -> Coins:
        return Coins(hits=self.tosses - self.hits, tosses=self.tosses, chance=1 - self.chance)


def coins(tally: Tally, ratio: Array) -> Coins:
    """Give the events as tosses if each canary's rate is `ratio`, shape (m,), times its baseline's.

    Each step has its own share of traffic, so its own chance; they are averaged by events.
    """
    shares, in_step = _shares(tally, ratio), tally.in_step
    tosses = in_step.sum(axis=1)
    chance = shares.mean(axis=1)
    np.divide(row_dot(shares, in_step), tosses, out=chance, where=tosses > 0)
    return Coins(hits=tally.events_canary.sum(axis=1), tosses=tosses, chance=chance)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dispersion:
    """By how much the events of each metric come in bunches, shape (m,) each.

    Attributes:
        factor: Variance over that of independent events; 1 where no bunching is significant.
        df: Its degrees of freedom; infinite where the factor is 1.
        n_effective: Independent steps that the bunches leave; infinite where the factor is 1.
    """

    factor: Array
    df: Array
    n_effective: Array

    def deflator(self, level: Array) -> Array:
        """Give the factor, widened for having been estimated with few degrees of freedom.

        Args:
            level: Shape (m,): the tail probability that will be asked of the deflated counts.
        """
        return np.where(self.factor > 1, self.factor * widening(self.df, level), self.factor)


def widening(df: Array, level: Array) -> Array:
    """Give by how much a variance with few degrees of freedom must be widened, shape (m,).

    Args:
        df: Degrees of freedom of the variance.
        level: The tail probability that will be asked as if it were known.
    """
    z = -special.ndtri(level)
    t = -special.stdtrit(np.minimum(df, 1e6), level)
    quotient = np.maximum(t / np.where(z > 0, z, 1.0), 1.0)
    return np.where(z > 0, quotient * quotient, 1.0)


def dispersion(tally: Tally, *, start: int = 0) -> Dispersion:
    """Estimate by how much the events of a step come in bunches.

    Args:
        tally: Both sides.
        start: Step from which the canary's share may be another one: a regression that begins
            there is no bunching.
    """
    m, n = tally.total_canary.shape
    none = Dispersion(factor=np.ones(m), df=np.full(m, np.inf), n_effective=np.full(m, np.inf))
    if n < DISPERSION_STEPS:
        return none
    in_step = tally.in_step
    shares = np.hstack([_fitted(tally.part(0, start)), _fitted(tally.part(start, n))])
    residual = tally.events_canary - in_step * shares
    spread = in_step * shares * (1 - shares)
    total = spread.sum(axis=1)
    bunched = (in_step.sum(axis=1) >= DISPERSION_EVENTS) & (total > 0)
    bunched[bunched] = _is_dispersed(residual[bunched], spread[bunched])
    if not bunched.any():
        return none
    runs = long_runs(residual[bunched])
    none.factor[bunched] = np.maximum(1.0, n * runs.variance / total[bunched])
    none.df[bunched] = runs.df
    none.n_effective[bunched] = runs.n_effective
    return none


def _fitted(tally: Tally) -> Array:
    """Give the canary's expected share of each step's events, at the rate ratio that was seen."""
    exposure = tally.total_baseline.sum(axis=1), tally.total_canary.sum(axis=1)
    events = tally.events_baseline.sum(axis=1), tally.events_canary.sum(axis=1)
    known = np.all([part > 0 for part in (*exposure, *events)], axis=0)
    safe = [np.where(known, part, 1.0) for part in (*exposure, *events)]
    shares = _shares(tally, safe[3] / safe[2] * (safe[0] / safe[1]))
    # All events are on one side, or all traffic: every step's share is what the whole shows.
    overall = events[1] / np.maximum(events[0] + events[1], 1e-300)
    return np.where(known[:, np.newaxis], shares, overall[:, np.newaxis])


def _shares(tally: Tally, ratio: Array) -> Array:
    """Give the canary's share of each step's exposure, its own counted `ratio` times."""
    weight = ratio[:, np.newaxis] * tally.total_canary
    exposure = tally.total_baseline + weight
    total = exposure.sum(axis=1)
    overall = np.full(len(total), 0.5)
    np.divide(weight.sum(axis=1), total, out=overall, where=total > 0)
    shares = np.repeat(overall[:, np.newaxis], exposure.shape[1], axis=1)
    np.divide(weight, exposure, out=shares, where=exposure > 0)
    return shares


def _is_dispersed(residual: Array, spread: Array) -> Mask:
    """Test for bunching: Pearson's chi-square of the steps, and the lag-1 correlation."""
    used = spread > 0
    terms = np.divide(residual * residual, spread, out=np.zeros_like(spread), where=used)
    pearson = special.chdtrc(np.maximum(used.sum(axis=1) - 1, 1), terms.sum(axis=1))
    u = residual - residual.mean(axis=1, keepdims=True)
    power = row_dot(u, u)
    lag1 = np.zeros_like(power)
    np.divide(row_dot(u[:, 1:], u[:, :-1]), power, out=lag1, where=power > 0)
    correlated = special.ndtr(-lag1 * math.sqrt(residual.shape[1]))
    dispersed: Mask = np.minimum(pearson, correlated) < DISPERSION_LEVEL
    return dispersed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RateRatios:
    """Rate ratios canary / baseline, shape (m,) each; NaN where the data give none.

    Attributes:
        lower: Lower bounds.
        value: Estimates.
        upper: Upper bounds.
    """

    lower: Array
    value: Array
    upper: Array


def rate_ratios(tally: Tally, factor: Array, *, level: float) -> RateRatios:
    """Give the rate ratios with their Clopper-Pearson intervals, counts deflated by `factor`."""
    seen = coins(tally, np.ones(len(factor)))
    shared = (seen.chance > 0) & (seen.chance < 1)  # neither side's traffic vanishes
    exposure = np.where(shared, seen.chance / np.where(shared, 1 - seen.chance, 1.0), 1.0)
    k, others = seen.hits / factor, (seen.tosses - seen.hits) / factor
    tail = (1 - level) / 2
    some, left = k > 0, others > 0
    lower = special.betaincinv(np.where(some, k, 1.0), others + 1, tail)
    upper = special.betaincinv(k + 1, np.where(left, others, 1.0), 1 - tail)
    value = np.full_like(k, np.nan)
    np.divide(seen.hits, seen.tosses, out=value, where=shared & (seen.tosses > 0))
    return RateRatios(
        lower=_ratio(np.where(shared, np.where(some, lower, 0.0), np.nan), exposure),
        value=_ratio(value, exposure),
        upper=_ratio(np.where(shared & left, upper, np.nan), exposure),
    )


def _ratio(share: Array, exposure: Array) -> Array:
    """Give the rate ratio that a share of the events stands for; NaN for a share of 1."""
    known = (share < 1) & (exposure > 0)
    odds = np.divide(share, 1 - share, out=np.full_like(share, np.nan), where=known)
    with np.errstate(over="ignore"):
        ratio = np.divide(odds, exposure, out=odds, where=known)
    return np.where(np.isfinite(ratio), ratio, np.nan)


def _log_mixtures(tossed: Coins) -> Array:
    """Mix over probabilities above the chance, by each prior: a beta truncated to (chance, 1)."""
    informed = (tossed.chance > LEAST_CHANCE) & (tossed.chance < 1 - LEAST_CHANCE)
    p0 = np.where(informed, tossed.chance, 0.5)
    k, total = tossed.hits, tossed.tosses
    strengths = np.array([[_strength(events)] for events in MIXTURE_EVENTS])
    a, b = p0 * strengths, (1 - p0) * strengths
    log_e = (
        _log_upper_beta(a + k, b + (total - k), p0)
        - _log_upper_beta(a, b, p0)
        - k * np.log(p0)
        - (total - k) * np.log1p(-p0)
    )
    return np.where(informed, log_e, 0.0)


def _strength(events: float) -> float:
    """Give the strength of the prior that finds most in so many events."""
    spread = 2 * math.log(1 / 0.1)
    return max(events / (spread + math.log1p(spread)) - 1, 0.5)


def _log_upper_beta(a: Array, b: Array, p0: Array) -> Array:
    """Give log of the incomplete beta integral over (p0, 1)."""
    tail = special.betaincc(a, b, p0)
    seen = tail > SMALLEST_TAIL
    exact: Array = special.betaln(a, b) + np.log(np.where(seen, tail, 1.0))
    if seen.all():
        return exact
    # Far below the chance the integral sits at its lower end: Laplace's bound, one term.
    slope = np.maximum(b * p0 - a * (1 - p0), 1.0)
    laplace = a * np.log(p0) + b * np.log1p(-p0) - np.log(slope)
    return np.where(seen, exact, laplace)
