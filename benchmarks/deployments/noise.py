"""Autocorrelated noise on a logarithmic scale, and how much of it survives in a mean."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from analysis.calibration.scenarios import variance_of_ar

Array = NDArray[np.float64]
Rng = np.random.Generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Wobble:
    """Stationary AR(1) noise.

    Attributes:
        sd: Standard deviation, on the logarithmic scale.
        phi: Correlation of one scrape with the next.
    """

    sd: float
    phi: float

    def draw(self, rng: Rng, shape: tuple[int, ...]) -> Array:
        """Draw series along the last axis."""
        shocks = rng.standard_normal(shape)
        start = rng.standard_normal((*shape[:-1], 1))
        scale = math.sqrt(1 - self.phi**2)
        noise, _ = signal.lfilter([scale], [1.0, -self.phi], shocks, zi=self.phi * start)
        moved: Array = self.sd * np.asarray(noise, dtype=np.float64)
        return moved

    def variance_of_mean(self, n: int) -> float:
        """Give the variance of the mean of `n` scrapes."""
        return self.sd**2 * variance_of_ar(n, self.phi)


def log_uniform(rng: Rng, low: float, high: float) -> float:
    """Draw a number whose logarithm is uniform."""
    return math.exp(rng.uniform(math.log(low), math.log(high)))
