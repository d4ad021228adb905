"""Lay a side's answer on the grid of steps that both sides share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis import counters
from analysis.sources.port import Series
from judges import Ratio, Values
from judges.core.pods import LEAST_PODS

Array = NDArray[np.float64]
Roles = Mapping[str, Sequence[Series]]
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
        if np.array_equal(one.times, edges[1:]):  # as a rule: that is what was asked for
            row[:] = one.values
            continue
        place = (one.times - edges[0]) / step_s
        step = np.rint(place)
        fits = (np.abs(place - step) < OFF_GRID) & (step >= 1) & (step <= steps)
        row[step[fits].astype(int) - 1] = one.values[fits]
    return Values(values=rows)


def ratio_on_grid(
    pair: CounterPair, edges: Array, *, since: float, begin: float, pod_label: str | None
) -> tuple[Ratio, float]:
    """Difference a quotient's counters onto the grid.

    Returns:
        The side, and the scrape interval in seconds that its samples show (0 where unknown).
    """
    seen = counters.scrapes(pair.series, since=since, begin=begin)
    both = (pair.numerator, pair.denominator)
    numerator, denominator = counters.increases(both, edges, seen, pod_label=pod_label).values
    return Ratio(numerator=numerator, denominator=denominator), seen.interval_s


def halves(
    roles: Roles, *, pod_label: str | None
) -> tuple[dict[str, tuple[Series, ...]], dict[str, tuple[Series, ...]]] | None:
    """Divide a side's pods in two groups, by turns in the order of their names.

    Args:
        roles: The side's series, by what they are for.
        pod_label: Label that names the pods; without it each series is one.

    Returns:
        The series of each group; `None` where there are fewer than two pods.
    """

    def pod(series: Series) -> tuple[tuple[str, str], ...]:
        if pod_label is None:
            return tuple(sorted(series.labels.items()))
        return ((pod_label, series.labels.get(pod_label, "")),)

    pods = sorted({pod(one) for series in roles.values() for one in series})
    if len(pods) < LEAST_PODS:
        return None
    even = set(pods[::2])
    first, second = (
        {name: tuple(one for one in s if (pod(one) in even) is own) for name, s in roles.items()}
        for own in (True, False)
    )
    return first, second


def first_sample(*sides: Sequence[Series]) -> float:
    """Give the time of the first sample of any series; infinity where there is none."""
    firsts = [float(one.times[0]) for side in sides for one in side if len(one.times)]
    return min(firsts, default=float("inf"))
