"""Samples to judge, and every number of what a judge answers."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

import judges
from judges import Judgment, Sample

Array = NDArray[np.float64]

# Edges of a histogram in which every quantile can be told to 10 %.
FINE = np.append(0.02 * 1.1 ** np.arange(70), np.inf)


def a_gauge(
    seed: int, *, n: int = 30, level: float = 100.0, noise: float = 0.1, phi: float = 0.0
) -> Array:
    """Draw a positive gauge: lognormal, with lag-1 autocorrelation `phi` of its logarithm."""
    shocks = np.random.default_rng(seed).standard_normal(n + 100) * math.sqrt(1 - phi * phi)
    for i in range(1, len(shocks)):
        shocks[i] += phi * shocks[i - 1]
    return level * np.exp(noise * shocks[100:])


def events(seed: int, *, n: int = 30, mean: float = 3.0) -> Array:
    """Draw counts of events that come independently."""
    return np.random.default_rng(seed).poisson(mean, n).astype(np.float64)


def latencies(
    seed: int, *, n: int = 40, requests: ArrayLike = 1000.0, level: ArrayLike = 0.2
) -> Array:
    """Draw requests in each step and bucket of `FINE`: lognormal around the median `level`."""
    served, medians = (np.broadcast_to(given, n)[:, np.newaxis] for given in (requests, level))
    below = special.ndtr(np.log(FINE / medians) / 0.5)
    expected = served * np.diff(below, axis=1, prepend=0.0)
    drawn: Array = np.random.default_rng(seed).poisson(expected).astype(np.float64)
    return drawn


def judged(kind: str, baseline: ArrayLike, canary: ArrayLike, **parameters: object) -> Judgment:
    """Judge a gauge; whatever overflows, divides by zero or makes NaN on the way raises."""
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        sample = Sample.of_values(baseline, canary)
        return judges.create(kind, **parameters).judge(sample)


def judged_counts(
    kind: str,
    baseline: tuple[ArrayLike, ArrayLike],
    canary: tuple[ArrayLike, ArrayLike],
    **parameters: object,
) -> Judgment:
    """Judge events among requests, as strictly."""
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        sample = Sample.of_counts(baseline, canary)
        return judges.create(kind, **parameters).judge(sample)


def judged_buckets(
    kind: str, baseline: Array, canary: Array, *, grid: Array | None = None, **parameters: object
) -> Judgment:
    """Judge histograms, shape (steps, buckets) each, as strictly; steps of the shorter side."""
    n = min(len(baseline), len(canary))
    edges = np.append(np.arange(1.0, baseline.shape[1]), np.inf) if grid is None else grid
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        sample = Sample.of_histograms(edges, baseline[:n], canary[:n])
        return judges.create(kind, **parameters).judge(sample)


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Name every plain value inside a judgment."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from leaves(getattr(value, field.name), f"{path}.{field.name}")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}")
    elif isinstance(value, tuple):
        for i, item in enumerate(value):
            yield from leaves(item, f"{path}[{i}]")
    else:
        yield path, value


def faults(judgment: Judgment) -> list[str]:
    """List what no judgment may hold: NaN, infinity, numpy's numbers, or their names in a text."""
    found = []
    for path, value in leaves(judgment):
        if isinstance(value, np.generic):
            found.append(f"{path} is a {type(value).__name__}")
        elif isinstance(value, float) and not math.isfinite(value):
            found.append(f"{path} is {value}")
        elif isinstance(value, str) and {"nan", "inf", "-inf"} & set(value.split()):
            found.append(f"{path} says {value!r}")
    return found
