"""Lay a side's answer on the grid of steps that both sides share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis import counters
from analysis.sources.port import Series
from judges import Ratio, Values

Array = NDArray[np.float64]
# A value further than a thousandth of a step from the grid belongs to another grid.
OFF_GRID = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CounterPair:
    """The raw series of a quotient's two counters, on one side."""

    numerator: tuple[Series, ...]
    denominator: tuple[Series, ...]

    @property
    def series(self) -> tuple[Series, ...]:
        """All of them."""
        return self.numerator + self.denominator


def values_on_grid(series: Sequence[Series], edges: Array) -> Values:
    """Lay evaluated expressions on the grid; each series is a pod.

    A value belongs to the step that ends at its timestamp. Values between the grid's instants are
    left out: they answer another question.
    """
    steps = len(edges) - 1
    rows = np.full((max(len(series), 1), steps), np.nan)
    if steps == 0:
        return Values(values=rows)
    step_s = float(edges[1] - edges[0])
    for row, one in zip(rows, series, strict=False):
        place = (one.times - edges[0]) / step_s
        index = np.round(place).astype(int) - 1
        fits = (np.abs(place - np.round(place)) < OFF_GRID) & (index >= 0) & (index < steps)
        row[index[fits]] = one.values[fits]
    return Values(values=rows)


def ratio_on_grid(
    pair: CounterPair, edges: Array, *, since: float, begin: float, pod_label: str | None
) -> tuple[Ratio, float]:
    """Difference a quotient's counters onto the grid.

    Returns:
        The side, and the scrape interval in seconds that its samples show (0 where unknown).
    """
    seen = counters.scrapes(pair.series, since=since, begin=begin)
    parts = [
        counters.increases(series, edges, seen, pod_label=pod_label)
        for series in (pair.numerator, pair.denominator)
    ]
    pods = sorted({pod for part in parts for pod in part.pods}) or [""]
    numerator, denominator = (_by_pod(part, pods, len(edges) - 1) for part in parts)
    return Ratio(numerator=numerator, denominator=denominator), seen.interval_s


def _by_pod(part: counters.Increases, pods: Sequence[str], steps: int) -> Array:
    rows = dict(zip(part.pods, part.values, strict=True))
    missing = np.full(steps, np.nan)
    return np.vstack([rows.get(pod, missing) for pod in pods])


def first_sample(*sides: Sequence[Series]) -> float:
    """Give the time of the first sample of any series; infinity where there is none."""
    firsts = [float(one.times[0]) for side in sides for one in side if len(one.times)]
    return min(firsts, default=float("inf"))
