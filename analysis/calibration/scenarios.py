"""Series as bad as Prometheus holds them, with the effect an oracle would find in 85 % of cases.

Generators give working values of standard deviation about 1 and any shape, the last axis being
time; a gauge is exp(0.1 x), so an effect on x is a ratio. Where each comes from: white noise and
AR(1) bracket what real gauges show (lag-1 autocorrelation of CPU .1 to .4, of workload to .75);
`rate[5m]` read every minute is a moving average of five; both versions share the day's traffic;
spikes are garbage collections, slow autocorrelation under white noise is load under sampling noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from judges import Sample

Array = NDArray[np.float64]
Rng = np.random.Generator
Shape = tuple[int, ...]
Pair = tuple[Array, Array]

# Two-sided 5 % with 85 % power, for an oracle that knows the variance: z(.975) + z(.85).
ORACLE = 1.959964 + 1.036433
# Standard deviation of a gauge's noise, on the scale of logarithms.
NOISE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A world in which nothing is wrong, until an effect is added.

    Attributes:
        name: What tables call it.
        draw: Gives baseline and canary of a shape (..., steps).
        variance: Variance of a side's mean over n steps, as the oracle knows it.
        effect: Multiple of the oracle's effect that is tried (heavy tails: 2).
    """

    name: str
    draw: Callable[[Rng, Shape], Pair]
    variance: Callable[[int], float]
    effect: float = 1.0

    def oracle(self, n: int) -> float:
        """Give the effect on x that the oracle finds in 85 % of the cases."""
        return self.effect * ORACLE * math.sqrt(2 * self.variance(n))

    def gauges(self, rng: Rng, shape: Shape, *, noise: float = NOISE) -> Pair:
        """Draw baseline and canary as positive gauges around 1, of a shape (..., steps)."""
        baseline, canary = self.draw(rng, shape)
        return np.exp(noise * baseline), np.exp(noise * canary)

    def samples(
        self, rng: Rng, count: int, *, steps: int, ratio: float = 1.0, noise: float = NOISE
    ) -> list[Sample]:
        """Draw samples of a gauge.

        Args:
            rng: Source of randomness.
            count: How many.
            steps: Steps of each.
            ratio: The canary's level over the baseline's.
            noise: Standard deviation of the logarithms.
        """
        return paired(*self.gauges(rng, (count, steps), noise=noise), ratio=ratio)


def paired(
    baselines: Sequence[Array] | Array, canaries: Sequence[Array] | Array, *, ratio: float = 1.0
) -> list[Sample]:
    """Make samples of gauges, each side of shape (steps,) or (pods, steps)."""
    return [
        Sample.of_values(baseline, ratio * canary)
        for baseline, canary in zip(baselines, canaries, strict=True)
    ]


def autoregressive(rng: Rng, shape: Shape, phi: float) -> Array:
    """Draw AR(1) of variance 1."""
    *others, n = shape
    steps = rng.standard_normal((n, *others))
    steps[1:] *= math.sqrt(1 - phi * phi)  # the first has its full variance: no burn-in is needed
    for i in range(1, n):
        steps[i] += phi * steps[i - 1]
    return np.moveaxis(steps, 0, -1)


def variance_of_ar(n: int, phi: float) -> float:
    """Give the variance of the mean of n steps of AR(1)."""
    lags = np.arange(1, n)
    return float((1 + 2 * ((1 - lags / n) * phi**lags).sum()) / n)


def _each(side: Callable[[Rng, Shape], Array]) -> Callable[[Rng, Shape], Pair]:
    """Draw both sides alike and independently."""
    return lambda rng, shape: (side(rng, shape), side(rng, shape))


def _ar(phi: float) -> Scenario:
    return Scenario(
        name=f"AR({phi:g})" if phi else "independent",
        draw=_each(lambda rng, shape: autoregressive(rng, shape, phi)),
        variance=lambda n: variance_of_ar(n, phi),
    )


def _season(phi: float) -> Scenario:
    def draw(rng: Rng, shape: Shape) -> Pair:
        *others, n = shape
        phase = rng.uniform(0, 2 * np.pi, (*others, 1))
        shared = 3 * np.sin(2 * np.pi * np.arange(n) / n + phase)
        return shared + autoregressive(rng, shape, phi), shared + autoregressive(rng, shape, phi)

    name = "shared season" + (f" + AR({phi:g})" if phi else "")
    return Scenario(name=name, draw=draw, variance=lambda n: variance_of_ar(n, phi))


