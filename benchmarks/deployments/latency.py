"""How long requests take: a lognormal body under a Pareto tail, counted in buckets.

Requests are drawn into a fine grid of durations, from which both the buckets that a service exposes
and the sum of its durations follow; the edges of every exposed bucket are edges of the grid.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from benchmarks.deployments.noise import Rng, log_uniform

Array = NDArray[np.float64]

# The buckets of Prometheus' client libraries where nobody asks for others, in seconds.
DEFAULT_EDGES = np.array([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, np.inf])
# Buckets of a user who cares: each a quarter wider than the one before, 1 ms to 18 s.
FINE_EDGES = np.append(0.001 * 1.25 ** np.arange(45), np.inf)
# Clients give up here, in seconds: what is slower has taken this long.
TIMEOUT = 60.0
# Upper bounds of the grid's cells, in seconds.
GRID = np.unique(np.concatenate([[0.0005, 30.0], DEFAULT_EDGES, FINE_EDGES]))
_LOWER = np.concatenate([[0.00025], GRID[:-1]])
_UPPER = np.where(np.isfinite(GRID), GRID, TIMEOUT)
# What a request of a cell is taken to last, in seconds.
MIDDLE = np.sqrt(_LOWER * _UPPER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """The distribution of durations when nothing disturbs it.

    Attributes:
        median: Median of the body, in seconds.
        sigma: Standard deviation of the body's logarithm.
        slow: Share of requests that belong to the tail.
        slow_from: Where the tail begins, in medians.
        alpha: The tail's Pareto exponent.
        edges: Upper bounds of the exposed buckets, shape (buckets,), in seconds.
    """

    median: float
    sigma: float
    slow: float
    slow_from: float
    alpha: float
    edges: Array

    @classmethod
    def draw(cls, rng: Rng) -> Latency:
        """Draw a service: some answer in milliseconds, some in a third of a second."""
        return cls(
            median=log_uniform(rng, 0.004, 0.25),
            sigma=rng.uniform(0.3, 0.9),
            slow=log_uniform(rng, 0.005, 0.05),
            slow_from=rng.uniform(2.5, 6.0),
            alpha=rng.uniform(2.1, 4.0),
            edges=DEFAULT_EDGES if rng.random() < 0.5 else FINE_EDGES,
        )

    def cells(self, level: Array, slow: Array | float) -> Array:
        """Give the probability of each cell of the grid, shape (..., cells).

        Args:
            level: Shape (...): what is added to the logarithm of every duration.
            slow: Factor on the share of slow requests.
        """
        edges = np.log(GRID[:-1] / self.median) - level[..., np.newaxis]
        share = np.minimum(self.slow * np.asarray(slow), 0.9)[..., np.newaxis]
        body = special.ndtr(edges / self.sigma)
        tail = -np.expm1(-self.alpha * np.maximum(edges - math.log(self.slow_from), 0.0))
        below = (1 - share) * body + share * tail
        ends = np.zeros((*below.shape[:-1], 1))
        cells: Array = np.diff(np.concatenate([ends, below, ends + 1.0], axis=-1), axis=-1)
        return np.maximum(cells, 0.0)

    def buckets(self, counts: Array) -> Array:
        """Add the cells of the grid, shape (..., cells), up to the exposed buckets."""
        ends = np.searchsorted(GRID, self.edges)
        starts = np.concatenate([[0], ends[:-1] + 1])
        added: Array = np.add.reduceat(counts, starts, axis=-1)
        return added

    def quantile(self, p: float) -> float:
        """Give the duration that a share `p` of undisturbed requests does not exceed, in s."""
        below = np.cumsum(self.cells(np.zeros(()), 1.0))
        return float(np.interp(p, below[:-1], GRID[:-1]))

    def moments(self, slow: float = 1.0) -> tuple[float, float]:
        """Give the mean in seconds and the squared coefficient of variation of one request."""
        cells = self.cells(np.zeros(()), slow)
        mean = float(cells @ MIDDLE)
        return mean, float(cells @ MIDDLE**2) / mean**2 - 1
