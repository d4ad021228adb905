"""Series as bad as Prometheus holds them, with the effect an oracle would find in 85 % of cases.

Every generator gives working values of standard deviation about 1; a gauge is exp(0.1 x), so that
an effect on x is a ratio. References: the table of scenarios in docs/reference/error-rates.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Rng = np.random.Generator
Pair = tuple[Array, Array]

# Two-sided 5 % with 85 % power, for an oracle that knows the variance: z(.975) + z(.85).
ORACLE = 1.959964 + 1.036433
NOISE = 0.1
BURN_IN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A world in which nothing is wrong, until an effect is added.

    Attributes:
        name: What the table calls it.
        draw: Gives baseline and canary, shape (n,) each.
        variance: Variance of a side's mean over n steps, as the oracle knows it.
        effect: Multiple of the oracle's effect that is tried (heavy tails: 2).
    """

    name: str
    draw: Callable[[Rng, int], Pair]
    variance: Callable[[int], float]
    effect: float = 1.0

    def oracle(self, n: int) -> float:
        """Give the effect that the oracle finds in 85 % of the cases."""
        return self.effect * ORACLE * math.sqrt(2 * self.variance(n))


def autoregressive(rng: Rng, n: int, phi: float) -> Array:
    """Draw AR(1) of variance 1."""
    shocks = rng.standard_normal(n + BURN_IN) * math.sqrt(1 - phi * phi)
    for i in range(1, len(shocks)):
        shocks[i] += phi * shocks[i - 1]
    return shocks[BURN_IN:]


def variance_of_ar(n: int, phi: float) -> float:
    """Give the variance of the mean of n steps of AR(1)."""
    lags = np.arange(1, n)
    return float((1 + 2 * ((1 - lags / n) * phi**lags).sum()) / n)


def _ar(phi: float) -> Scenario:
    return Scenario(
        name=f"AR({phi:g})" if phi else "independent",
        draw=lambda rng, n: (autoregressive(rng, n, phi), autoregressive(rng, n, phi)),
        variance=lambda n: variance_of_ar(n, phi),
    )


def _season(phi: float) -> Scenario:
    def draw(rng: Rng, n: int) -> Pair:
        shared = 3 * np.sin(2 * np.pi * np.arange(n) / n + rng.uniform(0, 2 * np.pi))
        return shared + autoregressive(rng, n, phi), shared + autoregressive(rng, n, phi)

    name = "shared season" + (f" + AR({phi:g})" if phi else "")
    return Scenario(name=name, draw=draw, variance=lambda n: variance_of_ar(n, phi))


def _overlap(width: int = 5) -> Scenario:
    def side(rng: Rng, n: int) -> Array:
        shocks = rng.standard_normal(n + width - 1)
        return np.convolve(shocks, np.ones(width), mode="valid") / math.sqrt(width)

    lags = np.arange(1, width)
    return Scenario(
        name="rate[5m] every minute",
        draw=lambda rng, n: (side(rng, n), side(rng, n)),
        variance=lambda n: float((1 + 2 * ((1 - lags / n) * (1 - lags / width)).sum()) / n),
    )


def _spikes(phi: float = 0.5) -> Scenario:
    def side(rng: Rng, n: int) -> Array:
        starts = rng.random(n) < 0.5 / 30
        spiky = np.convolve(starts, np.ones(3))[:n] > 0
        return autoregressive(rng, n, phi) + 8 * spiky

    return Scenario(
        name="spikes of 3 steps + AR(.5)",
        draw=lambda rng, n: (side(rng, n), side(rng, n)),
        variance=lambda n: variance_of_ar(n, phi),
    )


def _hidden(phi: float = 0.9) -> Scenario:
    def side(rng: Rng, n: int) -> Array:
        return autoregressive(rng, n, phi) + rng.standard_normal(n)

    return Scenario(
        name="AR(.9) under white noise",
        draw=lambda rng, n: (side(rng, n), side(rng, n)),
        variance=lambda n: variance_of_ar(n, phi) + 1 / n,
    )


GAUGES: tuple[Scenario, ...] = (
    _ar(0.0),
    _ar(0.5),
    _ar(0.8),
    _ar(0.95),
    _season(0.0),
    _season(0.6),
    Scenario(
        name="heavy tails (t, 2 df)",
        draw=lambda rng, n: (rng.standard_t(2, n), rng.standard_t(2, n)),
        variance=lambda n: 1 / n,
        effect=2.0,
    ),
    _spikes(),
    _overlap(),
    _hidden(),
)


def gauge(scenario: Scenario, rng: Rng, n: int, effect: float) -> Pair:
    """Draw baseline and canary as positive gauges, the canary larger by `effect` on x."""
    baseline, canary = scenario.draw(rng, n)
    return np.exp(NOISE * baseline), np.exp(NOISE * (canary + effect))


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """A world of failing requests; the canary has a quarter of the baseline's traffic.

    Attributes:
        name: What the table calls it.
        intensity: Gives the baseline's and the canary's intensity around 1, shape (n,) each.
    """

    name: str
    intensity: Callable[[Rng, int], Pair]

    def draw(self, rng: Rng, n: int, rate: float, ratio: float) -> tuple[Pair, Pair]:
        """Draw (events, total) of each side.

        Args:
            rng: Source of randomness.
            n: Steps.
            rate: The baseline's expected errors in a step.
            ratio: The canary's error rate over the baseline's.
        """
        baseline, canary = self.intensity(rng, n)
        requests = 100 * rate
        sides: list[Pair] = []
        for traffic, failing in (
            (requests, 0.01 * baseline),
            (requests / 4, 0.01 * ratio * canary),
        ):
            total: Array = (rng.poisson(traffic, n) + 1).astype(np.float64)
            events: Array = rng.poisson(total * failing).astype(np.float64)
            sides.append((events, total))
        return sides[0], sides[1]


def _bursts(rng: Rng, n: int) -> Array:
    return np.exp(autoregressive(rng, n, 0.8) - 0.5)


def _shared_bursts(rng: Rng, n: int) -> Pair:
    shared = _bursts(rng, n)
    return shared, shared


ERRORS: tuple[Errors, ...] = (
    Errors(name="Poisson", intensity=lambda _rng, n: (np.ones(n), np.ones(n))),
    Errors(name="shared bursts", intensity=_shared_bursts),
    Errors(
        name="negative binomial (CV 1), each side its own",
        intensity=lambda rng, n: (rng.gamma(1, 1, n), rng.gamma(1, 1, n)),
    ),
    Errors(
        name="bursts, each side its own",
        intensity=lambda rng, n: (_bursts(rng, n), _bursts(rng, n)),
    ),
)