def _overlap(width: int = 5) -> Scenario:
    def side(rng: Rng, shape: Shape) -> Array:
        *others, n = shape
        shocks = rng.standard_normal((*others, n + width - 1))
        windows = [shocks[..., i : i + n] for i in range(width)]
        averaged: Array = np.sum(windows, axis=0) / math.sqrt(width)
        return averaged

    lags = np.arange(1, width)
    return Scenario(
        name="rate[5m] every minute",
        draw=_each(side),
        variance=lambda n: float((1 + 2 * ((1 - lags / n) * (1 - lags / width)).sum()) / n),
    )


def _spikes(phi: float = 0.5, width: int = 3) -> Scenario:
    def side(rng: Rng, shape: Shape) -> Array:
        starts = rng.random(shape) < 0.5 / 30
        spiky = starts.copy()
        for later in range(1, width):
            spiky[..., later:] |= starts[..., :-later]
        return autoregressive(rng, shape, phi) + 8 * spiky

    return Scenario(
        name="spikes of 3 steps + AR(.5)",
        draw=_each(side),
        variance=lambda n: variance_of_ar(n, phi),
    )


def _hidden(phi: float = 0.9) -> Scenario:
    return Scenario(
        name="AR(.9) under white noise",
        draw=_each(lambda rng, shape: autoregressive(rng, shape, phi) + rng.standard_normal(shape)),
        variance=lambda n: variance_of_ar(n, phi) + 1 / n,
    )


def missing(rng: Rng, values: Array, share: float) -> Array:
    """Lose a share of the steps at random: scrapes that timed out."""
    return np.where(rng.random(values.shape) < share, np.nan, values)


def _gaps(phi: float, share: float = 0.2) -> Scenario:
    def variance(n: int) -> float:
        # What is lost costs the white part of the variance; the covariances stay as they are.
        return variance_of_ar(n, phi) + share / (1 - share) / n

    return Scenario(
        name=f"AR({phi:g}), a fifth of the scrapes missing",
        draw=_each(lambda rng, shape: missing(rng, autoregressive(rng, shape, phi), share)),
        variance=variance,
    )


INDEPENDENT, AR5, AR8, AR95 = (_ar(phi) for phi in (0.0, 0.5, 0.8, 0.95))
SEASON, SEASON_AR6 = (_season(phi) for phi in (0.0, 0.6))
HIDDEN = _hidden()
GAUGES: tuple[Scenario, ...] = (
    INDEPENDENT,
    AR5,
    AR8,
    AR95,
    SEASON,
    SEASON_AR6,
    Scenario(
        name="heavy tails (t, 2 df)",
        draw=_each(lambda rng, shape: rng.standard_t(2, shape)),
        variance=lambda n: 1 / n,
        effect=2.0,
    ),
    _spikes(),
    _overlap(),
    HIDDEN,
    _gaps(0.5),
)


def begun(canary: Array, onset: int, ratio: float) -> Array:
    """Multiply the canary's level from step `onset` on: a regression that begins late."""
    late = np.array(canary)
    late[..., onset:] *= ratio
    return late


def leaking(canary: Array, growth: float) -> Array:
    """Let the canary's level grow linearly by `growth` over the window, in the metric's unit."""
    steps = canary.shape[-1]
    grown: Array = canary + growth * np.arange(1, steps + 1) / steps
    return grown


@dataclass(frozen=True, slots=True, kw_only=True)
class Pods:
    """A version's pods differ by themselves: each has a level of its own for the whole window.

    Attributes:
        baseline: Number of the baseline's pods.
        canary: Number of the canary's pods.
        spread: Standard deviation of their levels, on the scale of logarithms.
        within: How each pod's steps come.
    """

    baseline: int
    canary: int
    spread: float
    within: Scenario = INDEPENDENT

    def gauges(self, rng: Rng, count: int, steps: int, *, noise: float = NOISE) -> Pair:
        """Draw baseline and canary, of shape (count, pods, steps) each."""
        most = max(self.baseline, self.canary)
        sides = self.within.gauges(rng, (count, most, steps), noise=noise)
        levels = np.exp(self.spread * rng.standard_normal((2, count, most, 1)))
        baseline, canary = (side * level for side, level in zip(sides, levels, strict=True))
        return baseline[:, : self.baseline], canary[:, : self.canary]
