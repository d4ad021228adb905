"""Group sequential looks: a declared duration, cut into stages of equal length.

Whenever a look comes, the stages completed so far are judged, each on the data up to its end; so
the answer does not depend on when one looked before, and nothing has to be remembered. What a
stage may err is spent as the square of the time that has passed.

References:
    Lan & DeMets (1983), Biometrika 70: spending the error rate. Kim & DeMets (1987), Biometrika 74:
    the power family, here alpha t^2. Armitage, McPherson & Rowe (1969), JRSS A 132: the recursion.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]

# Every five minutes of an hour; more stages cost power at each of them.
STAGES = 12
# A stage that ends sooner has too few steps for any variance; what it may err is not spent.
LEAST_STEPS = 8
_SPENDING_POWER = 2
# Levels for which boundaries are computed; between them they are interpolated on log scales, to
# within a thousandth of the level.
_LEVELS = np.geomspace(1e-8, 0.5, 40)
_NODES = 96
# Beyond so many standard deviations lies nothing that matters at 1e-8.
_FAR = 9.0
_PRECISION = 1e-9


def ends(n: int, horizon: int) -> list[int]:
    """List the ends of the stages completed after n steps of a planned `horizon`."""
    every = [round(stage * horizon / STAGES) for stage in range(1, STAGES + 1)]
    return [end for end in every if LEAST_STEPS <= end <= n]


def sequential_p(p: Sequence[Array], completed: Sequence[int], horizon: int, m: int) -> Array:
    """Give the smallest level at which some completed stage rejects, shape (m,).

    Args:
        p: For each completed stage the p-values of its data, shape (m,) each.
        completed: The stages' ends, as `ends` gives them.
        horizon: Planned steps.
        m: Number of metrics.
    """
    boundaries = _boundaries()
    smallest = np.ones(m)
    for at_end, end in zip(p, completed, strict=True):
        stage = round(end * STAGES / horizon)
        smallest = np.minimum(smallest, _level_of(at_end, boundaries[:, stage - 1]))
    return smallest


def _level_of(p: Array, nominal: Array) -> Array:
    """Give the level whose boundary at this stage is the p-value; 1 beyond the table."""
    logs = np.log(np.maximum(p, nominal[0]))
    level = np.exp(np.interp(logs, np.log(nominal), np.log(_LEVELS)))
    return np.where(p > nominal[-1], 1.0, level)


@lru_cache(maxsize=1)
def _boundaries() -> Array:
    """Give the p-value that each level asks of each stage, shape (levels, stages)."""
    return np.array([nominal_levels(float(level)) for level in _LEVELS])


def nominal_levels(level: float, stages: int = STAGES) -> Array:
    """Give the p-value at which each stage rejects, so that all together err at `level`.

    Args:
        level: Error rate of the whole, one-sided.
        stages: How many stages of equal length.
    """
    times = np.arange(1, stages + 1) / stages
    spent = level * np.diff(times**_SPENDING_POWER, prepend=0.0)
    z = np.empty(stages)
    z[0] = -special.ndtri(spent[0])
    nodes, weights = _grid(-_FAR, z[0])
    density = np.exp(-(nodes**2) / 2) / math.sqrt(2 * math.pi) * weights
    for k in range(1, stages):
        # The statistic at time t_k, given x at t_{k-1}: Brownian motion, standardized.
        drift, spread = math.sqrt(times[k - 1] / times[k]), math.sqrt(1 - times[k - 1] / times[k])
        z[k] = _boundary(float(spent[k]), nodes, density, (drift, spread))
        after, weights = _grid(-_FAR, z[k])
        step = (after[:, np.newaxis] - drift * nodes) / spread
        moved = np.exp(-(step**2) / 2) @ density / (spread * math.sqrt(2 * math.pi))
        nodes, density = after, moved * weights
    return np.asarray(special.ndtr(-z))


def _boundary(spent: float, nodes: Array, density: Array, motion: tuple[float, float]) -> float:
    """Find the value that is exceeded for the first time with probability `spent`."""
    drift, spread = motion
    low, high = -_FAR, _FAR
    while high - low > _PRECISION:
        middle = (low + high) / 2
        exceeded = float(special.ndtr(-(middle - drift * nodes) / spread) @ density)
        low, high = (middle, high) if exceeded > spent else (low, middle)
    return high


@lru_cache(maxsize=1)
def _legendre() -> tuple[Array, Array]:
    """Give nodes and weights of Gauss-Legendre; finding them takes longer than using them."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return nodes, weights


def _grid(low: float, high: float) -> tuple[Array, Array]:
    nodes, weights = _legendre()
    half = (high - low) / 2
    return low + half * (nodes + 1), half * weights
