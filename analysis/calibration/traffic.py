"""Requests: some fail, each takes its time; and the two sides seldom get as many of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.calibration.scenarios import Array, Pair, Rng, Shape, autoregressive
from judges import Sample

# One request in a hundred fails, on the baseline.
ERROR_RATIO = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """A world of failing requests.

    Attributes:
        name: What tables call it.
        intensity: Gives the baseline's and the canary's failures around 1, of a shape (..., steps).
    """

    name: str
    intensity: Callable[[Rng, Shape], Pair]

    def draw(
        self, rng: Rng, shape: Shape, *, rate: float, ratio: float = 1.0, exposure: float = 1.0
    ) -> tuple[Pair, Pair]:
        """Draw (events, total) of each side, of a shape (..., steps) each.

        Args:
            rng: Source of randomness.
            shape: Shape of each array.
            rate: The baseline's expected errors in a step.
            ratio: The canary's share of failures over the baseline's.
            exposure: The baseline's traffic over the canary's.
        """
        baseline, canary = self.intensity(rng, shape)
        requests = rate / ERROR_RATIO
        return (
            _failing(rng, requests, ERROR_RATIO * baseline),
            _failing(rng, requests / exposure, ERROR_RATIO * ratio * canary),
        )

    def samples(
        self,
        rng: Rng,
        count: int,
        *,
        steps: int,
        rate: float,
        ratio: float = 1.0,
        exposure: float = 1.0,
    ) -> list[Sample]:
        """Draw samples of events among requests; the arguments are those of `draw`."""
        sides = self.draw(rng, (count, steps), rate=rate, ratio=ratio, exposure=exposure)
        return counted(*sides)


def _failing(rng: Rng, requests: float, share: Array) -> Pair:
    """Draw failures among requests; at least one request a step, so that each step has exposure."""
    total = (rng.poisson(requests, share.shape) + 1).astype(np.float64)
    return rng.poisson(total * share).astype(np.float64), total


def counted(baselines: Pair, canaries: Pair) -> list[Sample]:
    """Make samples of (events, total), each array of shape (count, steps)."""
    return [
        Sample.of_counts(baseline, canary)
        for baseline, canary in zip(
            zip(*baselines, strict=True), zip(*canaries, strict=True), strict=True
        )
    ]


def _bursts(rng: Rng, shape: Shape) -> Array:
    return np.exp(autoregressive(rng, shape, 0.8) - 0.5)


def _shared_bursts(rng: Rng, shape: Shape) -> Pair:
    shared = _bursts(rng, shape)
    return shared, shared


ERRORS: tuple[Errors, ...] = (
    Errors(name="Poisson", intensity=lambda _rng, shape: (np.ones(shape), np.ones(shape))),
    Errors(name="shared bursts", intensity=_shared_bursts),
    Errors(
        name="negative binomial (CV 1), each side its own",
        intensity=lambda rng, shape: (rng.gamma(1, 1, shape), rng.gamma(1, 1, shape)),
    ),
    Errors(
        name="bursts, each side its own",
        intensity=lambda rng, shape: (_bursts(rng, shape), _bursts(rng, shape)),
    ),
)
POISSON, SHARED_BURSTS, NEGATIVE_BINOMIAL, OWN_BURSTS = ERRORS

# The default buckets of Prometheus' client libraries, in seconds.
DEFAULT_EDGES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, math.inf)
# From 1 ms to 60 s, each 1.19 times the one before: what a native histogram of schema 2 has.
FINE_EDGES = (*(0.001 * 2 ** (k / 4) for k in range(64)), math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Lognormal latencies; load that both sides share moves their traffic and their latency.

    Attributes:
        edges: Upper bounds of the buckets in seconds, the last infinite.
        rates: Requests a step of the baseline and of the canary.
        median: Median latency in seconds.
        spread: Standard deviation of the logarithm of a latency.
        load: Standard deviation of the logarithm of the load.
        phi: Lag-1 autocorrelation of the load.
    """

    edges: tuple[float, ...]
    rates: tuple[float, float]
    median: float = 0.1
    spread: float = 0.8
    load: float = 0.15
    phi: float = 0.8

    def samples(
        self, rng: Rng, count: int, *, steps: int, ratio: float = 1.0
    ) -> tuple[list[Sample], list[Sample]]:
        """Draw samples of good canaries, and of canaries slower by `ratio` under the same load.

        Args:
            rng: Source of randomness.
            count: How many of each.
            steps: Steps of each.
            ratio: Latency of the slow canaries over that of the baseline.
        """
        load = np.exp(self.load * autoregressive(rng, (count, steps), self.phi))
        usual, slower = self._shares(load), self._shares(load * ratio)
        baselines = self._counts(rng, load, self.rates[0], usual)
        good, slow = (self._counts(rng, load, self.rates[1], shares) for shares in (usual, slower))
        return self._paired(baselines, good), self._paired(baselines, slow)

    def _paired(self, baselines: Array, canaries: Array) -> list[Sample]:
        return [
            Sample.of_histograms(self.edges, baseline, canary)
            for baseline, canary in zip(baselines, canaries, strict=True)
        ]

    def _shares(self, level: Array) -> Array:
        """Give the share of requests in each bucket, of shape (count, steps, buckets)."""
        finite = np.array(self.edges[:-1])
        z = (np.log(finite / self.median) - np.log(level)[..., np.newaxis]) / self.spread
        below = 0.5 * (1 + _erf(z / math.sqrt(2)))
        shares: Array = np.diff(below, axis=-1, prepend=0.0, append=1.0)
        return shares

    def _counts(self, rng: Rng, load: Array, rate: float, shares: Array) -> Array:
        return rng.poisson(rate * load[..., np.newaxis] * shares).astype(np.float64)


_erf = np.vectorize(math.erf, otypes=[np.float64])
